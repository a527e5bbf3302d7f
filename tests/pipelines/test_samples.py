"""Results are looked at in Python and in notebooks: one by one, in parts, and as a picture."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gannet
from gannet.media import find_medium
from gannet.media.photograph import Photograph
from gannet.pipelines.samples import LARGEST_SHOWN, Made, Samples
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, SYNTHETIC, read_facts

FACTS = {"model": "a", "seed": 3}


def samples(count: int = 6, side: int = 4) -> Samples:
    """Grey pictures, each a little lighter than the one before it."""
    values = torch.linspace(-1, 1, count)[:, None, None, None].expand(count, 1, side, side)
    return Samples(values, torch.arange(count) % 2, FACTS, classes=("even", "odd"))


def opened(content: bytes | None) -> Image.Image:
    assert content is not None
    return Image.open(io.BytesIO(content))


def test_samples_are_looked_at_one_by_one() -> None:
    some = samples()
    tones = [0, 51, 102, 153, 204, 255]
    assert [picture.getpixel((0, 0)) for picture in some] == tones
    assert [some[number].getpixel((0, 0)) for number in range(6)] == tones
    assert some[-1].getpixel((0, 0)) == some[np.int64(5)].getpixel((0, 0)) == 255
    for beyond in (6, -7):
        with pytest.raises(IndexError):
            some[beyond]
    for wrong in ("a", 1.0, None):
        with pytest.raises(TypeError):
            some[wrong]  # type: ignore[index]


@pytest.mark.parametrize("part", [slice(2, 5), slice(None, None, 2), slice(None, None, -1), slice(9, 12)])
def test_a_part_of_samples_are_samples_with_their_labels(part: slice) -> None:
    some, found = samples(), samples()[part]
    assert isinstance(found, Samples) and len(found) == len(range(6)[part])
    assert found.labels is not None and found.labels.tolist() == (np.arange(6) % 2)[part].tolist()
    np.testing.assert_array_equal(found.values, some.values.numpy()[part])
    assert (found.facts, found.classes) == (some.facts, some.classes)


def test_samples_show_themselves_as_their_sheet_which_says_what_it_is() -> None:
    some = samples()
    shown = opened(some._repr_png_())
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(some.sheet()))
    assert read_facts(shown) == {SOURCE_TYPE: SYNTHETIC, **FACTS}
    assert "\n" not in repr(some)


def test_what_is_shown_is_no_larger_than_can_be_seen() -> None:
    some = samples(1, 3 * LARGEST_SHOWN)
    assert opened(some._repr_png_()).size == (LARGEST_SHOWN, LARGEST_SHOWN)
    assert some[0].size == (3 * LARGEST_SHOWN, 3 * LARGEST_SHOWN)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_was_made_shows_its_first_output(kind: type) -> None:
    levels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    values = levels if kind is np.uint8 else levels.astype(np.uint16) * 257
    medium = find_medium("photograph")
    made = Made(
        {"photograph": Photograph(values)}, {"photograph": medium}, {"photograph": {SOURCE_TYPE: COMPOSITE, **FACTS}}
    )
    assert list(made) == ["photograph"] and made["photograph"] is made.value
    shown = opened(made._repr_png_())
    np.testing.assert_array_equal(np.asarray(shown), levels)
    assert read_facts(shown)[SOURCE_TYPE] == COMPOSITE


def test_an_array_a_tensor_and_a_file_of_one_picture_are_enlarged_alike(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "small.png")
    enlarge = gannet.load("super-resolution")
    expected = enlarge(tmp_path / "small.png").value.values
    for given in (pixels, torch.from_numpy(pixels).permute(2, 0, 1), Image.fromarray(pixels)):
        np.testing.assert_array_equal(enlarge(given).value.values, expected)
    assert enlarge(pixels / 255).value.values.dtype == np.uint16
    with pytest.raises(ValueError, match="The picture in memory cannot be used"):
        enlarge(pixels * 1.0)
