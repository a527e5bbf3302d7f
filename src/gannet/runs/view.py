"""A run as those who watch it see it, by its files alone: whoever trains it is not asked, and not slowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gannet.monitoring.words import catalogue, catalogues
from gannet.runs.folder import LOCK, Run
from gannet.runs.report import REALS, REPORT, draw_charts
from gannet.runs.standing import outlook, read_lines, standing
from gannet.runtime.locks import holder
from gannet.runtime.plain_data import read_facts
from gannet.schedule import total_images


@dataclass(frozen=True)
class View:
    """What there is to see of a run.

    Attributes:
        folder: the run's.
        task: what it learns to do.
        process: the number of the process of this machine that trains it; 0 where none does.
        images, total: seen, and planned.
        finished: whether it has seen what was planned; figures are logged now and then, so that a few may not be told.
        seconds_left: that the rest takes at its rate; 0 where that is not known.
        near: how near its samples are to the data, in a sentence.
        kind: good, bad or open, of that sentence.
        verdict: what the referee says of the game, a sentence each: the diagnosis, what to do, the rule.
        charts: figures over images seen, as HTML with SVG in it that fetches nothing.
        sheet: the newest picture of its samples, None before there is one; its stem is the images seen.
        film: what is played of the same; None where a picture is enough.
        reals: held-out samples at the size of the sheet; None where there are none.
        report: its report; None before there is one.
    """

    folder: Path
    task: str
    process: int
    images: int
    total: int
    finished: bool
    seconds_left: float
    near: str
    kind: str
    verdict: tuple[str, ...]
    charts: tuple[str, ...]
    sheet: Path | None
    film: Path | None
    reals: Path | None
    report: Path | None


def list_runs(folder: Path) -> list[Path]:
    """List the runs in a folder, the one that was begun last first."""
    found = [path.parent for path in folder.glob("*/recipe.yaml")]
    return sorted(found, key=lambda run: (-_begun(run), run.name))


def _begun(run: Path) -> float:
    try:
        return run.stat().st_ctime if not (run / "state").is_dir() else (run / "state").stat().st_ctime
    except OSError:  # It has just been taken away.
        return 0.0


def view_run(folder: Path, language: str = "en") -> View:
    """Read what there is to see of a run; whoever trains it may write meanwhile.

    Args:
        language: of the verdict, where its words are known in it.

    Raises:
        ValueError: the folder is no run, or a file of it is damaged.
    """
    recipe, log, plan = Run(folder).planned, read_lines(folder / "log.jsonl"), outlook(folder)
    near, sheets = standing(folder), sorted((folder / "samples").glob("*.png"))
    images, total, process = int(log[-1]["images"]) if log else 0, total_images(recipe), holder(folder / LOCK)
    sheet = sheets[-1] if sheets else None
    films = [path for path in (folder / "samples").glob(f"{sheet.stem}.*") if path != sheet] if sheet else []
    return View(
        folder,
        recipe.task.name,
        process,
        images,
        total,
        not process and images + recipe.log.every > total,
        plan.seconds_left if plan else 0.0,
        near.words,
        near.kind,
        tuple(_told(read_facts(folder / "verdict.json"), language)),
        tuple(chart for chart in draw_charts(folder) if chart),
        sheet,
        films[0] if films else None,
        _there(folder / REALS),
        _there(folder / REPORT),
    )


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _told(verdict: Mapping[str, Any], language: str) -> Iterator[str]:
    """The referee's sentences, in a language by the codes and figures that the verdict holds."""
    if not verdict:
        return
    words = catalogue(language) if language in catalogues() else {}
    figures = verdict.get("evidence", {})
    for part in ("diagnosis", "advice", "rule"):
        state = verdict["rule" if part == "rule" else "diagnosis"]["state"]
        said = verdict[part] if part == "advice" else verdict[part]["words"]
        try:
            yield words[part][state].format(**figures)
        except (LookupError, ValueError, TypeError):  # It was written with other figures.
            yield said
