"""What is asked of an augmented data set, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEAST_HEALTHY, TEXT = 0.2, "text"
"""The share of healthy samples must stay above it, or what is learned shows the augmentation."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold the text and, where one is named, the label; and a file of synonyms.

    Attributes:
        synonyms: a file with a word and its synonyms a line, separated by tabs.
    """

    text: str = TEXT
    label: str = ""
    synonyms: str = ""


@dataclass(frozen=True)
class Wish:
    """What is to be made of a data set.

    Attributes:
        times: how many times as large it becomes; its own samples stay, one in so many is healthy then.
        kinds: `auto`, `all`, or names with or without strengths: `rotation=15,noise`; a `+` joins those that are
            done to one copy. Copies take them in turn.
        seed: everything random follows from it.
        force: allow a healthy share of a fifth and less.
        columns: where the texts of a table are.
        model: a run whose fakes are added instead of copies.
        keep: the share of the fakes that stays when they have been sifted.
        sieve: a recognition model that sifts them; left out, the run's discriminator does.
    """

    times: int = 4
    kinds: str = "auto"
    seed: int = 0
    force: bool = False
    columns: Columns = Columns()
    model: str = ""
    keep: float = 0.7
    sieve: str = ""

    def check(self) -> None:
        """Raise ValueError when too little would stay healthy, or the seed is negative."""
        if self.seed < 0:
            raise ValueError(f"--seed is {self.seed}; give 0 or more.")
        if self.sieve and not self.model:
            raise ValueError("--sieve sifts the fakes of --with RUN; give both, or neither.")
        if self.times < 2:
            raise ValueError(f"--times is {self.times}; give 2 or more, which doubles the data or more.")
        if 1 / self.times <= LEAST_HEALTHY and not self.force:
            raise ValueError(
                f"With --times {self.times} only {1 / self.times:.0%} of the data would be healthy, and at "
                f"{LEAST_HEALTHY:.0%} or less the augmentation shows in what is learned; give at most "
                f"{int(1 / LEAST_HEALTHY) - 1}, or --force."
            )


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
        """Plain data."""
        return {**vars(self), "path": str(self.path), "healthy_share": self.share}

    @property
    def share(self) -> float:
        """How much of it all is healthy."""
        return self.healthy / max(1, self.healthy + self.copies)

    def lines(self) -> list[str]:
        """In words."""
        first = f"the first {self.left_out[0]}; `gannet doctor` says why" if self.left_out else ""
        lost = f" {len(self.left_out)} could not be read, {first}." if first else ""
        return [
            f"Wrote {self.healthy:,} healthy {self.what} and {self.copies:,} copies to {self.path}: "
            f"{self.share:.0%} healthy.{lost}",
            f"Copies are by {', '.join(self.kinds)}.",
            *([self.advice] if self.advice else []),
        ]
