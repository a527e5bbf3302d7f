"""Files through a model, one by one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from gannet import __version__
from gannet.commands.applied import Wanted, in_words
from gannet.commands.inputs import Item, files_of
from gannet.commands.naming import Names
from gannet.media.grids import panels
from gannet.media.photograph import Photograph, check_size
from gannet.media.pixels import refuse_huge_sides
from gannet.media.resizing import height_at, of_width
from gannet.pipelines.pipeline import ConverterPipeline
from gannet.pipelines.samples import Details, Made
from gannet.runtime.devices import choose_device
from gannet.runtime.files import digest
from gannet.runtime.names import whole_suffix
from gannet.runtime.progress import Progress, Stopped
from gannet.runtime.signals import Interruption
from gannet.runtime.steps import Steps
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
        self.names = Names(pipeline, wanted, items)
        self.changed = False
        self.interruption, self.steps = Interruption(), Steps(self.look)
        self.begun, self.skipped = 0, 0
        self.left_out = dict[Path, str]()
        self.notices, self.unused = list[str](), list[str]()
        self.shares = dict[Path, Mapping[str, float]]()
        self.warnings = dict[Path, tuple[str, ...]]()
        self.details = dict[Path, Details]()
        self.pairs: dict[PurePosixPath, tuple[Image.Image, Image.Image]] = {}

    @cached_property
    def ready(self) -> ConverterPipeline:
        """The model with its weights, as the options ask for it."""
        return self.loaded().tuned(self.options).to(choose_device("auto"))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the metadata of results say."""
        return self.ready.facts(self.options)

    def asked(self) -> dict[str, Any]:
        """Tell what is asked from anything else, whichever files are given: the model, its weights, all options."""
        files = self.wanted.files.model_dump(exclude_none=True)
        options = {"options": self.options.model_dump(mode="json"), "save": list(self.wanted.save), **files}
        return {**self.facts, **options, "digest": digest(self.ready.tensors(), {}), "gannet": __version__}

    def make(self, item: Item, ending: str) -> dict[str, bytes]:
        """Make files of an item, by the name of the output; the first, of that ending, has none."""
        start, values = time.monotonic(), item.read()
        before = next(iter(values.values()))
        self._check_result(values, ending)
        self.note_unused(item)
        self.ready.steps = self.steps
        try:
            made = self.ready.make(values, self.options)
        finally:
            self.ready.steps = Steps()  # Others may use the model after this.
        changed = made.value is not before
        self.changed, made = self.changed or changed, self._finished(made)
        self._note(self.notices, item.name, *made.notices())
        contents = self._encoded(made, item, ending)
        if self.wanted.compare and item in self.items[:SHOWN]:
            seen = self.names.medium.picture(before), self.names.made.picture(made.value)
            self.pairs[self.names.result(item)] = panels(*seen)
        if made.shares:
            self.shares[item.name] = made.shares
        if made.warnings:
            self.warnings[item.name] = made.warnings
        if made.details.data:
            self.details[item.name] = made.details
        told = "".join(f"{words}, " for words in in_words(made.shares))
        self.tell(f"{item.name} ({self._became(before, made.value, changed)}{told}{time.monotonic() - start:.1f} s)")
        return contents

    def step(self, item: Item) -> None:
        """Tell which item comes next; Stopped where somebody asks to leave, also by a signal."""
        if self.interruption.asked:
            raise Stopped(f"Stopped after {self.begun:,} of {len(self.items):,}.")
        self.wanted.watch.step(self.begun, len(self.items), f"Applying the model to {item.name}")
        self.begun += 1

    def look(self) -> None:
        """Raise Stopped where whoever watches wants to stop within an item."""
        if self.wanted.watch.stopping:
            raise Stopped(f"Stopped within {self.begun:,} of {len(self.items):,}.")

    def shown(self) -> list[tuple[Image.Image, Image.Image]]:
        """Give the first inputs before and after; what an earlier call made is made once more."""
        for one in self.items[:SHOWN]:
            result = self.names.result(one)
            if result not in self.pairs and one.name not in self.left_out:
                self.make(one, whole_suffix(result))
        return list(self.pairs.values())[:SHOWN]

    def leave_out(self, item: Item, error: ValueError) -> str:
        """Note why nothing is made of an item, and give it in words."""
        self.left_out[item.name] = words = item.about(error)
        self.tell(f"Left out: {words}")
        return words

    def refuse_nothing(self) -> None:
        """Raise ValueError where nothing could be made of any item."""
        if len(self.left_out) == len(self.items):
            first, others = next(iter(self.left_out.values())), len(self.items) - 1
            raise ValueError(f"{first} Nothing could be made of the other {others:,} either." if others else first)

    def note_unused(self, item: Item) -> None:
        """Note what the files of an item hold beside what is used of them."""
        for name, files in files_of([item]).items():
            further = name in item.beside
            medium = self.pipeline.inputs[name].medium if further else self.names.medium
            for file in files if further or item.page is None else ():
                self._note(self.unused, file, medium.unused(file))

    def note_name(self, item: Item, result: Path) -> None:
        """Note where a name could not be kept."""
        if not all(place.stem.startswith(item.stem) for place in self.names.places(result).values()):
            renamed = f"its name cannot be kept as it is, so what was made of it is called {result.name}"
            self._note(self.notices, item.name, renamed)

    def tell(self, words: str) -> None:
        """Tell whoever watches how far it is."""
        self.wanted.watch.show(Progress(self.begun, len(self.items)), words)

    def _check_result(self, values: Mapping[str, object], ending: str) -> None:
        """Raise ValueError where a file of that ending cannot hold the result, before it is computed."""
        width, size = self.wanted.files.width, self.names.medium.size(next(iter(values.values())))
        if width and size:
            check_size(ending, height_at(width, size), width)
            refuse_huge_sides(width, height_at(width, size))
        else:
            self.pipeline.check_result(values, ending)

    def _finished(self, made: Made) -> Made:
        """What was made, as the files of photographs are asked for."""
        width, quality = self.wanted.files.width, self.wanted.files.quality
        values = dict(made.values)
        for name, value in values.items():
            if isinstance(value, Photograph) and (width or quality):
                values[name] = replace(of_width(value, width) if width else value, quality=quality)
        return replace(made, values=values)

    def _encoded(self, made: Made, item: Item, ending: str) -> dict[str, bytes]:
        """The outputs that are wanted, as files."""
        more = {"source": item.name.name}
        further = {name: made.encode(made.media[name].saved[0], name, more) for name in self.wanted.save}
        return {"": made.encode(ending, more=more), **further}

    def _became(self, before: object, after: object, changed: bool) -> str:
        """What a value became, in words: its size and the other's, where it has one."""
        sizes = [self.names.medium.size(before), self.names.made.size(after)]
        words = " to ".join("x".join(map(str, size)) for size in sizes if size)
        became = words if changed or sizes[0] != sizes[1] else "as it was"
        return f"{became}, " if became else ""

    def _note(self, notes: list[str], file: Path, *found: str) -> None:
        """Note something of a file, once: it is seen in passing, and stays in what is told in the end."""
        for told in (f"{file}: {words}." for words in found if words):
            if told not in notes:
                notes.append(told)
                self.tell(told)
