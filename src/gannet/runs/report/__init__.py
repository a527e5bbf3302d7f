"""Reports: one self-contained page about a run, read on any screen without a network."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gannet import __version__
from gannet.monitoring.nearness import FAR, NEAR, Nearness, closeness
from gannet.monitoring.referee import Referee
from gannet.runs.report.curves import Curve, Mark, draw_curves
from gannet.runs.report.page import facts, folded, group, page, paragraph, picture, section, table
from gannet.runs.standing import JUDGEMENT, light_judgements, read_lines, standing
from gannet.runtime.files import write_text
from gannet.runtime.plain_data import read_facts, read_json

REPORT, CLOSEST, REALS, MOST_SHEETS = "report.html", "closest.png", "reals.png", 6
CURVES = "curves.json"
"""Which charts the observers of a run want, as `commands.callbacks.write_curves` notes them."""
LOSSES = "losses"
OLDER: tuple[dict[str, Any], ...] = (
    *({"observer": "referee", **asdict(curve)} for curve in Referee.curves),
    {
        "observer": "augmentation",
        "title": "Share of what is augmented in the game",
        "names": ["share"],
        "marks": [{"value": 0.8, "words": "above it leaks"}],
    },
    {"observer": "held_out", "title": "Errors on held-out data", "names": [], "marks": []},
)
"""The charts of runs from before observers said which they want, and what is said of those that were noted since."""
ABOUT = {chart["title"]: chart["about"] for chart in OLDER if "about" in chart}
GOOD, OPEN = {"healthy"}, {"too-early", "plateaued"}
CLOSENESS = (
    "Precision and coverage over what reals score against other reals, and the energy distance brought to the same "
    "scale: at 1 fakes cannot be told from reals by it. The lowest line decides: below 0.5 fakes are called far from "
    "the data, from 0.8 on near. Each point is a light judgement by pixels; `gannet judge` sees more."
)


def write_report(run: Path) -> Path:
    """Write `report.html` of a run from its files: how near it is first, then the game, pictures, curves, measures.

    Raises:
        ValueError: it cannot be written, or one of the files is damaged.
    """
    try:
        log = read_lines(run / "log.jsonl")
        parts = [
            _verdict(standing(run), read_facts(run / "verdict.json")),
            section("What it shows, always of the same", _pictures(run)),
            section("How it measures up", _trend(run), _measures(run, read_facts(run / JUDGEMENT))),
            section("The game", *_curves(run, log)),
            section("The run", _facts(run, log)),
        ]
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"The report of {run} cannot be written, for its log, verdict, judgement or {CURVES} is damaged "
            f"({error!r}); take the damaged file away."
        ) from None
    write_text(run / REPORT, page(f"Gannet: {run.name}", parts))
    return run / REPORT


def _verdict(near: Nearness, verdict: dict[str, Any]) -> str:
    """What is said of the samples, then what is said of the game: that is not called good where they are not."""
    said = paragraph(near.words, f"verdict {near.kind}")
    if not verdict:
        return said
    diagnosis, rule = verdict["diagnosis"], verdict["rule"]
    kind = near.kind if diagnosis["state"] in GOOD else "open" if diagnosis["state"] in OPEN else "bad"
    since = f" Since {diagnosis['since_images']:,} images." if diagnosis["since_images"] else ""
    said += paragraph(f"Of the game: {diagnosis['words']}{since} {verdict['advice']}", f"verdict {kind}")
    said += "".join(paragraph(f"Besides: {found['words']}") for found in verdict.get("also", []))
    return said + paragraph(f"The convergence rule: {rule['words']}")


def _pictures(run: Path) -> str:
    """Sheets over time; the newest at the size of the reals that stand beside it."""
    sheets = sorted(path for path in (run / "samples").glob("*.png") if path.stem.isdecimal())
    if not sheets:
        return ""
    chosen = sorted({round(index * (len(sheets) - 1) / (MOST_SHEETS - 1)) for index in range(MOST_SHEETS)})
    shown = [picture(sheets[index], f"{int(sheets[index].stem):,} images") for index in chosen]
    if not (run / REALS).is_file():
        return group("pictures", shown)
    beside = [shown.pop(), picture(run / REALS, "Reals that were held out")]
    return group("beside", beside) + group("pictures", shown)


def _trend(run: Path) -> str:
    """How near the light judgements found the fakes, over time."""
    lines = light_judgements(run)
    names = dict.fromkeys(one["name"] for line in lines for one in line["measures"])
    curves = [_closeness(name, lines) for name in names]
    marks = (Mark(NEAR, "0.8: near"), Mark(FAR, "0.5: no longer far"))
    return draw_curves("How near the fakes are to the reals (1: as other reals)", curves, marks, CLOSENESS)


def draw_charts(run: Path) -> list[str]:
    """Draw the charts of a run: how near its samples are, then what its observers measured, then its losses.

    Raises:
        ValueError: one of its files is damaged.
    """
    try:
        return [_trend(run), *_curves(run, read_lines(run / "log.jsonl"))]
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"The charts of {run} cannot be drawn, for its log or {CURVES} is damaged ({error!r})."
        ) from None


def _closeness(name: str, lines: Sequence[dict[str, Any]]) -> Curve:
    points = [(line["images"], closeness(one)) for line in lines for one in line["measures"] if one["name"] == name]
    known = [(images, value) for images, value in points if value is not None]
    return Curve(name, [images for images, _ in known], [value for _, value in known])


def seen_images(run: Path) -> int:
    """Tell how many images a run has seen by its log; 0 without one."""
    log = read_lines(run / "log.jsonl")
    return int(log[-1]["images"]) if log else 0


def trained_minutes(run: Path) -> float:
    """Give the minutes that a run has trained by its log; 0 without one."""
    log = read_lines(run / "log.jsonl")
    return float(log[-1]["clock"]["seconds"]) / 60 if log else 0.0


def _measures(run: Path, judgement: dict[str, Any]) -> str:
    if not judgement:
        return ""
    found = {each["name"]: each for each in judgement["measures"]}
    found |= {f"kernel distance of {name}": each for name, each in judgement["by_class"].items()}
    # Judgements from before measures said which values are best leave it open.
    rows = [
        (name, each["value"], each["floor"], _interval(each), str(each.get("best", ""))) for name, each in found.items()
    ]
    asked = judgement["asked"]
    gone_on = " The run has gone on since: judge it again." if seen_images(run) > asked["images"] else ""
    held_against = asked["data"] or "what was held out"
    words = f"Judged after {asked['images']:,} images (weights: {asked['weights']}) against {held_against}.{gone_on}"
    parts = [paragraph(words), *(paragraph(note) for note in judgement["notes"])]
    parts += [table(("measure", "value", "reals themselves", "95 % interval", "best"), rows)] if rows else []
    audit = judgement["memorization"]
    parts += [paragraph(audit["words"], f"verdict {'bad' if audit['memorizes'] else 'good'}")] if audit else []
    if audit and (run / CLOSEST).is_file():
        parts.append(picture(run / CLOSEST, "The fakes nearest to training samples (above), and these (below)"))
    parts += [paragraph(f"{name}: left out, {reason}.") for name, reason in judgement["left_out"].items()]
    parts += [*_utility(judgement["utility"]), *_leaks(judgement.get("leaks", [])), *_baselines(judgement["rivals"])]
    return "".join([*parts, *_protocols(judgement["measures"])])


def _interval(measure: dict[str, Any]) -> str:
    return f"{measure['low']:.4g} to {measure['high']:.4g}" if measure["low"] < measure["high"] else ""


def _utility(utility: dict[str, Any] | None) -> list[str]:
    if not utility:
        return []
    rows = [(each["classifier"], each["learned_from"], each["value"], _interval(each)) for each in utility["scores"]]
    heads = ("classifier", "learned from", "accuracy", "95 % interval")
    return [paragraph(utility["answer"], "verdict open"), table(heads, rows), paragraph(utility["protocol"], "small")]


def _leaks(leaks: Sequence[dict[str, Any]]) -> list[str]:
    """How many fakes look augmented; `get` above, since older judgements did not ask."""
    if not leaks:
        return []
    heads = ("augmentation", "fakes that look so", "95 % interval", "healthy reals that do", "the detector is right in")
    return [table(heads, [_leak(each) for each in leaks])]


def _leak(leak: dict[str, Any]) -> tuple[str, ...]:
    fakes, base, kind = leak["fakes"], leak["base"]["value"], f"{leak['name']} ({leak['strength']:g})"
    interval = f"{fakes['low']:.1%} to {fakes['high']:.1%}"
    return kind, f"{fakes['value']:.1%}", interval, f"{base:.1%}", f"{leak['accuracy']:.1%}"


def _baselines(baselines: Sequence[dict[str, Any]]) -> list[str]:
    if not baselines:
        return []
    names = [each["name"] for each in baselines[0]["measures"]]
    rows = [
        (
            each["name"],
            each["fit_seconds"],
            each["sample_milliseconds"],
            *(found["value"] for found in each["measures"]),
        )
        for each in baselines
    ]
    return [table(("model", "seconds to learn", "ms a sample", *names), rows)]


def _protocols(measures: Sequence[dict[str, Any]]) -> list[str]:
    """Each protocol once, behind the names of the measures that followed it."""
    names: dict[str, list[str]] = {}
    for each in measures:
        names.setdefault(f"{each['protocol']}; features: {each['features']}", []).append(each["name"])
    return [paragraph(f"{', '.join(them)}: {words}.", "small") for words, them in names.items()]


def _curves(run: Path, log: Sequence[dict[str, Any]]) -> list[str]:
    flat = [{"images": line["images"], **_flat(line)} for line in log]
    names = list(dict.fromkeys(name for line in flat for name in line if name != "images"))
    drawn = []
    for wanted in _wanted(run, names):
        start = f"{wanted['observer']}/"
        chosen = [name for name in names if name.startswith(start)]
        chosen = [name for name in chosen if not wanted["names"] or name.removeprefix(start) in wanted["names"]]
        marks = [Mark(mark["value"], mark["words"]) for mark in wanted["marks"]]
        about = wanted.get("about") or ABOUT.get(wanted["title"], "")
        drawn.append(draw_curves(wanted["title"], [_curve(name, flat) for name in chosen], marks, about))
    return drawn


def _wanted(run: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """Which charts to draw: those that the run's observers want, and the losses."""
    noted = run / CURVES
    if noted.is_file():
        found = list(read_json(noted))
    else:
        others = {name.split("/")[0] for name in names} - {LOSSES, "clock", *(chart["observer"] for chart in OLDER)}
        found = [*OLDER, *({"observer": name, "title": name, "names": [], "marks": []} for name in sorted(others))]
    return [*found, {"observer": LOSSES, "title": "Losses", "names": [], "marks": []}]


def _curve(name: str, flat: Sequence[dict[str, float]]) -> Curve:
    lines = [line for line in flat if name in line]
    words = name.split("/", 1)[1].replace("_", " ").split("/")
    label = " ".join(dict.fromkeys(words))
    return Curve(label, [line["images"] for line in lines], [line[name] for line in lines])


def _flat(line: dict[str, Any]) -> dict[str, float]:
    groups = {name: figures for name, figures in line.items() if isinstance(figures, dict)}
    return {f"{name}/{key}": float(value) for name, figures in groups.items() for key, value in figures.items()}


def _facts(run: Path, log: Sequence[dict[str, Any]]) -> str:
    known: dict[str, Any] = {}
    if log:
        clock = log[-1]["clock"]
        known = {
            "images": log[-1]["images"],
            "minutes": clock["seconds"] / 60,
            "images a second": clock["images_per_second"],
        }
    data = read_facts(run / "data.json")
    known |= {"training samples": data.get("training"), "held-out samples": data.get("held_out")}
    recipe = (run / "recipe.yaml").read_text(encoding="utf-8") if (run / "recipe.yaml").is_file() else ""
    known |= {"written with": environment()}
    return facts(known) + folded("Recipe", recipe) + folded("Data", json.dumps(data, indent=2, ensure_ascii=False))


def environment() -> str:
    """Give the versions and the machine, in a line."""
    packages = f"gannet {__version__}, torch {version('torch')}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{packages}, Python {platform.python_version()}, {machine}"
