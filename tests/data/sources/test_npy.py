"""Files of one array: mapped, checked before they are read, and never unpickled."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy
from pictures import picture_dataset

from gannet.data.sources import media_of, open_source


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def save(folder: Path, values: np.ndarray, name: str = "a.npy") -> str:
    np.save(folder / name, values, allow_pickle=True)
    return str(folder / name)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_its_pictures_are_those_of_an_npz(order: str, kind: type, tmp_path: Path) -> None:
    pictures = noise(30, 9, 8, 3)
    values = pictures if kind is np.uint8 else (pictures / 255).astype(kind)
    np.savez(tmp_path / "a.npz", images=values)
    one = picture_dataset(open_source(str(tmp_path / "a.npz")), 9, 8, 3)
    other = picture_dataset(open_source(save(tmp_path, np.asarray(values, order=order))), 9, 8, 3)
    np.testing.assert_array_equal(one.first, other.first)
    np.testing.assert_array_equal(one.first, pictures.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(one.held_out, other.held_out)


def test_one_within_a_folder_is_the_data_of_the_folder(tmp_path: Path) -> None:
    save(tmp_path, noise(5, 8, 8), "B.NPY")
    assert open_source(str(tmp_path)).count() == 5
    assert list(media_of(str(tmp_path / "B.NPY"))) == ["image"]


def test_its_pixels_are_not_held_in_memory(tmp_path: Path) -> None:
    path = save(tmp_path, np.zeros((4000, 64, 64), np.uint8))
    tracemalloc.start()
    assert open_source(path).count() == 4000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20


def test_other_content_has_another_fingerprint(tmp_path: Path) -> None:
    before = open_source(save(tmp_path, noise(5, 8, 8))).fingerprint()
    assert open_source(save(tmp_path, noise(6, 8, 8))).fingerprint() != before


def claim(path: Path, shape: tuple[int, ...]) -> None:
    """Write a header that claims a shape, and few bytes behind it."""
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file.write(bytes(64))


@pytest.mark.parametrize("shape", [(10**9, 64, 64), (3, 8, 8), (-1, 8, 8)])
def test_a_header_that_claims_what_is_not_there_is_not_believed(shape: tuple[int, ...], tmp_path: Path) -> None:
    claim(tmp_path / "a.npy", shape)
    with pytest.raises(ValueError, match="save (or copy )?it again"):
        open_source(str(tmp_path / "a.npy"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([{}, {}], object), "Python objects in its array, which can run code"),
        (np.zeros(7), "a.npy holds no pictures: float64 of shape"),
        (np.zeros((4, 8, 8, 5)), "with 1, 3 or 4 channels"),
        (np.zeros((4, 8, 8), "U3"), "is no picture"),
        (np.zeros((0, 8, 8)), "holds no pictures"),
        (np.zeros((2, 0, 8)), "is no picture"),
    ],
)
def test_what_is_no_array_of_pictures_is_refused(values: np.ndarray, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        open_source(save(tmp_path, values))


def headed(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


HEADERS = ["{'descr': (", "{[]: 1}", "{1: 1, 'a': 2}"]


@pytest.mark.parametrize("shape", ["(True, 2, 2)", "(0, 8, 8)", f"(0, {10**31}, 3)", "(-1, 8, 8)"])
def test_a_shape_that_is_none_is_refused_by_the_file_s_name(shape: str, tmp_path: Path) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}"
    (tmp_path / "a.npy").write_bytes(headed(header) + bytes(100))
    with pytest.raises(ValueError, match=r"a\.npy"):
        open_source(str(tmp_path / "a.npy"))


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{'descr'", b"no array" * 100, *map(headed, HEADERS)],
)
def test_what_is_no_npy_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match="something that is no NumPy array"):
        open_source(str(tmp_path / "a.npy"))
