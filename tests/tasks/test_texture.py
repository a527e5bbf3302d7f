"""Texture in large holes: what repeats comes back, what is flat stays so, and what is known or thin is not touched."""

from typing import Any

import numpy as np
import pytest

import gannet
from gannet.media.photograph import Photograph
from gannet.media.pyramid import Mask, as_mask
from gannet.tasks._image_restoration.texture import THIN, large_holes, textured

RANDOM = np.random.default_rng(0)
ROWS, COLUMNS = np.mgrid[:120, :160]
SQUARE = (abs(ROWS - 62) < 20) & (abs(COLUMNS - 77) < 22)
PATTERNS = {
    "stripes": np.where(COLUMNS // 4 % 2, 200, 40),
    "checks": np.where((COLUMNS // 8 + ROWS // 8) % 2, 220, 30),
}


def colours(grey: Any, kind: type = np.uint8) -> np.ndarray:
    """A grey picture (h, w) in three channels, of eight or sixteen bits."""
    scale = np.iinfo(kind).max // 255
    return np.repeat((np.asarray(grey) * scale).astype(kind)[..., None], 3, 2)


def blurred(true: np.ndarray, lost: Mask) -> Photograph:
    """What a network makes of holes at worst: the mean tone."""
    return Photograph(np.where(lost[..., None], true.mean((0, 1)).astype(true.dtype), true))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_goes_on_in_a_hole(name: str, kind: type) -> None:
    true = colours(PATTERNS[name], kind)
    given = blurred(true, SQUARE)
    made = textured(given, SQUARE, 1.0).values
    wrong, before = (abs(one.astype(float) - true)[SQUARE].mean() for one in (made, given.values))
    assert made.dtype == kind and wrong < 0.1 * before
    half = textured(given, SQUARE, 0.5).values[SQUARE].astype(float)
    assert abs(half - (made[SQUARE] / 2 + given.values[SQUARE] / 2)).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_flat_picture_stays_flat_whatever_its_size(channels: int) -> None:
    for shape in ((120, 160), (391, 517)):
        values, lost = np.full((*shape, channels), 97, np.uint8), np.zeros(shape, bool)
        lost[40:90, 50:121] = True
        assert (textured(Photograph(values), lost, 1.0).values == 97).all()


def test_what_is_known_or_thin_stays_bit_for_bit_and_nothing_is_drawn_at_random() -> None:
    values, lost = RANDOM.integers(0, 256, (120, 160, 3), np.uint8), SQUARE.copy()
    lost[4 : 4 + 2 * THIN, :50] = True
    lost[100:, 10:12] = True
    given = Photograph(values)
    made = textured(given, lost, 1.0).values
    assert np.array_equal(made[~SQUARE], values[~SQUARE]) and (made[SQUARE] != values[SQUARE]).mean() > 0.9
    assert np.array_equal(made, textured(given, lost, 1.0).values)
    assert textured(given, lost & ~SQUARE, 1.0) is given and textured(given, lost, 0.0) is given


def test_holes_far_apart_are_filled_from_what_is_near_each() -> None:
    values = RANDOM.integers(0, 100, (120, 900, 1), np.uint8)
    values[:, 450:] += 120
    lost = np.zeros((120, 900), bool)
    lost[40:80, 40:80] = lost[40:80, 820:860] = True
    assert len(list(large_holes(lost))) == 2
    made = textured(blurred(values, lost), lost, 1.0).values
    assert made[:, 40:80][40:80].max() < 100 and made[:, 820:860][40:80].min() >= 120


def test_nothing_is_copied_from_what_is_lost_or_hidden() -> None:
    values, alpha = colours(PATTERNS["stripes"]), np.full((120, 160), 255, np.uint8)
    values[:, 120:], alpha[:, 120:] = (255, 0, 0), 0
    values[SQUARE] = (0, 255, 0)
    made = textured(Photograph(values, alpha), SQUARE, 1.0).values[SQUARE].astype(int)
    assert np.ptp(made, 1).max() < 30


@pytest.mark.parametrize("left", [0, 1, PATTERNS["stripes"].shape[0] // 24])
def test_where_no_whole_patch_is_known_all_stays(left: int) -> None:
    lost = np.ones((120, 160), bool)
    lost[:left] = False
    given = Photograph(RANDOM.integers(0, 256, (120, 160, 3), np.uint8))
    assert textured(given, lost, 1.0) is given
    tiny = Photograph(given.values[:3, :2])
    assert textured(tiny, np.ones((3, 2), bool), 1.0) is tiny


def test_the_shipped_model_is_asked_for_texture() -> None:
    model: Any = gannet.load("inpainting")
    given, mask = Photograph(colours(PATTERNS["checks"])), Photograph(as_mask(SQUARE))
    plain, made = (model(given, mask=mask, **more).value.values for more in ({}, {"texture": 1}))
    assert np.array_equal(plain, model.improve(given, mask).values)
    apart = [abs(one.astype(float) - given.values)[SQUARE].mean() for one in (plain, made)]
    assert apart[1] < 0.3 * apart[0] and np.array_equal(made[~SQUARE], given.values[~SQUARE])
    with pytest.raises(ValueError, match="texture"):
        model(given, mask=mask, texture=1.5)
