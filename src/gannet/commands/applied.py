"""What is wanted of applying a model, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gannet.pipelines.writer import FORMATS
from gannet.runtime.progress import Watch


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
    """

    out: Path
    facts: Mapping[str, Any]
    count: int
    left_out: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    beside: tuple[Path, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        some = {"notices": list(self.notices), "beside": [str(path) for path in self.beside]}
        also = {name: told for name, told in some.items() if told}
        return {"out": str(self.out), **self.facts, "count": self.count, "left_out": list(self.left_out), **also}

    def lines(self) -> list[str]:
        """Say it in words."""
        saved = str(self.out)
        if saved_each := self.out.suffix.lower() in FORMATS:
            saved = f"{self.count:,} result{'s' * (self.count != 1)} in {saved}"
        if saved_each and self.further:
            saved += f", each with its {' and '.join(f'{name} (*.{name}.*)' for name in self.further)} beside it"
        left = [f"Left out: {words}" for words in self.left_out]
        return [f"Saved {saved}.", *(f"Saved {path}." for path in self.beside), *left, *self.notices]


@dataclass(frozen=True)
class Wanted:
    """Where results go.

    Attributes:
        out: a file, a folder, or a .zip or .parquet; empty: a name made of the input's.
        save: further outputs, by name, that are written beside the first.
        compare: a picture's name for some inputs before and after; empty: none.
        watch: is told how far it is, and asked whether to leave.
    """

    out: str = ""
    save: tuple[str, ...] = ()
    compare: str = ""
    watch: Watch = field(default_factory=Watch)
