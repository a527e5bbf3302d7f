"""What is asked of an augmented data set, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from gannet.schema import Options

LEAST_HEALTHY, TEXT = 0.2, "text"
"""The share of healthy samples must stay above it, or what is learned shows the augmentation."""


class AugmentOptions(Options):
    """What is to be made of a data set."""

    times: int = Field(4, json_schema_extra={"minimum": 2})
    """How many times as large it becomes; its own samples stay, one in so many is healthy then."""
    kinds: str = "auto"
    """auto, all, or names: rotation=15,blur+noise=0.1; copies take them in turn, + joins those done to one copy."""
    seed: int = Field(0, json_schema_extra={"minimum": 0})
    """The same seed gives the same copies."""
    force: bool = False
    """Allow a healthy share of a fifth and less."""
    text: str = TEXT
    """A table's column of texts."""
    label: str = ""
    """A table's column of labels, which must be there."""
    synonyms: str = ""
    """A file with a word and its synonyms a line, by tabs."""
    model: str = Field("", json_schema_extra={"flag": "--with"})
    """Add this run's fakes instead of copies."""
    keep: float = Field(0.7, json_schema_extra={"exclusiveMinimum": 0, "maximum": 1})
    """The share of the fakes that stays when they have been sifted."""
    sieve: str = ""
    """A recognition model that sifts the fakes; left out, the run's own discriminator."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.seed < 0:
            raise ValueError(f"--seed is {self.seed}; give 0 or more.")
        if self.sieve and not self.model:
            raise ValueError("--sieve sifts the fakes of --with RUN; give both, or neither.")
        if not 0 < self.keep <= 1:
            raise ValueError(f"keep is {self.keep:g}; it is the share of the fakes that stay, above 0 and at most 1.")
        if self.times < 2:
            raise ValueError(f"--times is {self.times}; give 2 or more, which doubles the data or more.")
        if 1 / self.times <= LEAST_HEALTHY and not self.force:
            raise ValueError(
                f"With --times {self.times} only {1 / self.times:.0%} of the data would be healthy, and at "
                f"{LEAST_HEALTHY:.0%} or less the augmentation shows in what is learned; give at most "
                f"{int(1 / LEAST_HEALTHY) - 1}, or --force."
            )
        return self

    def noted(self) -> dict[str, Any]:
        """Give what a broken-off data set notes of what was asked for; those of earlier versions are gone on with."""
        asked = self.model_dump()
        columns = {name: asked.pop(name) for name in ("text", "label", "synonyms")}
        return {**asked, "columns": columns}


@dataclass(frozen=True)
class Augmented:
    """What came of it.

    Attributes:
        path: of the new data set.
        healthy, copies: how many pictures of each there are.
        kinds: what copies went through.
        what: pictures or texts.
        left_out: what could not be read.
        advice: what to do with it.
    """

    path: Path
    healthy: int
    copies: int
    kinds: tuple[str, ...]
    what: str
    left_out: tuple[str, ...] = ()
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {**vars(self), "path": str(self.path), "healthy_share": self.share}

    @property
    def share(self) -> float:
        """How much of it all is healthy."""
        return self.healthy / max(1, self.healthy + self.copies)

    def lines(self) -> list[str]:
        """Say it in words."""
        first = f"the first {self.left_out[0]}; `gannet doctor` says why" if self.left_out else ""
        lost = f" {len(self.left_out)} could not be read, {first}." if first else ""
        return [
            f"Wrote {self.healthy:,} healthy {self.what} and {self.copies:,} copies to {self.path}: "
            f"{self.share:.0%} healthy.{lost}",
            f"Copies are by {', '.join(self.kinds)}.",
            *([self.advice] if self.advice else []),
        ]
