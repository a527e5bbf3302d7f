"""Where a run stands: its judgements, how much of its plan it has seen, and the sentence that both make."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gannet.monitoring.nearness import Nearness, Outlook, tell_nearness
from gannet.runs.folder import Run
from gannet.runtime.files import write_text
from gannet.runtime.plain_data import parse_json, read_facts
from gannet.schedule import total_images

JUDGEMENT, LIGHT = "judgement.json", "judgements.jsonl"
"""What `gannet judge` found, and the light judgements of training: a line a sheet."""


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Give the lines of a file as they were written, none where there is no file; half a line of a killed run is none.

    Raises:
        ValueError: a line is damaged.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [parse_json(line, f"A line of {path}") for line in lines if line.endswith("\n")]


def add_judgement(run: Path, images: int, judgement: Mapping[str, Any]) -> None:
    """Write down a light judgement after so many images; what a run had come to that went back is forgotten."""
    before = [line for line in light_judgements(run) if line["images"] < images]
    lines = [json.dumps(line) + "\n" for line in [*before, {"images": images, **judgement}]]
    write_text(run / LIGHT, "".join(lines))


def light_judgements(run: Path) -> list[dict[str, Any]]:
    """Give the light judgements of a run, the oldest first; none where they cannot be read, for they can be missed."""
    try:
        lines = read_lines(run / LIGHT)
    except ValueError:
        return []
    return [
        line for line in lines if isinstance(line, dict) and type(line.get("images")) is int and _are_measures(line)
    ]


def _are_measures(judgement: Mapping[str, Any]) -> bool:
    """Tell whether a judgement holds measures that can be told of; damaged ones can be missed."""
    found = judgement.get("measures")
    return isinstance(found, list) and all(
        isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("value"), int | float)
        for one in found
    )


def judged_whole(run: Path, asked: Mapping[str, Any]) -> bool:
    """Tell whether a run has a whole judgement of the same weights, after as many images and by the same data: a fast
    one tells less.
    """
    try:
        before = read_facts(run / JUDGEMENT).get("asked")
    except ValueError:  # A damaged one tells nothing.
        return False
    if not isinstance(before, dict) or before.get("fast", False):
        return False
    return all(before.get(key) == asked[key] for key in ("images", "weights", "data"))


def outlook(run: Path) -> Outlook | None:
    """Tell how much of its plan a run has seen; None where that is not known."""
    log = read_lines(run / "log.jsonl")
    try:
        plan = Run(run).planned
    except ValueError:
        return None
    if not log:
        return None
    seen, total, seconds = log[-1]["images"], total_images(plan), log[-1]["clock"]["seconds"]
    share, left = min(1.0, seen / total), max(0.0, (total - seen) * seconds / max(1, seen))
    if plan.minutes is not None:
        budget = 60 * plan.minutes
        share, left = max(share, min(1.0, seconds / budget)), min(left, max(0.0, budget - seconds))
    return Outlook(share, left)


def standing(run: Path) -> Nearness:
    """Say how near a run's model is to its data, by the newest judgement of it; a whole one before a light one."""
    whole, light = read_facts(run / JUDGEMENT), light_judgements(run)
    newest = light[-1] if light else {}
    asked = whole.get("asked")
    when = asked.get("images") if isinstance(asked, dict) else None
    if type(when) is int and when >= newest.get("images", 0) and _are_measures(whole):
        newest = whole
    return tell_nearness(newest, outlook(run), light=newest is not whole)
