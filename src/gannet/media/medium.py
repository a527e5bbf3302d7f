"""What a medium is: a kind of value that people keep in files, and all that Gannet has to know of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from typing_extensions import TypeVar

from gannet.media.pages import named_page
from gannet.provenance.metadata import Facts
from gannet.runtime.names import whole_suffix
from gannet.runtime.reading import read_file
from gannet.schema import Section

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]
MADE = "it says that a model had a hand in it"
"""What is said of data that are a model's own."""
Value = TypeVar("Value", default=Any)
"""What a medium's file holds once it is read; of several media together it may be anything."""


@dataclass(frozen=True)
class Field:
    """What one named part of every sample is brought to.

    Attributes:
        medium: the kind of value.
        shape: of one value in the cache; a first side of None: as long as the value is.
        dtype: of the cache, as NumPy names it.
        how: what else `fit` goes by, such as `crop`; it is part of the cache's name.
        levels: whole numbers in the cache lie below it.
        window: sides of the part that is given at a time, along the first axes; empty: all of a value.
    """

    medium: "Medium"
    shape: tuple[int | None, ...]
    dtype: str = "uint8"
    how: str = ""
    levels: int = 256
    window: tuple[int, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What the cache's name depends on; of bytes the type has never been a part of it."""
        kind = () if self.dtype == "uint8" else (self.dtype,)
        return (*map(str, self.shape), self.how, *kind, *self.medium.words)

    @property
    def told(self) -> tuple[str, ...]:
        """Say to what values are brought in which their files differ, a sentence each; mostly there is nothing."""
        return ()

    @property
    def advised(self) -> Mapping[str, float]:
        """Give what to set so that little of most values is lost, by key; mostly there is nothing."""
        return {}

    @property
    def ragged(self) -> bool:
        """Whether values are of differing length."""
        return None in self.shape

    @property
    def given(self) -> tuple[int, ...]:
        """The shape of what is given at a time, before it becomes a tensor."""
        whole = (*self.window, *self.shape[len(self.window) :])
        assert None not in whole, "values of any length are given by a window"
        return tuple(int(side) for side in whole if side is not None)

    @property
    def row_bytes(self) -> int:
        """Bytes of one value in the cache; of values of any length, of one step."""
        return int(np.prod([side or 1 for side in self.shape])) * np.dtype(self.dtype).itemsize

    def noise(self, count: int, random: np.random.Generator) -> Array:
        """Draw meaningless values (count, *given) of the right shape and type."""
        if np.dtype(self.dtype).kind in "ui":
            return random.integers(0, self.levels, (count, *self.given)).astype(self.dtype)
        return random.standard_normal((count, *self.given)).astype(self.dtype)


@dataclass(frozen=True)
class Shown:
    """Values to be shown together, and where they came from.

    Attributes:
        medium: what they are.
        values: (n, ...), as networks give them.
        facts: the model and what else the metadata of files say.
    """

    medium: "Medium"
    values: Tensor
    facts: Facts


@dataclass(frozen=True)
class Findings:
    """What a medium finds in the values of a data set.

    Attributes:
        lines: sentences for the doctor's report.
        pictures: uint8 (n, c, h, w), by which near copies are found; None where nothing shows them.
        shares: what share of the pixels each class has, by its number, where pixels are numbers of classes; whoever
            knows their names says so.
    """

    lines: tuple[str, ...] = ()
    pictures: Pixels | None = None
    shares: Mapping[int, float] = field(default_factory=dict)


class Medium(ABC, Generic[Value]):
    """A kind of value that people keep in files; one object a medium, called `medium` in its module.

    Attributes:
        name: as in `image` or `label-map`.
        noun, plural: how messages call one of them, and many.
        endings: of its files, lower case, with the dot.
        foreign: endings of kinds of it that cannot be read, each with what to do.
        pieces: endings of files several of which are one value, which a source puts together.
        feature: what the Hugging Face Hub calls a column of such files; empty where it has no word for them.
        Options: the keys of `data` that it understands.
        in_data: whether data consist of it; what pipelines alone are given or make does not.
        dimensions: sides of a value that other parts of a sample share, the last of its shape in the cache.
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    plural: ClassVar[str]
    endings: ClassVar[frozenset[str]]
    foreign: ClassVar[Mapping[str, str]] = {}
    pieces: ClassVar[frozenset[str]] = frozenset()
    feature: ClassVar[str] = ""
    Options: ClassVar[type[Section]] = Section
    in_data: ClassVar[bool] = True
    dimensions: ClassVar[int] = 2

    @property
    def words(self) -> tuple[str, ...]:
        """What the cache's name tells the medium by; of pictures it has never been a part."""
        return (self.name,)

    @property
    def limits(self) -> tuple[str, ...]:
        """What else of a cache's name depends on how this process reads files; empty: what is usual."""
        return ()

    @property
    def saved(self) -> tuple[str, ...]:
        """The endings that `encode` writes, the usual one first."""
        return tuple(sorted(self.endings))

    def open(self, given: object) -> Value:
        """Read a path or a file's content; any other value is taken for one that was read before.

        Raises:
            ValueError: it is not there or cannot be read; one sentence.
        """
        if not isinstance(given, str | Path | bytes):
            return self.taken(given)
        name = f"The {self.noun}" if isinstance(given, bytes) else str(given)
        try:
            if not isinstance(given, bytes) and Path(given).is_dir():
                return self.read_folder(Path(given))
            if isinstance(given, bytes):
                return self.read(given)
            file, page = named_page(given)
            content = read_file(file, self.check_beginning)
            return self.read(content) if page is None else self.read_page(content, page)
        except FileNotFoundError:
            raise ValueError(f"There is no {self.noun} at {name}; give a file.") from None
        except Exception as error:  # A broken file makes decoders raise anything.
            foreign = "" if isinstance(given, bytes) else self.foreign.get(Path(given).suffix.lower(), "")
            reason = foreign or getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ValueError(f"{name} cannot be read: {reason}.") from None

    def taken(self, given: object) -> Value:
        """Take a value that is in memory, as files hold it; mostly as it is. ValueError where it is none."""
        return cast(Value, given)

    def ending(self, file: Path) -> str:
        """Give the ending that a file should have to hold what is in it; mostly its own."""
        return whole_suffix(file)

    def own_ending(self, file: Path) -> str:
        """Give the ending of the format that a file has by its content; mostly its own."""
        return self.ending(file)

    @abstractmethod
    def read(self, content: bytes) -> Value:
        """Open a file's content; any error where it is broken, ValueError with a reason where it is something else."""

    def read_page(self, content: bytes, page: int) -> Value:  # noqa: ARG002
        """Open one of the pages of a file's content, from 1 on; ValueError where it is not there."""
        raise ValueError(f"files of {self.plural} have no pages that could be asked for")

    def series(self, names: Sequence[str]) -> Mapping[str, Sequence[str]]:  # noqa: ARG002
        """Find files of a folder several of which are one value, by the folder they lie in; mostly there are none."""
        return {}

    def read_folder(self, folder: Path) -> Value:  # noqa: ARG002
        """Open a folder whose files are one value; ValueError where no folder is."""
        raise ValueError("it is a folder; give a file")

    def check_beginning(self, head: bytes) -> None:  # noqa: ARG002
        """Raise ValueError where no file of the medium begins so, and the rest need not be read or unpacked."""
        return

    @abstractmethod
    def describe(self, value: Value) -> tuple[str, str]:
        """Name a value's size and kind in a word each, such as `640x480` and `RGB`."""

    @abstractmethod
    def choose(self, values: Iterator[Value], options: Section) -> Field:
        """Choose what values are brought to by looking at some, where the options leave it open."""

    @abstractmethod
    def fit(self, value: Value, field: Field) -> Array:
        """Bring a value to the field's shape and type."""

    def fit_many(self, values: Array, field: Field) -> Array:
        """Bring equal values (n, ...) to (n, *shape)."""
        return np.stack([self.fit(value, field) for value in values])

    def size(self, value: Value) -> tuple[int, int] | None:  # noqa: ARG002
        """Give (width, height) as it is seen; None where that says nothing."""
        return None

    def ground(self, value: Value) -> object:
        """Give what other parts of a sample lie over: a picture's (width, height), a volume's grid; None: nothing."""
        return self.size(value)

    def lay_over(self, value: Value, ground: object) -> Value:  # noqa: ARG002
        """Bring a value to the ground of the first part of its sample, where it lies over that."""
        return value

    def count(self, values: Array) -> tuple[str, str]:
        """Name the size and kind of equal values (n, ...)."""
        return self.describe(values[0])

    def to_array(self, rows: Array) -> Array:
        """Turn rows of the cache (b, *given) into what networks take, by NumPy, as loaders do in threads."""
        return rows

    @abstractmethod
    def preview(self, values: Tensor) -> Image.Image:
        """Show some values (n, ...), as networks give them, in one picture."""

    def picture(self, value: Value | Tensor) -> Image.Image:
        """Show one value, as it was read or as networks give it."""
        return self.preview(torch.as_tensor(value)[None])

    def film(self, values: Tensor, facts: Facts) -> tuple[str, bytes] | None:  # noqa: ARG002
        """Give what is played rather than looked at, as an ending and a file that says by `facts` where it came from;
        None where a picture is enough."""
        return None

    def marks(self, value: Value | Tensor) -> Facts:  # noqa: ARG002
        """Give what a value's file said of a model that had a hand in it; empty where it said nothing."""
        return {}

    def unused(self, file: Path) -> str:  # noqa: ARG002
        """Say in a few words that a file holds more than is used of it; empty where it does not."""
        return ""

    def remarks(self, value: Value | Tensor) -> Sequence[str]:
        """Say what those who learn from a value are to know of its file, once it is decoded; a few words each."""
        return [MADE] if self.marks(value) else []

    def notices(self, value: Value | Tensor) -> Sequence[str]:  # noqa: ARG002
        """Say what of a value's file is not kept beside it, a few words each."""
        return ()

    @abstractmethod
    def encode(self, value: Value | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a value, as it was read or as networks give it, as a file that says by `facts` where it came
        from; ValueError names the endings that there are."""

    def move(self, values: Tensor, places: Tensor) -> Tensor:  # noqa: ARG002
        """Resample values (b, ...) as matrices of places (b, 3, 3) say; see `augmentation.geometry`."""
        raise ValueError(f"There is no augmentation of {self.plural}; leave it out.")

    def recolour(self, values: Tensor, colours: Tensor) -> Tensor:  # noqa: ARG002
        """Change colours by matrices (b, 4, 4) where values have any; see `augmentation.colours`."""
        return values

    def examine(self, values: Sequence[Array] | Array) -> Findings:  # noqa: ARG002
        """Look at the rows of a cache for the doctor."""
        return Findings()
