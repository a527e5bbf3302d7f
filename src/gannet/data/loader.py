"""The loader: round n's batch is a pure function of the seed and of n, so a run resumes without remembering."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gannet.data.columns import Array, Column, Rows
from gannet.runtime.randomness import address

Batch = dict[str, Tensor]


class Samples(ABC):
    """An endless stream of samples by position, and the samples themselves by number below `len`.

    Attributes:
        pins: whether what is gathered ahead is put into pinned memory, from which a GPU copies by itself.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pins = False
        self._ahead: dict[tuple[int, int, int], Future[Batch]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="gannet-loader")

    @abstractmethod
    def __len__(self) -> int:
        """Count the samples."""

    @abstractmethod
    def at(self, positions: Rows) -> Batch:
        """Gather the samples at positions of the stream, on the CPU."""

    @abstractmethod
    def numbered(self, numbers: Rows) -> Batch:
        """Gather samples by number, always the same."""

    @abstractmethod
    def values(self, name: str) -> Array | None:
        """Give a small part of every sample, such as its label; None where they have none of that name."""

    def batch(self, start: int, count: int, step: int) -> Batch:
        """Gather the `count` samples at positions `start`, ...; the next batch lies `step` on, and is gathered while
        this one is used."""
        ready = self._ahead.pop((start, count, step), None)
        batch = ready.result() if ready else self.gather(start, count)
        self._ahead = {(start + step, count, step): self._worker.submit(self._ahead_of, start + step, count)}
        return batch

    def _ahead_of(self, start: int, count: int) -> Batch:
        batch = self.gather(start, count)
        return {name: tensor.pin_memory() for name, tensor in batch.items()} if self.pins else batch

    def gather(self, start: int, count: int) -> Batch:
        """Gather the `count` samples at positions `start`, ... of the stream, on the CPU."""
        return self.at(np.arange(start, start + count))

    def spread(self, count: int) -> Batch:
        """Give up to `count` samples spread evenly over the storage: a fixed set to look at, of every class."""
        return next(self.parts(max(1, count), count))

    def parts(self, size: int, most: int) -> Iterator[Batch]:
        """Give up to `most` samples spread evenly over the storage, `size` at a time, in the order of the storage."""
        for start in range(0, min(most, len(self)), size):
            yield self.pick(np.arange(start, min(start + size, most, len(self))), most)

    def pick(self, rows: np.ndarray, most: int) -> Batch:
        """Give samples by their rows among up to `most` that are spread evenly over the storage."""
        return self.numbered(np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.int64)[rows])


Sides: TypeAlias = tuple[Samples, Samples]
"""The training samples and the held-out ones."""


class Loader(Samples):
    """The samples of one source.

    A row counts as many samples as it takes windows to see all of it. Of the stream the window is drawn by seed and
    position, of numbered samples it is fixed; all columns of a sample share it.

    Args:
        columns: by name, of equal length.
        chosen: rows to use, (m,).
        seed: of the order; every pass over the samples has its own.
    """

    def __init__(self, columns: Mapping[str, Column | Array], chosen: np.ndarray, seed: int) -> None:
        super().__init__(seed)
        self.columns = {name: one if isinstance(one, Column) else Column(one) for name, one in columns.items()}
        self.chosen = np.asarray(chosen, dtype=np.int64)
        self._passes: dict[int, np.ndarray] = {}
        self._windowed = next((column for column in self.columns.values() if column.window), None)
        # Where each row's windows end; without windows a row is one sample.
        self._ends = None if self._windowed is None else np.cumsum(self._windowed.windows(self.chosen))

    def __len__(self) -> int:
        return len(self.chosen) if self._ends is None else int(self._ends[-1])

    def at(self, positions: Rows) -> Batch:
        """Gather the samples at positions of the stream, on the CPU."""
        numbers = self.order(positions)
        if self._windowed is None or self._ends is None:
            return self._read(self.chosen[numbers], np.empty((len(numbers), 0)))
        rows = self.chosen[np.searchsorted(self._ends, numbers, "right")]
        axes = len(self._windowed.window)
        places = [np.random.Generator(np.random.Philox(address(self.seed, "window", int(at)))) for at in positions]
        return self._read(rows, np.array([place.random(axes) for place in places]).reshape(len(rows), axes))

    def numbered(self, numbers: Rows) -> Batch:
        """Gather samples by number; the windows of a row lie evenly from its beginning to its end."""
        if self._windowed is None or self._ends is None:
            return self._read(self.chosen[numbers], np.empty((len(numbers), 0)))
        which = np.searchsorted(self._ends, numbers, "right")
        rows = self.chosen[which]
        first = np.where(which > 0, self._ends[which - 1], 0)
        sizes, window = self._windowed.sizes(rows), np.array(self._windowed.window)
        counts = np.maximum(-(-sizes // window), 1)
        return self._read(rows, _evenly_spaced(numbers - first, counts, np.maximum(sizes - window, 0)))

    def _read(self, rows: Rows, places: np.ndarray) -> Batch:
        """Read windows of rows; those of a memory map in file order, which spares the disk."""
        sort = np.argsort(rows)
        back = np.argsort(sort)
        batch = {
            name: column.tensor(column.read(rows[sort], places[sort])[back]) for name, column in self.columns.items()
        }
        lengths = {name: column.lengths(rows) for name, column in self.columns.items() if column.offsets is not None}
        return batch | {f"{name}_length": torch.from_numpy(found) for name, found in lengths.items()}

    def values(self, name: str) -> Array | None:
        """Give a small part of every sample; None where there is none of that name."""
        if name not in self.columns:
            return None
        assert self.columns[name].offsets is None, f"{name} is of differing length"
        found: Array = self.columns[name].values[self.chosen]
        return found if self._windowed is None else np.repeat(found, self._windowed.windows(self.chosen), 0)

    def order(self, positions: Rows) -> np.ndarray:
        """Give the numbers below `len(self)` at positions of the stream; each pass is its own permutation."""
        epochs, offsets = np.divmod(positions, len(self))
        found = np.empty(len(positions), np.int64)
        for epoch in np.unique(epochs).tolist():
            found[epochs == epoch] = self._pass(epoch)[offsets[epochs == epoch]]
        return found

    def _pass(self, epoch: int) -> np.ndarray:
        if epoch not in self._passes:
            generator = np.random.Generator(np.random.Philox(address(self.seed, "pass", epoch)))
            self._passes = {old: self._passes[old] for old in (epoch - 1, epoch + 1) if old in self._passes}
            self._passes[epoch] = generator.permutation(len(self))
        return self._passes[epoch]


def _evenly_spaced(numbers: Rows, counts: Rows, room: Rows) -> np.ndarray:
    """Give the places (b, axes) of windows by their number, so that together they show all of a row.

    Args:
        counts: (b, axes), of windows along each axis.
        room: (b, axes), where the last of them begins.
    """
    places = np.empty(counts.shape)
    for axis in reversed(range(counts.shape[1])):
        numbers, along = np.divmod(numbers, counts[:, axis])
        corner = along * room[:, axis] // np.maximum(counts[:, axis] - 1, 1)
        places[:, axis] = (corner + 0.5) / (room[:, axis] + 1)  # The middle of what leads to that corner.
    return places


class Mixture(Samples):
    """The samples of several sources, each as often as its weight says.

    A position addresses first the source, then the sample: of every thousand positions each source has the same
    number, in an order that the seed draws, and each source's samples are passed over as if it were alone.

    Args:
        loaders: one a source.
        weights: how often each is drawn from, relative to the others.
    """

    PERIOD = 1_000
    """Positions in which every source has just its share."""

    def __init__(self, loaders: tuple[Loader, ...], weights: tuple[float, ...], seed: int) -> None:
        super().__init__(seed)
        self.loaders, self.ends = loaders, np.cumsum([len(loader) for loader in loaders])
        self.counts = _shared_out(self.PERIOD, weights)
        self._periods: dict[int, tuple[Rows, Rows]] = {}

    def __len__(self) -> int:
        return int(self.ends[-1])

    def at(self, positions: Rows) -> Batch:
        """Gather the samples at positions of the stream, on the CPU."""
        periods, offsets = np.divmod(positions, self.PERIOD)
        which, within = np.empty_like(positions), np.empty_like(positions)
        for period in np.unique(periods).tolist():
            inside = periods == period
            sources, ranks = self._period(period)
            which[inside] = sources[offsets[inside]]
            within[inside] = period * self.counts[which[inside]] + ranks[offsets[inside]]
        return self._collected(which, [loader.at(within[which == one]) for one, loader in enumerate(self.loaders)])

    def numbered(self, numbers: Rows) -> Batch:
        """Gather samples by number, source after source."""
        which = np.searchsorted(self.ends, numbers, "right")
        starts = np.concatenate([[0], self.ends])
        parts = [loader.numbered(numbers[which == one] - starts[one]) for one, loader in enumerate(self.loaders)]
        return self._collected(which, parts)

    def values(self, name: str) -> Array | None:
        """Give a part of every sample, source after source."""
        found = [loader.values(name) for loader in self.loaders]
        known = [values for values in found if values is not None]
        return np.concatenate(known) if len(known) == len(found) else None

    def _period(self, number: int) -> tuple[Rows, Rows]:
        """Give the source of each position of a period, and how many of that source come before it there."""
        if number not in self._periods:
            generator = np.random.Generator(np.random.Philox(address(self.seed, "sources", number)))
            sources = generator.permutation(np.repeat(np.arange(len(self.counts)), self.counts))
            ranks = np.empty_like(sources)
            for one, count in enumerate(self.counts):
                ranks[sources == one] = np.arange(count)
            self._periods = {old: self._periods[old] for old in (number - 1, number + 1) if old in self._periods}
            self._periods[number] = sources, ranks
        return self._periods[number]

    def _collected(self, which: Rows, parts: list[Batch]) -> Batch:
        """Bring the samples of the sources (in the order of the sources) into the order that was asked for."""
        places = [torch.from_numpy(np.flatnonzero(which == one)) for one in range(len(parts))]
        batch = {name: values.new_empty(len(which), *values.shape[1:]) for name, values in parts[0].items()}
        for name, whole in batch.items():
            for place, part in zip(places, parts, strict=True):
                whole[place] = part[name]
        return batch


def _shared_out(total: int, weights: tuple[float, ...]) -> Rows:
    """Give whole shares of a total by weights, at least one each, by the largest remainders."""
    relative = np.array(weights) / max(weights)
    exact: npt.NDArray[np.float64] = total * relative / relative.sum()
    counts = np.maximum(np.floor(exact).astype(np.int64), 1)
    for one in np.argsort(np.floor(exact) - exact)[: max(0, total - counts.sum())]:
        counts[one] += 1
    counts[counts.argmax()] += total - counts.sum()
    return counts
