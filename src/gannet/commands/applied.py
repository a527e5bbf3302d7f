"""What is wanted of applying a model, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gannet.commands.options import ResultOptions
from gannet.pipelines.packing import FORMATS
from gannet.runtime.names import format_ending
from gannet.runtime.progress import Watch

if TYPE_CHECKING:
    from gannet.pipelines.samples import Details

LISTED = 10
"""Of what was left out, in words, and of results of which something is told."""


def in_words(shares: Mapping[str, float]) -> list[str]:
    """Say shares of one in words."""
    return [f"{share:.2%} {name}".replace("%", " %") for name, share in shares.items()]


@dataclass(frozen=True)
class Applied:
    """What came of applying a model.

    Attributes:
        out: where the results are.
        facts: what their metadata say.
        count: how many results there are; of what was made from nothing how many samples.
        left_out: why, of each input that nothing was made of; then what was not used of the others.
        notices: what of a file was not kept, by its name.
        further: the names of the outputs that each result has beside the first.
        beside: the files outside `out`: those outputs of a single result, and the picture of inputs before and after.
        failed: of how many inputs nothing was made.
        skipped: how many of the results were there before.
        manifest: what says so of each file; None where results are in no folder.
        shares: what is told of results in shares of one, by the file and by name.
        warnings: why less may be expected of some results, by the file.
        details: what else there is to say of results, by the file.
    """

    out: Path
    facts: Mapping[str, Any]
    count: int
    left_out: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    beside: tuple[Path, ...] = ()
    failed: int = 0
    skipped: int = 0
    manifest: Path | None = None
    shares: Mapping[Path, Mapping[str, float]] = field(default_factory=dict)
    warnings: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    details: "Mapping[Path, Details]" = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many results were made, and not there before."""
        return self.count - self.skipped

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        shares = {str(file): dict(told) for file, told in self.shares.items()}
        warnings = {str(file): list(words) for file, words in self.warnings.items()}
        beside = [str(path) for path in self.beside]
        results = {str(file): dict(one.data) for file, one in self.details.items()}
        some = {
            "notices": list(self.notices),
            "beside": beside,
            "shares": shares,
            "warnings": warnings,
            "details": results,
        }
        also = {name: told for name, told in some.items() if told}
        counts: dict[str, Any] = {"count": self.count}
        if self.manifest:
            told = {"done": self.done, "failed": self.failed, "skipped": self.skipped}
            counts |= {**told, "manifest": str(self.manifest)}
        return {"out": str(self.out), **self.facts, **counts, "left_out": list(self.left_out), **also}

    def lines(self) -> list[str]:
        """Say it in words."""
        saved = str(self.out)
        if saved_each := format_ending(self.out) in FORMATS:
            saved = f"{self.done:,} result{'s' * (self.done != 1)} in {saved}"
        if saved_each and self.further:
            saved += f", each with its {' and '.join(f'{name} (*.{name}.*)' for name in self.further)} beside it"
        left = [f"Left out: {words}" for words in self.left_out]
        words = [f"Saved {saved}.", *(f"Saved {path}." for path in self.beside)]
        if self.manifest is None:
            told = [f"{file}: {', '.join(in_words(shares))}." for file, shares in self.shares.items()]
            said = [line for one in self.details.values() for line in one.lines]
            return [*words, *told[:LISTED], *said, *left, *self.notices, *self._warned()]
        if (more := len(left) - LISTED) > 0:
            left[LISTED:] = [f"Left out: {more:,} more, which {self.manifest} names."]
        return [*words, *left, *self.notices, *self._warned(), self._counts()]

    def _warned(self) -> list[str]:
        """Say why less may be expected of the first such result, and how many others there are."""
        warned = [f"{file}: {'; '.join(words)}." for file, words in self.warnings.items()]
        more = len(warned) - 1
        counted = "is one more such warning" if more == 1 else f"are {more:,} more such warnings"
        others = f" There {counted}; --json names them all."
        return [f"{one}{others if more else ''}" for one in warned[:1]]

    def _counts(self) -> str:
        named = f" (named in {self.manifest})" if self.failed else ""
        before = " (done before)" if self.skipped else ""
        return f"{self.done:,} done, {self.failed:,} failed{named}, {self.skipped:,} skipped{before}."


@dataclass(frozen=True)
class Wanted:
    """Where results go.

    Attributes:
        out: a file, a folder, or a .zip or .parquet; empty: a name made of the input's.
        save: further outputs, by name, that are written beside the first.
        files: how files of photographs are written.
        compare: a picture's name for some inputs before and after; empty: none.
        watch: is told how far it is, and asked whether to leave.
    """

    out: str = ""
    save: tuple[str, ...] = ()
    compare: str = ""
    files: ResultOptions = field(default_factory=ResultOptions)
    watch: Watch = field(default_factory=Watch)
