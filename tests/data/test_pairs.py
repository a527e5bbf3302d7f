"""Pairs of pictures and label maps: how they are found, read and fitted to each other."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from pytest import TempPathFactory

from gannet.data.cache import Dataset, build_dataset
from gannet.data.records import left_out_of
from gannet.data.sources import open_source
from gannet.media import image, label_map
from gannet.media.label_map import NOTHING

MEDIA = {"image": image.medium, "map": label_map.medium}
SIDE = 8
FITS = ("crop", "middle", "pad", "stretch")
Writer = Callable[..., Path]


def fields(height: int = SIDE, width: int = SIDE, fit: str = "crop") -> dict[str, Any]:
    pictures = image.medium.field(height, width, 1, fit)
    return {"image": pictures, "map": label_map.medium.field(height, width, fit)}


def brought(data: Path, fit: str = "crop", side: int = SIDE) -> Dataset:
    return build_dataset(open_source(str(data), MEDIA), fields(side, side, fit))


def shapes(seed: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (height, width), np.uint8)


def encoded(values: np.ndarray, mode: str = "") -> bytes:
    content, picture = io.BytesIO(), Image.fromarray(values)
    (picture.convert(mode) if mode else picture).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def pairs(tmp_path: Path) -> Writer:
    """Write a pair for each stem, such as `{images}/train/3`, whose picture is ten times its map."""

    def write(*stems: str, parts: tuple[str, str] = ("images", "labels"), place: str = "{part}/{stem}") -> Path:
        for seed, stem in enumerate(stems):
            for part, factor in zip(parts, (10, 1), strict=True):
                file = tmp_path / "data" / f"{place.format(part=part, stem=stem)}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(encoded(factor * shapes(seed)))
        return tmp_path / "data"

    return write


def check_pairs(dataset: Dataset, count: int) -> None:
    """Every picture is ten times the map beside it."""
    pictures, maps = (dataset.columns[name].values for name in MEDIA)
    assert len(dataset) == count and maps.dtype == np.uint8 and maps.shape == (count, SIDE, SIDE)
    np.testing.assert_array_equal(pictures[:, 0], 10 * maps)
    assert len({one.tobytes() for one in maps}) == count


@pytest.mark.parametrize(
    "parts", [("images", "labels"), ("inputs", "targets"), ("images", "masks"), ("Images", "LABELS")]
)
def test_files_of_one_name_in_folders_beside_each_other_are_pairs(pairs: Writer, parts: tuple[str, str]) -> None:
    check_pairs(brought(pairs("1", "2", "10", "a.b", parts=parts)), 4)


def test_folders_may_be_called_as_the_parts_of_a_sample(pairs: Writer) -> None:
    check_pairs(brought(pairs("1", "2", parts=("image", "map"))), 2)


@pytest.mark.parametrize(
    "place", ["{split}/{{part}}/{{stem}}", "{{part}}/{split}/{{stem}}", "deep/{split}/{{part}}/{{stem}}"]
)
def test_splits_may_lie_around_or_inside_the_folders(pairs: Writer, tmp_path: Path, place: str) -> None:
    for split, stems in (("train", "abcd"), ("val", "ef")):
        pairs(*(f"{split}{stem}" for stem in stems), place=place.format(split=split))
    dataset = brought(tmp_path / "data")
    names = [record.name for record in open_source(str(tmp_path / "data"), MEDIA).records()]
    assert [bool(held) for held in dataset.held_out] == ["val" in name for name in names]
    assert dataset.held_out.sum() == 2 and dataset.labels.tolist() == [-1] * 6


def test_one_name_in_two_splits_is_two_pairs(pairs: Writer, tmp_path: Path) -> None:
    for split in ("train", "test"):
        pairs("1", "2", place=f"{split}/{{part}}/{{stem}}")
    assert len(brought(tmp_path / "data")) == 4


def test_pairs_in_a_zip_are_the_pairs_of_its_folder(pairs: Writer, tmp_path: Path) -> None:
    data, packed = pairs("1", "2", "3"), tmp_path / "data.zip"
    (data / "classes.txt").write_text("ground\nsky\n")
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(data.rglob("*.*")):
            archive.write(file, f"around/{file.relative_to(data).as_posix()}")
    check_pairs(brought(packed), 3)
    assert open_source(str(packed), MEDIA).classes == ("ground", "sky")


def test_a_jpeg_goes_with_a_png_of_its_name(pairs: Writer) -> None:
    data = pairs("1", "2", "3")
    for file in (data / "images").iterdir():
        Image.open(file).save(file.with_suffix(".jpg"), quality=95)
        file.unlink()
    assert len(brought(data)) == 3


def test_a_file_without_a_partner_is_left_out_and_counted(pairs: Writer) -> None:
    data = pairs("1", "2", "3", "4")
    (data / "images" / "2.png").unlink()
    (data / "labels" / "4.png").unlink()
    dataset, source = brought(data), open_source(str(data), MEDIA)
    check_pairs(dataset, 2)
    assert source.count() == len(list(source.records())) == 2
    assert dataset.skipped_count == 2 and dataset.skipped == left_out_of(source)
    reasons = dict(dataset.skipped)
    assert set(reasons) == {"labels/2.png", "images/4.png"}
    assert all("no file of its name beside it" in reason for reason in reasons.values())


def test_a_broken_half_leaves_the_pair_out(pairs: Writer) -> None:
    data = pairs("1", "2", "3", "4")
    whole = (data / "labels" / "2.png").read_bytes()
    (data / "labels" / "2.png").write_bytes(whole[: len(whole) // 2])
    (data / "images" / "3.png").write_bytes(b"no picture")
    dataset = brought(data)
    check_pairs(dataset, 2)
    assert [name for name, _ in dataset.skipped] == ["images/2.png", "images/3.png"]


def test_a_partner_that_appears_is_found(pairs: Writer) -> None:
    data = pairs("1", "2", "3")
    moved = (data / "labels" / "2.png").read_bytes()
    (data / "labels" / "2.png").unlink()
    first = brought(data)
    (data / "labels" / "2.png").write_bytes(moved)
    assert (len(first), len(brought(data))) == (2, 3)


def sentence_about(data: Path) -> str:
    with pytest.raises(ValueError, match=".") as caught:
        open_source(str(data), MEDIA)
    return str(caught.value)


def test_a_folder_of_other_folders_is_refused_by_naming_those_that_are_wanted(pairs: Writer) -> None:
    data = pairs("1", "2", parts=("left", "right"))
    said = sentence_about(data)
    assert "holds no pairs" in said and "images/ and labels/" in said and "inputs/" in said and "targets/" in said
    assert said.count("give ") == 1 and "\n" not in said


def test_folders_in_which_no_names_agree_are_refused_in_one_sentence(pairs: Writer) -> None:
    data = pairs("1", "2")
    for file in (data / "labels").iterdir():
        file.rename(file.with_name(f"map-{file.name}"))
    said = sentence_about(data)
    assert "images/" in said and "labels/" in said
    assert said.count("give ") == 1, said


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "images/" in sentence_about(tmp_path)


def test_classes_are_named_by_a_file_a_line_each(pairs: Writer) -> None:
    data = pairs("1", "2")
    assert open_source(str(data), MEDIA).classes == ()
    (data / "classes.txt").write_text("ground\n disc \nsquare\ncross\n\n")
    assert open_source(str(data), MEDIA).classes == ("ground", "disc", "square", "cross")


def test_a_blank_line_among_the_classes_does_not_shift_those_after_it(pairs: Writer) -> None:
    data = pairs("1", "2")
    (data / "classes.txt").write_text("ground\n\nsquare\n")
    try:
        classes = open_source(str(data), MEDIA).classes
    except ValueError:
        return  # To refuse it is as good.
    assert len(classes) == 3 and classes[2] == "square"


def test_a_mark_before_the_first_class_is_no_part_of_its_name(pairs: Writer) -> None:
    data = pairs("1", "2")
    (data / "classes.txt").write_bytes("ground\r\nsky\r\n".encode("utf-8-sig"))
    assert open_source(str(data), MEDIA).classes == ("ground", "sky")


# What label maps are


def fitted(content: bytes, height: int = 2, width: int = 2, fit: str = "crop") -> np.ndarray:
    return label_map.medium.fit(label_map.medium.read(content), label_map.medium.field(height, width, fit))


@pytest.mark.parametrize("colours", [(0, 0, 0, 255, 255, 255), tuple(range(255, 15, -1)), (7, 7, 7) * 256])
def test_the_numbers_of_a_palette_picture_are_kept_whatever_its_colours(colours: tuple[int, ...]) -> None:
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8)).convert("L")
    picture.putpalette(list(colours))
    assert picture.mode == "P"
    content = io.BytesIO()
    picture.save(content, "PNG")
    assert fitted(content.getvalue()).tolist() == [[0, 1], [1, 0]]


def test_all_numbers_of_a_palette_survive(tmp_path: Path) -> None:
    numbers = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = Image.fromarray(numbers)
    picture.putpalette(np.random.default_rng(0).integers(0, 256, 768, np.uint8).tolist())
    content = io.BytesIO()
    picture.save(content, "PNG", transparency=3)
    np.testing.assert_array_equal(fitted(content.getvalue(), 16, 16), numbers)


@pytest.mark.parametrize(("mode", "kind"), [("1", bool), ("L", np.uint8), ("I;16", np.uint16)])
def test_grey_modes_are_read_as_numbers(mode: str, kind: type) -> None:
    values = np.array([[0, 1], [1, 1]]) if mode == "1" else np.array([[0, 200], [255, 7]])
    content = encoded(values.astype(kind))
    assert Image.open(io.BytesIO(content)).mode == mode
    assert fitted(content).tolist() == values.tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_colours_are_unreadable_with_a_reason(pairs: Writer, mode: str) -> None:
    data = pairs("1", "2", "3")
    (data / "labels" / "2.png").write_bytes(encoded(shapes(1), mode))
    dataset = brought(data)
    check_pairs(dataset, 2)
    ((name, reason),) = dataset.skipped
    assert name == "images/2.png" and "colours" in reason and mode in reason and "grey" in reason


def test_numbers_above_255_are_refused_with_their_range(pairs: Writer) -> None:
    data = pairs("1", "2", "3")
    (data / "labels" / "3.png").write_bytes(encoded(256 + shapes(2).astype(np.uint16)))
    dataset = brought(data)
    assert len(dataset) == 2 and "256 to 259" in dict(dataset.skipped)["images/3.png"]


def test_a_file_of_many_pixels_is_not_read(pairs: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pairs("1", "2", "3")
    (data / "labels" / "3.png").write_bytes(encoded(np.zeros((40, 40), np.uint8)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "more pixels" in dict(brought(data).skipped)["images/3.png"]


# How they are fitted


@given(
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.sampled_from(FITS),
    st.sets(st.integers(0, 254), min_size=1, max_size=4),
)
def test_no_number_appears_that_was_not_there(
    there: tuple[int, int], here: tuple[int, int], fit: str, known: set[int]
) -> None:
    random = np.random.default_rng(sum(known))
    found = fitted(encoded(random.choice(sorted(known), there).astype(np.uint8)), *here, fit)
    assert found.shape == here and found.dtype == np.uint8
    assert set(found.ravel().tolist()) <= known | ({NOTHING} if fit == "pad" else set())


def test_a_map_of_the_right_size_is_kept_as_it_is() -> None:
    numbers = np.random.default_rng(0).integers(0, 256, (9, 7), np.uint8)
    for fit in FITS:
        np.testing.assert_array_equal(fitted(encoded(numbers), 9, 7, fit), numbers)


def test_what_pad_adds_is_nobodys() -> None:
    found = fitted(encoded(np.zeros((4, 8), np.uint8)), 8, 8, "pad")
    assert (found[[0, 1, 6, 7]] == NOTHING).all() and not found[2:6].any()


def disc(height: int, width: int) -> np.ndarray:
    """A disc beside the middle, of levels that a picture and a map can share: 0 and 200."""
    down, across = np.mgrid[:height, :width]
    reach = min(height, width) / 4
    inside = (down - 0.45 * height) ** 2 + (across - 0.55 * width) ** 2 < reach**2
    return (200 * inside).astype(np.uint8)


@given(
    st.tuples(st.integers(12, 70), st.integers(12, 70)),
    st.tuples(st.integers(8, 40), st.integers(8, 40)),
    st.sampled_from(FITS),
)
def test_a_picture_that_is_its_map_stays_aligned_within_a_pixel(
    there: tuple[int, int], here: tuple[int, int], fit: str
) -> None:
    # Of a disc that is a pixel wide once it is fitted, the nearest place of the map may be beside it.
    assume(min(there) / 2 * min(now / before for now, before in zip(here, there, strict=True)) > 1.5)
    values = disc(*there)
    picture = image.medium.fit(Image.fromarray(values), image.medium.field(*here, 1, fit))[0]
    told = fitted(encoded(values), *here, fit)
    inside, known = told == 200, told != NOTHING
    if fit != "pad":
        assert known.all()
    near = np.pad(inside, 1, mode="edge")
    stacked = [near[y : y + here[0], x : x + here[1]] for y in range(3) for x in range(3)]
    everywhere, somewhere = np.all(stacked, 0), np.any(stacked, 0)
    assert (picture[everywhere & known] > 100).all(), "within the disc of the map the picture shows it"
    assert (picture[~somewhere & known] < 100).all(), "and nowhere else"


@pytest.fixture(scope="module")
def large(tmp_path_factory: TempPathFactory) -> Path:
    """Pairs of which picture and map have other sizes: the maps are half as large."""
    folder = tmp_path_factory.mktemp("halves")
    for number in range(3):
        values = disc(48, 64 + 4 * number)
        for part, shown in (("images", values), ("labels", values[::2, ::2])):
            (folder / part).mkdir(exist_ok=True)
            (folder / part / f"{number}.png").write_bytes(encoded(shown))
    return folder


@pytest.mark.parametrize("fit", FITS)
def test_a_map_smaller_than_its_picture_lies_over_it_all_the_same(large: Path, fit: str) -> None:
    try:
        dataset = brought(large, fit, 24)
    except ValueError:
        return  # All of them left out.
    for picture, told in zip(*(dataset.columns[name].values for name in MEDIA), strict=True):
        counts = told != NOTHING
        assert ((picture[0] > 100) == (told == 200))[counts].mean() > 0.93


@pytest.mark.parametrize("fit", ["crop", "middle", "pad"])
def test_a_map_of_other_proportions_than_its_picture_is_left_out_with_a_reason(pairs: Writer, fit: str) -> None:
    data = pairs("1", "2", "3")
    (data / "labels" / "2.png").write_bytes(encoded(shapes(1, SIDE, 2 * SIDE)))
    dataset = brought(data, fit)
    assert [name for name, _ in dataset.skipped] == ["images/2.png"]


def test_the_embedded_shapes_are_pairs(tmp_path: Path) -> None:
    source = open_source("shapes", MEDIA)
    assert source.classes[0] == "ground" and source.count() == 600  # type: ignore[attr-defined]
    dataset = build_dataset(source, {**fields(32, 32), "image": image.medium.field(32, 32, 3)})
    maps = dataset.columns["map"].values
    assert set(np.unique(maps)) == {0, 1, 2, 3} and dataset.first.shape == (600, 3, 32, 32)
    edges = maps[:, :, 1:] != maps[:, :, :-1]
    steps = np.abs(np.diff(dataset.first.astype(int), axis=3)).max(1)
    assert steps[edges].mean() > 3 * steps[~edges].mean(), "shapes show where the map says"
