"""How far a photograph is from those that a model learned from, and what to say of one that is far.

The statistics of those of one source are taken for normally distributed. A photograph is far where its distance from
them (Mahalanobis, 1936) is larger than nearly all of theirs, or where it is so much likelier among varied photographs
than among them as hardly one of theirs (Ren et al., 2021, "A Simple Fix to Mahalanobis Distance for Improving Near-OOD
Detection"). Of several sources it is far from every one.
"""

from functools import cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from gannet.data.records import Record, Source
from gannet.data.sources.several import parts_of
from gannet.data.survey import sample
from gannet.media.pyramid import hidden
from gannet.pipelines.hub import LEARNED_FROM, read_sealed, seal
from gannet.runtime.broken import unless_broken
from gannet.runtime.files import write_json
from gannet.runtime.plain_data import read_json
from gannet.schema import Section, check
from gannet.tasks._image_restoration.evaluation import whole_photograph
from gannet.tasks._image_restoration.statistics import COLOURS, TONES, Floats, statistics

VARIED = Path(__file__).with_name("varied_photographs.json")
"""The statistics of varied photographs, as `shipping/familiarity.py` takes them."""
MOST, FEWEST = 600, 100
"""How many photographs are looked at, at most, and how few tell too little."""
FOLDS, SHRINKAGE = 5, 0.2
"""Parts that take turns in not being fitted, and how much of what statistics have in common is not believed."""
NEAR, ALIKE = 0.995, 0.985
"""The shares of photographs learned from that are no farther, and no likelier among others, than those that are far."""
STRIKING = 2.5
"""Standard deviations from the mean beyond which a statistic is named."""
DIGITS = 6
"""Significant digits that are kept."""


class Normal(Section):
    """A normal distribution of statistics.

    Attributes:
        mean: of each.
        covariance: of each with each.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        """Take one whose covariance is one, of the statistics that there are."""
        covariance, count = np.array(self.covariance), len(self.mean)
        if count not in (len(TONES), len(TONES) + len(COLOURS)) or covariance.shape != (count, count):
            raise ValueError("its statistics are not those of this Gannet; update it, or take the file away")
        if not np.isfinite([*self.mean, *covariance.flat]).all() or np.linalg.eigvalsh(covariance)[0] <= 0:
            raise ValueError("its covariance is none; take the file away")
        return self

    @classmethod
    def of(cls, found: Floats) -> Self:
        """Fit it to statistics (n, d)."""
        covariance = np.cov(found, rowvar=False)
        own = np.diag(np.diag(covariance) + 1e-6)
        shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * own
        return cls(mean=_rounded(found.mean(0)), covariance=tuple(map(_rounded, shrunk)))

    def first(self, count: int) -> "Normal":
        """Give the distribution of the first statistics alone."""
        return Normal(mean=self.mean[:count], covariance=tuple(row[:count] for row in self.covariance[:count]))

    def distances(self, found: Floats) -> Floats:
        """Give the squared distances of statistics (n, d) from the mean, in standard deviations."""
        apart = found - self.mean
        squares: Floats = (apart * np.linalg.solve(self.covariance, apart.T).T).sum(1)
        return squares

    def rarities(self, found: Floats) -> Floats:
        """Give twice the negative logarithms of the densities of statistics (n, d), but for a constant."""
        spread = float(np.linalg.slogdet(np.array(self.covariance))[1])
        return self.distances(found) + spread

    def deviations(self, found: Floats) -> Floats:
        """Give how many standard deviations each of some statistics (d,) is above the mean."""
        above: Floats = (found - self.mean) / np.sqrt(np.diag(self.covariance))
        return above


class Kind(Section):
    """What the photographs of one source are like.

    Attributes:
        distribution: of their statistics.
        distance, ratio: beyond which a photograph is far: the squared distance, and how much rarer it is among them
            than among varied photographs.
    """

    distribution: Normal
    distance: float
    ratio: float

    @classmethod
    def of(cls, found: Floats) -> Self:
        """Tell by their statistics (n, d); each is judged by the others."""
        parts = np.arange(len(found)) % FOLDS
        judged = [(Normal.of(found[parts != part]), found[parts == part]) for part in range(FOLDS)]
        ends = [
            np.quantile(np.concatenate([take(normal, rest) for normal, rest in judged]), share)
            for take, share in ((Normal.distances, NEAR), (ratios, ALIKE))
        ]
        distance, ratio = _rounded(np.array(ends))
        return cls(distribution=Normal.of(found), distance=distance, ratio=ratio)

    def is_far(self, found: Floats) -> bool:
        """Tell whether a photograph with these statistics (d,) is far from them."""
        return self.apart(found) > self.distance or float(ratios(self.distribution, found[None])[0]) > self.ratio

    def apart(self, found: Floats) -> float:
        """Give the squared distance of a photograph with these statistics (d,)."""
        return float(self.distribution.distances(found[None])[0])


class Familiarity(Section):
    """What photographs a model learned from.

    Attributes:
        data: what they are called.
        kinds: what those of each source are like.
    """

    data: str
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]

    @property
    def count(self) -> int:
        """How many statistics count."""
        return len(self.kinds[0].distribution.mean)

    def is_far(self, found: Floats) -> bool:
        """Tell whether a photograph with these statistics (d,) is far from those of every source."""
        return all(kind.is_far(found[: self.count]) for kind in self.kinds)

    def most_striking(self, found: Floats) -> str:
        """Say what is most unusual of a photograph with these statistics (d,) among those that are nearest to it;
        nothing where that is not much.
        """
        nearest = min(self.kinds, key=lambda kind: kind.apart(found[: self.count]))
        above = nearest.distribution.deviations(found[: self.count])
        most = int(np.abs(above).argmax())
        less, more = list({**TONES, **COLOURS}.values())[most]
        return "" if abs(above[most]) < STRIKING else more if above[most] > 0 else less

    def write(self, folder: Path) -> None:
        """Write it beside a model."""
        write_json(folder / LEARNED_FROM, seal(self.model_dump(mode="json")))


def ratios(normal: Normal, found: Floats) -> Floats:
    """Give how much rarer statistics (n, d) are in a distribution than among varied photographs."""
    return normal.rarities(found) - varied_photographs(found.shape[1]).rarities(found)


@cache
def varied_photographs(count: int) -> Normal:
    """Give the distribution of so many statistics of varied photographs."""
    return check(Normal, read_json(VARIED)).first(count)


def read_familiarity(folder: Path) -> Familiarity | None:
    """Read what lies beside a model; None where nothing does. ValueError, one sentence, where it is damaged."""
    path = folder / LEARNED_FROM
    if not path.is_file():
        return None
    return check(Familiarity, read_sealed(path), str(path), f"{path}")


def familiarity(source: Source, data: str, coloured: bool) -> Familiarity | None:
    """Look at some of the photographs of a source, or of each of several; None where they are too few or too small.

    Args:
        data: what they are called.
        coloured: whether their colours count.
    """
    parts, count = parts_of(source), len(TONES) + (len(COLOURS) if coloured else 0)
    found = [statistics_of(part, max(2 * FEWEST, MOST // len(parts)))[:, :count] for part in parts]
    if min(map(len, found)) < FEWEST:
        return None
    return Familiarity(data=data, kinds=tuple(map(Kind.of, found)))


def statistics_of(source: Source, most: int) -> Floats:
    """Take the statistics of up to so many photographs of a source, (n, d); none of those that are to test with."""
    records = (record for record in sample(source, most) if record.split != "test")
    return np.array(list(chain.from_iterable(map(_statistics, records)))).reshape(-1, len(TONES) + len(COLOURS))


def _statistics(record: Record) -> list[Floats]:
    """The statistics of a photograph, if it can be read."""
    with unless_broken():  # The cache has named it.
        photograph = whole_photograph(record)
        found = statistics(photograph, hidden(photograph))
        return [] if found is None else [found]
    return []


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)
