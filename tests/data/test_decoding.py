"""However large the files are, only so many bytes of them are in memory at once."""

import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pictures import picture_dataset

from gannet.data import decoding
from gannet.data.records import VALUE, Record, Source, digest
from gannet.data.sources import open_source
from gannet.runtime.workers import Budget

SIZES = (1, 30, 80, 5, 200, 50, 50, 1, 1, 99)


class Heavy:
    """A source that knows how many bytes of its values are held at a time."""

    name, classes = "heavy", ()

    def __init__(self) -> None:
        self.held, self.most, self.lock = 0, 0, threading.Lock()

    def fingerprint(self) -> str:
        return digest(["heavy"])

    def records(self) -> Iterator[Record]:
        for index, size in enumerate(SIZES * 4):
            with self.lock:
                self.held += size
                self.most = max(self.most, self.held)
            read = partial(self.read, index, size)
            yield Record(str(index), {VALUE: read}, size=partial(int, size))

    def read(self, index: int, size: int) -> np.ndarray:
        time.sleep(0.001)
        with self.lock:
            self.held -= size
        return np.full((4, 4, 3), index, np.uint8)


def test_bytes_in_flight_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BYTES_IN_FLIGHT", 200)
    monkeypatch.setattr(decoding, "BYTES_PER_TASK", 20)
    source = Heavy()
    dataset = picture_dataset(source, 4, 4, 3)
    assert dataset.first[:, 0, 0, 0].tolist() == list(range(len(SIZES) * 4))
    assert source.held == 0 and source.most <= 200 + max(SIZES) + 20 < sum(SIZES)  # The next waits while it is held.


def test_what_wants_more_than_there_is_is_alone() -> None:
    budget = Budget(10)
    budget.take(99)
    assert budget.left == 0
    waiting = threading.Thread(target=budget.take, args=(1,))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    budget.give_back(99)
    waiting.join(10)
    assert not waiting.is_alive() and budget.left == 9


def test_files_say_how_large_they_are_before_they_are_read(write_pictures, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = write_pictures("a.png", "b.png")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "a.png", "a.png")
    sources: list[Source] = [open_source(str(folder)), open_source(str(tmp_path / "packed.zip"))]
    for source in sources:
        for record in source.records():
            assert record.size and record.encoded and record.size() == len(record.encoded())


@pytest.mark.parametrize("shape", [(1, 1 << 16, 1 << 16), (1, 1 << 16, 1 << 16, 3), (1, 3, 1 << 16, 1 << 16)])
def test_a_header_that_claims_too_many_pixels_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("images.npy", "w") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(ValueError, match="it has more pixels than the limit"):
        open_source(str(tmp_path / "a.npz"))


def test_labels_that_claim_to_be_huge_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 4, 4), np.uint8), labels=np.array(["a", "b" * 2000]))
    with pytest.raises(ValueError, match="one whole number or word for each"):
        open_source(str(tmp_path / "a.npz"))


def test_an_idx_header_that_claims_too_many_pixels_is_refused(tmp_path: Path) -> None:
    sides = np.array([1, 1 << 16, 1 << 16], ">u4").tobytes()
    (tmp_path / "train-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + sides)
    with pytest.raises(ValueError, match="it has more pixels than the limit"):
        open_source(str(tmp_path))
