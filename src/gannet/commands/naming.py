"""Names of results: each after the file that it is made of, with an ending that its format has."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from gannet.commands.inputs import Item
from gannet.media.medium import Medium
from gannet.pipelines.pipeline import ConverterPipeline
from gannet.runtime.names import shortened


class Names:
    """What results of a pipeline are called.

    Args:
        pipeline: what tells of the model, without its weights.
        save: further outputs that are written beside the first, by name.
    """

    def __init__(self, pipeline: ConverterPipeline, save: Sequence[str] = ()) -> None:
        self.pipeline, self.save = pipeline, save
        self._endings: dict[Path, str] = {}

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
        return Path(shortened(first.path.stem, f"-{task}{self._ending(first)}"))

    def result(self, item: Item) -> PurePosixPath:
        """Give the path of a result in a folder of results: the input's, with an ending of its own where it must."""
        ending, own = self._ending(item), item.path.suffix
        stem = item.path.name if self.medium is self.made and ending != own else item.path.stem
        return PurePosixPath(*map(shortened, item.path.parent.parts), shortened(stem, ending))

    def places(self, result: Path) -> dict[str, Path]:
        """Give where outputs go, by name; the first has none."""
        endings = {name: self.pipeline.outputs[name].saved[0] for name in self.save}
        beside = {
            name: result.with_name(shortened(result.stem, f".{name}{ending}")) for name, ending in endings.items()
        }
        return {"": result, **beside}

    def refuse_twins(self, items: Sequence[Item]) -> None:
        """Raise ValueError where two of them would become one file."""
        first: dict[str, Item] = {}
        for one in items:
            for made in self.places(Path(self.result(one))).values():
                other = first.setdefault(made.as_posix(), one)
                if other is not one:
                    raise ValueError(
                        f"{other.name} and {one.name} would both become {made.as_posix()}; give them one after the "
                        "other, or rename one."
                    )

    def _ending(self, item: Item) -> str:
        """Choose the ending of a result, once: it depends on what is in the file, where that may be opened."""
        if item.file not in self._endings:
            own = item.path.suffix if item.refused else self.medium.ending(item.file)
            self._endings[item.file] = self.pipeline.ending(own)
        return self._endings[item.file]
