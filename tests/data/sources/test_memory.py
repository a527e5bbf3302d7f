"""Data in memory: however pictures are held they are the same data, and what is none is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture_dataset
from PIL import Image
from torch.utils.data import Dataset

from gannet.data.sources import open_source
from gannet.data.sources.memory import held
from gannet.media.photograph import Photograph
from gannet.media.pixels import eight_bits
from gannet.runtime.progress import Stopped, Watch

WAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda pictures: pictures,
    "channels first": lambda pictures: np.ascontiguousarray(np.moveaxis(pictures, -1, 1)),
    "view": lambda pictures: np.repeat(pictures, 2, 1)[:, ::2],
    "tensor": lambda pictures: torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, 1))),
    "arrays": list,
    "tensors": lambda pictures: [torch.from_numpy(one).permute(2, 0, 1) for one in pictures],
    "Pillow": lambda pictures: [Image.fromarray(one if one.shape[2] > 1 else one[..., 0]) for one in pictures],
    "Dataset": lambda pictures: Pairs(pictures, None),
}


class Pairs(Dataset):
    """Pictures, alone or with labels, as PyTorch has them."""

    def __init__(self, pictures: Any, labels: Any, classes: Any = None) -> None:
        self.pictures, self.labels = pictures, labels
        if classes is not None:
            self.classes = classes

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Any:
        return self.pictures[index] if self.labels is None else (self.pictures[index], self.labels[index])


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def seen(data: object) -> tuple[str, str, list[np.ndarray], list[int], tuple[str, ...]]:
    """The name and fingerprint of data, their pictures, labels and classes."""
    with held(data, Watch()) as name:
        source = open_source(name)
        records = list(source.records())
        return (
            name,
            source.fingerprint(),
            [record.read() for record in records],
            [one.label for one in records],
            source.classes,
        )


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("way", WAYS)
def test_the_same_pictures_are_the_same_data_however_they_are_held(way: str, channels: int) -> None:
    pictures = noise(9, 11, 13, channels)
    name, fingerprint, found, _, _ = seen(WAYS[way](pictures))
    assert (name, fingerprint) == seen(pictures)[:2]
    np.testing.assert_array_equal(np.stack(found), pictures)


@given(
    count=st.integers(2, 5),
    sides=st.tuples(st.integers(5, 40), st.integers(5, 40)),
    channels=st.sampled_from([1, 3, 4]),
    way=st.sampled_from(sorted(WAYS)),
)
def test_layouts_are_told_by_their_channels(count: int, sides: tuple[int, int], channels: int, way: str) -> None:
    pictures = noise(count, *sides, channels)
    np.testing.assert_array_equal(np.stack(seen(WAYS[way](pictures))[2]), pictures)


@pytest.mark.parametrize(("kind", "axis"), [(np.asarray, -1), (torch.from_numpy, 1)], ids=["NumPy", "PyTorch"])
def test_in_doubt_channels_are_last_in_an_array_and_first_in_a_tensor(kind: Callable[..., Any], axis: int) -> None:
    pictures = noise(6, 3, 8, 3)
    np.testing.assert_array_equal(np.stack(seen(kind(pictures))[2]), np.moveaxis(pictures, axis, -1))


def test_grey_pictures_need_no_axis_of_channels() -> None:
    pictures = noise(5, 8, 9)
    for data in (pictures, torch.from_numpy(pictures), list(pictures), [Image.fromarray(one) for one in pictures]):
        assert seen(data)[0] == seen(pictures[..., None])[0]


@pytest.mark.parametrize(
    ("scale", "kind"),
    [
        (lambda levels: levels / 255, np.float64),
        (lambda levels: levels / 127.5 - 1, np.float32),
        (lambda levels: levels, np.int64),
        (lambda levels: levels, np.uint16),
        (lambda levels: levels / 255 * (1 + 1e-6), np.float32),
    ],
)
def test_numbers_are_read_by_the_range_that_all_of_them_lie_in(scale: Callable[..., Any], kind: type) -> None:
    levels = noise(40, 8, 8, 3)
    levels[0], levels[1] = 0, 255
    for data in (scale(levels).astype(kind), list(scale(levels).astype(kind))):
        np.testing.assert_array_equal(np.stack(seen(data)[2]), levels)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_tensors_of_half_precision_are_read(kind: torch.dtype) -> None:
    black_and_white = torch.tensor([0.0, 1.0]).to(kind).repeat(4, 3, 8, 4)
    assert np.unique(np.stack(seen(black_and_white)[2])).tolist() == [0, 255]


def test_zeros_and_ones_are_black_and_white_and_that_is_said() -> None:
    pictures = noise(6, 8, 8) % 2
    for data in (pictures, list(pictures), pictures.astype(bool)):
        assert set(np.unique(np.stack(seen(data)[2])).tolist()) == {0, 255}
    with held(pictures, Watch()) as name:
        (note,) = open_source(name).notes()
    assert note == "memory: its whole numbers are 0 and 1 alone, and are read as black and white."


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        ([1, 0, 2, 0], [1, 0, 2, 0], ("0", "1", "2")),
        (np.array([1, 0, 2, 0], np.uint8), [1, 0, 2, 0], ("0", "1", "2")),
        (torch.tensor([1, 0, 2, 0]), [1, 0, 2, 0], ("0", "1", "2")),
        (["cat", "ant", None, "cat"], [1, 0, -1, 1], ("ant", "cat")),
        ([torch.tensor(1), np.int64(0), -1, 1.0], [1, 0, -1, 1], ("0", "1")),
    ],
)
def test_labels_are_numbers_or_words(labels: Any, numbers: list[int], classes: tuple[str, ...]) -> None:
    pictures = noise(4, 8, 8)
    for data in ((pictures, labels), (list(pictures), labels), Pairs(pictures, labels), list(Pairs(pictures, labels))):
        assert seen(data)[3:] == (numbers, classes)
    assert seen((pictures, labels))[0] == seen(Pairs(pictures, labels))[0] != seen(pictures)[0]


def test_a_data_set_names_its_classes() -> None:
    data = Pairs(noise(3, 8, 8), [0, 2, 0], ["ant", "bee", "cat"])
    assert seen(data)[3:] == ([0, 2, 0], ("ant", "bee", "cat"))
    assert seen(Pairs(noise(3, 8, 8), [0, 1, 0], "words"))[4] == ("0", "1")


def test_pictures_of_any_sizes_are_brought_to_one_as_files_are(tmp_path) -> None:
    pictures = [Image.fromarray(noise(side, side + 3, 3)) for side in range(8, 30)]
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / f"{number:02}.png")
    files = picture_dataset(open_source(str(tmp_path)), 12, 12, 3)
    with held(pictures, Watch()) as name:
        found = picture_dataset(open_source(name), 12, 12, 3)
    np.testing.assert_array_equal(found.first, files.first)
    np.testing.assert_array_equal(found.held_out, files.held_out)
    assert found.sizes == files.sizes


def test_arrays_and_lists_of_the_same_pictures_share_what_was_decoded(own_cache) -> None:
    pictures = noise(20, 8, 8, 3)
    for data in (pictures, list(pictures), Pairs(pictures, None)):
        with held(data, Watch()) as name:
            picture_dataset(open_source(name), 8, 8, 3)
    assert len(list(own_cache.glob("data-*/"))) == 1


def test_any_pixel_label_or_order_that_differs_makes_other_data() -> None:
    pictures = noise(6, 8, 8)
    other = pictures.copy()
    other[3, 4, 5] ^= 1
    variants = [pictures, other, pictures[::-1], pictures[:5], pictures.reshape(12, 4, 8), pictures / 255]
    variants += [(pictures, [0, 1] * 3), (pictures, [1, 0] * 3), (pictures, ["a", "b"] * 3)]
    assert len({seen(one)[0] for one in variants}) == len(variants)


def test_a_sample_is_spread_over_all_of_them() -> None:
    pictures = np.arange(50, dtype=np.uint8)[:, None, None] * np.ones((50, 8, 8), np.uint8)
    for data in (pictures, list(pictures)):
        with held(data, Watch()) as name:
            found = [int(record.read()[0, 0, 0]) for record in open_source(name).sample(5)]
        assert found[0] == 0 and found[-1] == 49 and len(found) == 5


def test_data_are_held_only_while_they_are_worked_on() -> None:
    pictures = noise(4, 8, 8)
    with held(pictures, Watch()) as name:
        with held(noise(5, 9, 9), Watch()) as other:
            assert (open_source(name).count(), open_source(other).count()) == (4, 5)
        with pytest.raises(ValueError, match="give the same again in Python"):
            open_source(other)
    with pytest.raises(ValueError, match="give the same again in Python"):
        open_source(name)


def test_reading_tells_how_far_it_is_and_stops() -> None:
    told: list[tuple[int, int]] = []
    with held(list(noise(4, 8, 8)), Watch(lambda progress, _: told.append((progress.done, progress.total)))):
        assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]
    with pytest.raises(Stopped), held(list(noise(4, 8, 8)), Watch(None, lambda: True)):
        pass


class Changing(Pairs):
    """A data set that turns its pictures at random, as is usual in training."""

    def __getitem__(self, index: int) -> Any:
        return np.random.default_rng().integers(0, 256, (8, 8), np.uint8)


class Failing(Pairs):
    def __getitem__(self, index: int) -> Any:
        raise OSError("the disk is gone")


FAULTS = {
    "none": (None, "instead of NoneType"),
    "number": (7, "instead of int"),
    "mapping": ({"images": noise(4, 8, 8)}, "instead of dict"),
    "bytes": (b"abc", "instead of bytes"),
    "generator": ((one for one in noise(4, 8, 8)), "instead of generator"),
    "no length": (Dataset(), "instead of Dataset"),
    "Pillow alone": (Image.new("L", (8, 8)), "instead of Image"),
    "one picture": (noise(64, 48, 3), "looks like one picture"),
    "one tensor": (torch.zeros(3, 64, 48), "looks like one picture"),
    "objects": (np.array([noise(8, 8), noise(9, 9), None], object), "object of shape"),
    "complex": (np.zeros((4, 8, 8), complex), "complex128 of shape"),
    "flat": (noise(4, 64), "is no picture; one is numbers of shape"),
    "no number": (np.float64(7), "instead of float64"),
    "five channels": (noise(4, 8, 8, 5), "with 1, 3 or 4 channels"),
    "no pixels": (noise(4, 0, 8), "is no picture"),
    "huge": (np.broadcast_to(np.uint8(0), (2, 20_000, 20_000)), "more pixels than the limit"),
    "empty": (noise(0, 8, 8), "holds 0 pictures; give at least two"),
    "empty list": ([], "holds 0 pictures; give at least two"),
    "paths": (["a.png", "b.png"], r"memory\[0\] is of type str, which is no picture"),
    "ragged": ([noise(8, 8), noise(8, 8, 7)], r"memory\[1\] cannot be read: uint8 of shape \(8, 8, 7\) is no picture"),
    "missing": ([noise(8, 8), None], r"memory\[1\] is of type NoneType"),
    "fails": (Failing([0, 1], None), r"memory\[0\] cannot be read: the disk is gone"),
    "changes": (Changing([0, 1], None), r"memory\[0\] is another picture each time"),
    "three parts": ((noise(4, 8, 8), [0] * 4, [1] * 4), "this one has 3 parts"),
    "few labels": ((noise(4, 8, 8), [0, 1]), "holds 2 labels for 4 pictures"),
    "a word": ((noise(4, 8, 8), "abcd"), "holds labels as str"),
    "a number": ((noise(4, 8, 8), 4), "holds labels as int"),
    "an array of one": ((noise(4, 8, 8), np.array(5)), "holds labels as"),
    "a set": ((noise(4, 8, 8), {0, 1, 2, 3}), "holds labels as set"),
    "labels by name": ((noise(4, 8, 8), {"a": 0}), "holds labels as dict"),
    "fractions": ((noise(4, 8, 8), [0.5] * 4), "labels that are no classes"),
    "vectors": ((noise(4, 8, 8), np.eye(4)), "labels that are no classes"),
    "mixed": (([noise(8, 8)] * 2, [1, "a"]), "both words, such as 'a', and numbers"),
}


def test_opened_pictures_of_sixteen_bits_are_the_same_each_time(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (3, 8, 8, 3), np.uint16)
    for number, values in enumerate(deep):
        Photograph(values).save(tmp_path / f"{number}.png")
    with held([Image.open(path) for path in sorted(tmp_path.iterdir())], Watch()) as name:
        found = [record.read() for record in open_source(name).records()]
    np.testing.assert_array_equal(np.stack(found), eight_bits(deep))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_data_is_refused_in_one_sentence(fault: str) -> None:
    data, words = FAULTS[fault]
    with pytest.raises(ValueError, match=words) as told, held(data, Watch()):
        pass
    assert "\n" not in str(told.value) and len(str(told.value)) < 500


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -7.0, 300.0])
@pytest.mark.parametrize("way", [np.asarray, list])
def test_numbers_beyond_any_range_are_refused(wrong: float, way: Callable[..., Any]) -> None:
    pictures = np.random.default_rng(0).random((5, 8, 8))
    pictures[3] = wrong
    with pytest.raises(ValueError, match="scale floating-point numbers to 0..1 or -1..1"):
        seen(way(pictures))


def test_media_that_are_no_pictures_are_not_held() -> None:
    from gannet.media import find_medium

    with (
        held(noise(4, 8, 8), Watch()) as name,
        pytest.raises(ValueError, match="What is in memory are pictures, and points are wanted"),
    ):
        open_source(name, {"value": find_medium("points")})
