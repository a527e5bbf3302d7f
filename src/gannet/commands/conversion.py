"""Files through a model, one by one."""

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from gannet.commands.applied import Wanted
from gannet.commands.inputs import Item, files_of
from gannet.commands.naming import Names
from gannet.media.grids import panels
from gannet.pipelines.pipeline import ConverterPipeline
from gannet.pipelines.samples import Made
from gannet.runtime.devices import choose_device
from gannet.runtime.progress import Progress
from gannet.schema import Section

SHOWN = 8
"""Pairs on a sheet of comparison, at most."""


class Conversion:
    """Files through a model, one by one, and what is to be told of them.

    Args:
        pipeline: what tells of the model, without its weights.
        loaded: gives the model; called once, when all that may be wrong without it is known to be right.
    """

    def __init__(
        self,
        pipeline: ConverterPipeline,
        loaded: Callable[[], ConverterPipeline],
        options: Section,
        wanted: Wanted,
        items: list[Item],
    ) -> None:
        self.pipeline, self.loaded, self.options, self.wanted, self.items = pipeline, loaded, options, wanted, items
        self.names = Names(pipeline, wanted.save)
        self.changed = False
        self.done, self.left_out = 0, dict[PurePosixPath, str]()
        self.notices, self.unused = list[str](), list[str]()
        self.pairs: dict[PurePosixPath, tuple[Image.Image, Image.Image]] = {}

    @cached_property
    def ready(self) -> ConverterPipeline:
        """The model with its weights, as the options ask for it."""
        return self.loaded().tuned(self.options).to(choose_device("auto"))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the metadata of results say."""
        return self.ready.facts(self.options)

    def make(self, item: Item, ending: str) -> dict[str, bytes]:
        """Make files of an item, by the name of the output; the first, of that ending, has none."""
        start, values = time.monotonic(), item.read()
        self.pipeline.check_result(values, ending)
        self.note_unused(item)
        made = self.ready.make(values, self.options)
        self._note(self.notices, item.name, *made.notices())
        contents = self._encoded(made, item, ending)
        self.done += 1
        before = next(iter(values.values()))
        self.changed = self.changed or made.value is not before
        if self.wanted.compare and len(self.pairs) < SHOWN:
            seen = self.names.medium.picture(before), self.names.made.picture(made.value)
            self.pairs[self.names.result(item)] = panels(*seen)
        self.tell(f"{item.name} ({self._became(before, made.value)}{time.monotonic() - start:.1f} s)")
        return contents

    def shown(self) -> list[tuple[Image.Image, Image.Image]]:
        """Give the first inputs before and after; what an earlier call made is made once more."""
        for one in self.items[:SHOWN]:
            result = self.names.result(one)
            if result not in self.pairs and result not in self.left_out:
                self.make(one, result.suffix)
        return list(self.pairs.values())[:SHOWN]

    def leave_out(self, item: Item, error: ValueError) -> None:
        """Note why nothing is made of an item."""
        words = str(error)
        named = str(item.path) in words or str(item.name) in words
        self.left_out[self.names.result(item)] = words = words if named else f"{item.name}: {words}"
        self.done += 1
        self.tell(f"Left out: {words}")

    def note_unused(self, item: Item) -> None:
        """Note what the files of an item hold beside what is used of them."""
        for name, files in files_of([item]).items():
            further = name in item.beside
            medium = self.pipeline.inputs[name].medium if further else self.names.medium
            for file in files if further or item.page is None else ():
                self._note(self.unused, file, medium.unused(file))

    def note_name(self, item: Item, result: Path) -> None:
        """Note where a name could not be kept."""
        if not all(place.stem.startswith(item.path.stem) for place in self.names.places(result).values()):
            renamed = f"its name cannot be kept as it is, so what was made of it is called {result.name}"
            self._note(self.notices, item.name, renamed)

    def tell(self, words: str) -> None:
        """Tell whoever watches how far it is."""
        self.wanted.watch.show(Progress(self.done, len(self.items)), words)

    def _encoded(self, made: Made, item: Item, ending: str) -> dict[str, bytes]:
        """The outputs that are wanted, as files."""
        more = {"source": item.name.name}
        further = {name: made.encode(made.media[name].saved[0], name, more) for name in self.wanted.save}
        return {"": made.encode(ending, more=more), **further}

    def _became(self, before: object, after: object) -> str:
        """What a value became, in words: its size and the other's, where it has one."""
        sizes = [self.names.medium.size(before), self.names.made.size(after)]
        words = " to ".join("x".join(map(str, size)) for size in sizes if size)
        became = "as it was" if after is before else words
        return f"{became}, " if became else ""

    def _note(self, notes: list[str], file: Path, *found: str) -> None:
        """Note something of a file, once: it is seen in passing, and stays in what is told in the end."""
        for told in (f"{file}: {words}." for words in found if words):
            if told not in notes:
                notes.append(told)
                self.tell(told)
