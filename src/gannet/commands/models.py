"""The models at hand: those that come with Gannet, those that $GANNET_MODELS names, and those of runs nearby."""

import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gannet.pipelines.hub import known_models, model_folder, read_config, shipped_models
from gannet.pipelines.keeping import Stamp, stamp_of

CARD, MEGABYTE = "README.md", 1_000_000
LICENCE = re.compile(r"^license:\s*(\S+)", re.MULTILINE)
LEARNED = re.compile(r"\*\*Learned from\*\*\s+(.+?)(?:\n\s*\n|\Z)", re.DOTALL)
LIMITS = re.compile(r"\*\*Cannot\*\*\s+(.+?)(?:\n\s*\n|\Z)", re.DOTALL)
SCORES = re.compile(r"\*\*Scores\*\*(.*?)(?=^\*\*|\Z)", re.DOTALL | re.MULTILINE)
SET, NUMBER = re.compile(r"^`([^`]+)`:\s*$"), r"(-?\d[\d.]*(?:e[-+]?\d+)?)"
SCORE = re.compile(rf"^- (.+?)\s+{NUMBER}\s+\({NUMBER} to {NUMBER}[;)]")
"""A line of `gannet judge`: a name, a value and its interval."""


@dataclass(frozen=True)
class Model:
    """A model that `gannet.load` loads by its name, as its `config.json` and its card state it.

    Attributes:
        name: what to call it by: a name, or the folder of a run.
        task: what it does.
        data: what it learned from, in words; empty where no card says so.
        licence: its own; empty where no card says so.
        megabytes: of all its weights.
        scores: by measure; where its card has several sets of data, by `set: measure`.
        folder: where its files lie.
        limits: what it cannot do, in words; empty where no card says so.
    """

    name: str
    task: str
    data: str
    licence: str
    megabytes: float
    folder: Path
    scores: dict[str, float] = field(default_factory=dict)
    limits: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {**asdict(self), "folder": str(self.folder)}

    def lines(self) -> list[str]:
        """Say it in words."""
        facts = [self.task, f"{self.megabytes:.1f} MB", *([self.licence] if self.licence else [])]
        few = [f"{name} {value:.4g}" for name, value in list(self.scores.items())[:2]]
        more = [words for words in (self.data, ", ".join(few), f"Cannot {self.limits}" if self.limits else "") if words]
        return [f"{self.name}  {' · '.join(facts)}", *(f"    {words}" for words in more)]


def list_models(runs: Path = Path("runs")) -> list[Model]:
    """List the models at hand, shipped ones first; what is no model, or a damaged one, is left out.

    Args:
        runs: the folder of runs whose models are at hand.
    """
    shipped = shipped_models()
    named = [*shipped.items(), *((name, at) for name, at in sorted(known_models().items()) if name not in shipped)]
    near = [(str(folder.parent), folder) for folder in sorted(runs.glob("*/model"))]
    found = []
    for name, folder in [*named, *near]:
        try:
            found.append(read_model(name, folder))
        except (ValueError, OSError):
            continue
    return found


def read_card(target: str) -> str:
    """Read the card of a model that `gannet.load` would load; ValueError where it has none."""
    path = model_folder(target) / CARD
    if not path.is_file():
        raise ValueError(f"{target} has no card: no {CARD} lies beside its weights.")
    return path.read_text(encoding="utf-8").strip()


def read_model(name: str, folder: Path) -> Model:
    """Read what a model's folder states of it; ValueError when it holds no model."""
    return _read_model(name, folder.absolute(), stamp_of(folder))


@lru_cache(maxsize=1024)
def _read_model(name: str, folder: Path, stamp: Stamp) -> Model:  # noqa: ARG001
    """Read it anew once a file of the folder has changed: a page lists all models again and again."""
    config, path = read_config(folder), folder / CARD
    card = path.read_text(encoding="utf-8") if path.is_file() else ""
    licence, data, limits = (pattern.search(card) for pattern in (LICENCE, LEARNED, LIMITS))
    return Model(
        name,
        config["task"],
        " ".join(data[1].split()) if data else "",
        licence[1] if licence else "",
        round(sum(file.stat().st_size for file in folder.glob("*.safetensors")) / MEGABYTE, 2),
        folder,
        _scores(card),
        " ".join(limits[1].split()) if limits else "",
    )


def _scores(card: str) -> dict[str, float]:
    """The values of a card's measures, by name."""
    scores, current = dict[str, float](), ""
    found = SCORES.search(card)
    for line in found[1].splitlines() if found else ():
        if headed := SET.match(line):
            current = f"{headed[1]}: "
        elif score := SCORE.match(line):
            scores[current + score[1]] = float(score[2])
    return scores
