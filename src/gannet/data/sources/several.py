"""Several sources as one, each drawn from as often as its weight says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath

from gannet.data.records import Counted, LeftOut, Record, Source, digest, left_out_of, listed
from gannet.data.survey import sample


@dataclass(frozen=True)
class Several:
    """Sources drawn from in turn.

    Attributes:
        parts: the sources.
        weights: how often each is drawn from, relative to the others.
        places: where they lie, as they were given; they tell apart those of one name, as all that are called train.
    """

    parts: tuple[Source, ...]
    weights: tuple[float, ...]
    places: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        names = [part.name for part in self.parts]
        if self.places and len(set(names)) < len(names):
            names = ["/".join(PurePath(place).parts[-2:]) for place in self.places]
        return " + ".join(names)

    @property
    def classes(self) -> tuple[str, ...]:
        """Those of all; none where they differ."""
        first, *others = (tuple(part.classes) for part in self.parts)
        return first if all(other == first for other in others) else ()

    def check_classes(self) -> None:
        """Raise ValueError where sources differ in their classes."""
        first = self.parts[0]
        for other in self.parts[1:]:
            if tuple(other.classes) != tuple(first.classes):
                theirs, ours = (", ".join(one.classes[:5]) or "none" for one in (other, first))
                raise ValueError(
                    f"The classes of {other.name} ({theirs}) are not those of {first.name} ({ours}); give sources of "
                    "the same classes."
                )

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["several", *(part.fingerprint() for part in self.parts), *map(str, self.weights)])

    def count(self) -> int:
        """Give the number of samples."""
        return sum(part.count() if isinstance(part, Counted) else sum(1 for _ in listed(part)) for part in self.parts)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return chain.from_iterable(part.records() for part in self.parts)

    def listed(self) -> Iterator[Record]:
        """Give the same records, whose parts cannot be read."""
        return chain.from_iterable(listed(part) for part in self.parts)

    def left_out(self) -> Iterator[LeftOut]:
        """Name what is never read."""
        return chain.from_iterable(map(left_out_of, self.parts))

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        each = -(-most // len(self.parts))
        return chain.from_iterable(sample(part, each) for part in self.parts)


def parts_of(source: Source) -> tuple[Source, ...]:
    """Give the sources that one is made of; one that is single is its own only part."""
    return source.parts if isinstance(source, Several) else (source,)
