"""Names of results: each after the file that it is made of, with an ending that its format has."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from gannet.commands.applied import Wanted
from gannet.commands.inputs import Item
from gannet.media.medium import Medium
from gannet.pipelines.pipeline import ConverterPipeline
from gannet.runtime.names import shortened, whole_stem

KEEP = "keep"
"""The format that is the input's own."""


class Names:
    """What results of a pipeline are called.

    Args:
        pipeline: what tells of the model, without its weights.
        items: all that results are made of.
    """

    def __init__(self, pipeline: ConverterPipeline, wanted: Wanted, items: Sequence[Item]) -> None:
        self.pipeline, self.save, self.format = pipeline, wanted.save, wanted.files.format
        self._endings: dict[Path, str] = {}
        self._of_one_stem = Counter(_stem(one) for one in items)

    @property
    def medium(self) -> Medium:
        """What the first input is."""
        return next(iter(self.pipeline.inputs.values())).medium

    @property
    def made(self) -> Medium:
        """What the first output is."""
        return next(iter(self.pipeline.outputs.values()))

    def usual(self, items: Sequence[Item], single: bool) -> Path:
        """Name the results after the input, or after what was done to several."""
        task, first = self.pipeline.task, items[0]
        if not single:
            return Path(f"{task}-{self.medium.plural.replace(' ', '-')}")
        return Path(shortened(first.stem, f"-{task}{self.ending(first)}"))

    def result(self, item: Item) -> PurePosixPath:
        """Give the path of a result in a folder of results: the input's, with an ending of its own where it must.

        That stands behind the input's, but where a format was asked for and no other input of the folder has the stem.
        """
        ending, own = self.ending(item), item.ending
        alone = self.format is not None and self._of_one_stem[_stem(item)] == 1
        stem = item.path.name if self.medium is self.made and ending != own and not alone else item.stem
        return PurePosixPath(*map(shortened, item.path.parent.parts), shortened(stem, ending))

    def places(self, result: Path) -> dict[str, Path]:
        """Give where outputs go, by name; the first has none."""
        endings = {name: self.pipeline.outputs[name].saved[0] for name in self.save}
        beside = {
            name: result.with_name(shortened(whole_stem(result), f".{name}{ending}"))
            for name, ending in endings.items()
        }
        return {"": result, **beside}

    def refuse_twins(self, items: Sequence[Item]) -> dict[Path, str]:
        """Raise ValueError where two of them would become one file.

        What cannot be read becomes none, so that it stands in the way of no other.

        Returns:
            which of them cannot be read, by their names, and why.
        """
        named: dict[str, list[Item]] = {}
        for one in items:
            for place in self.places(Path(self.result(one))).values():
                named.setdefault(place.as_posix(), []).append(one)
        unread: dict[Path, str] = {}
        for name, twins in named.items():
            problems = {one.name: one.problem() for one in twins} if len(twins) > 1 else {}
            unread |= {one: problem for one, problem in problems.items() if problem}
            made = [one for one, problem in problems.items() if not problem]
            if len(made) > 1:
                told = f"{made[0]} and {made[1]} would both become {name}"
                raise ValueError(f"{told}; give them one after the other, or rename one.")
        return unread

    def ending(self, item: Item) -> str:
        """Choose the ending of a result, once: it depends on what is in the file, where that may be opened."""
        if item.file not in self._endings:
            self._endings[item.file] = self._chosen(item)
        return self._endings[item.file]

    def _chosen(self, item: Item) -> str:
        if self.format not in (None, KEEP):
            return f".{self.format}"
        if item.refused or item.file.is_dir():
            return self.pipeline.ending(item.ending)
        if self.format == KEEP:
            return self.medium.own_ending(item.file)
        return self.pipeline.ending(self.medium.ending(item.file))


def _stem(item: Item) -> tuple[PurePosixPath, str]:
    """What results of one name share; some disks take capitals for the same."""
    return item.path.parent, item.stem.casefold()
