"""The loader: round n's batch is a pure function of the seed and of n, so a run resumes without remembering."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from gannet.randomness import address

Batch = dict[str, Tensor]


class Loader:
    """Gives named tensors of the samples whose turn it is; the next batch is gathered while this one is used.

    Args:
        arrays: by name, arrays (n, ...) of equal length (memory maps are fine); uint8 pictures become floats in
            [-1, 1], all else stays as it is.
        chosen: indices of the samples to use, (m,).
        seed: seeds the order; every pass over the samples has its own.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], chosen: np.ndarray, seed: int) -> None:
        self.arrays, self.chosen, self.seed = dict(arrays), np.asarray(chosen, dtype=np.int64), seed
        self._passes: dict[int, np.ndarray] = {}
        self._ahead: dict[tuple[int, int, int], Future[Batch]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="gannet-loader")

    def __len__(self) -> int:
        return len(self.chosen)

    def batch(self, start: int, count: int, step: int) -> Batch:
        """The `count` samples at positions `start`, ... of the endless stream; the next batch lies `step` on."""
        ready = self._ahead.pop((start, count, step), None)
        batch = ready.result() if ready else self.gather(start, count)
        self._ahead = {(start + step, count, step): self._worker.submit(self.gather, start + step, count)}
        return batch

    def gather(self, start: int, count: int) -> Batch:
        """The `count` samples at positions `start`, ... of the stream, on the CPU."""
        indices = self.chosen[self.order(start, count)]
        # Reading a memory map in file order spares the disk; the batch keeps the stream's order.
        sort = np.argsort(indices)
        back = np.argsort(sort)
        return {name: to_tensor(array[indices[sort]][back]) for name, array in self.arrays.items()}

    def spread(self, count: int) -> Batch:
        """Up to `count` samples spread evenly over the storage: a fixed set to look at, of every class."""
        return next(self.parts(max(1, count), count))

    def joined(self, other: "Loader") -> "Loader":
        """The samples of both, which lie in the same arrays."""
        return Loader(self.arrays, np.union1d(self.chosen, other.chosen), self.seed)

    def parts(self, size: int, most: int) -> Iterator[Batch]:
        """Up to `most` samples spread evenly over the storage, `size` at a time, in the order of the storage."""
        for start in range(0, min(most, len(self)), size):
            yield self.pick(np.arange(start, min(start + size, most, len(self))), most)

    def pick(self, rows: np.ndarray, most: int) -> Batch:
        """Samples by their rows among up to `most` that are spread evenly over the storage."""
        spread = self.chosen[np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.int64)]
        return {name: to_tensor(array[spread[rows]]) for name, array in self.arrays.items()}

    def order(self, start: int, count: int) -> np.ndarray:
        """Positions `start`, ... of the stream as numbers below `len(self)`; each pass is its own permutation."""
        size, pieces = len(self), []
        while count:
            epoch, offset = divmod(start, size)
            piece = self._pass(epoch)[offset : offset + count]
            pieces.append(piece)
            start, count = start + len(piece), count - len(piece)
        return np.concatenate(pieces)

    def _pass(self, epoch: int) -> np.ndarray:
        if epoch not in self._passes:
            generator = np.random.Generator(np.random.Philox(address(self.seed, "pass", epoch)))
            self._passes = {old: self._passes[old] for old in (epoch - 1, epoch + 1) if old in self._passes}
            self._passes[epoch] = generator.permutation(len(self))
        return self._passes[epoch]


def to_tensor(array: np.ndarray) -> Tensor:
    """A tensor of the array's values; uint8 pictures become floats in [-1, 1]."""
    if array.dtype == np.uint8:
        # By NumPy: a second thread that computes in PyTorch takes the processor from the first one's OpenMP threads.
        array = array.astype(np.float32)
        array /= 127.5
        array -= 1
    return torch.from_numpy(np.ascontiguousarray(array))
