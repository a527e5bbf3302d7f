"""Sheets: known pixels, in a known order, at a known place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gannet.media import image
from gannet.media.grids import (
    GAP,
    GREYS,
    HEADING,
    PLANE_PIXELS,
    SMALLEST_SHEET,
    SQUARE,
    draw_grid,
    draw_points,
    panels,
    side_by_side,
    to_picture,
)

DOT = (40, 80, 200)


def test_a_sample_becomes_known_pixels() -> None:
    sample = torch.tensor([[[-1.0, 0.0, 1.0], [-7.0, 7.0, 0.5]]])
    assert np.asarray(to_picture(sample)).tolist() == [[0, 128, 255], [0, 255, 191]]


@given(st.integers(0, 255))
def test_a_pixel_survives_the_way_to_the_network_and_back(value: int) -> None:
    scaled = torch.full((1, 1, 1), float(value)) / 127.5 - 1
    assert to_picture(scaled).getpixel((0, 0)) == value


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "RGB"), (3, "RGB"), (4, "RGBA")])
def test_channels_choose_the_mode(channels: int, mode: str) -> None:
    picture = to_picture(torch.full((channels, 2, 5), -1.0).index_fill(0, torch.tensor([0]), 1.0))
    assert (picture.mode, picture.size) == (mode, (5, 2))
    first = picture.getpixel((4, 1))
    assert (first[0] if isinstance(first, tuple) else first) == 255
    assert isinstance(first, int) or set(first[1:]) <= {0}


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 9))
def test_a_grid_holds_every_sample_in_reading_order(count: int, height: int, width: int) -> None:
    levels = torch.arange(count) * 8
    samples = (levels / 127.5 - 1)[:, None, None, None].expand(count, 1, height, width)
    sheet = draw_grid(samples)
    columns = next(side for side in range(1, 31) if side**2 >= count)
    factor = max(1, SMALLEST_SHEET // (columns * width))
    wide, high = width * factor + GAP, height * factor + GAP
    assert sheet.size == (columns * wide, -(-count // columns) * high)
    for index in range(count):
        left, top = index % columns * wide, index // columns * high
        tile = np.asarray(sheet)[top : top + high, left : left + wide]
        assert (tile[:-GAP, :-GAP] == 8 * index).all()
        assert (tile[-GAP:] == 128).all()


def test_one_sample_is_drawn_as_it_is() -> None:
    assert image.medium.preview(torch.zeros(1, 3, 8, 6)).size == (6, 8)


def coloured(picture: Image.Image) -> tuple[float, float]:
    """The centre of the dots, in pixels right and down."""
    down, right = np.nonzero((np.asarray(picture) == DOT).all(2))
    return float(right.mean()), float(down.mean())


@pytest.mark.parametrize(
    ("point", "place"),
    [((0, 0), (0.5, 0.5)), ((0.8, 0), (0.75, 0.5)), ((0, 0.8), (0.5, 0.25)), ((-0.8, -0.8), (0.25, 0.75))],
)
def test_a_point_lies_where_it_should(point: tuple[float, float], place: tuple[float, float]) -> None:
    picture = draw_points(torch.tensor([point]))
    assert picture.size == (PLANE_PIXELS, PLANE_PIXELS)
    assert coloured(picture) == pytest.approx([part * PLANE_PIXELS for part in place], abs=1)


def test_points_outside_the_plane_are_left_out() -> None:
    assert draw_points(torch.tensor([[9.0, 9.0], [-9.0, 0.0]])).getcolors() == [(PLANE_PIXELS**2, (255, 255, 255))]


def test_what_is_transparent_in_a_comparison_shows_squares_and_not_what_is_hidden() -> None:
    picture = Image.new("RGBA", (2 * SQUARE, 2 * SQUARE), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, SQUARE, SQUARE))
    for shown in panels(picture, picture):
        assert shown.getpixel((2, 2)) == (0, 0, 255)
        assert shown.getpixel((SQUARE + 2, 2)) == (GREYS[0],) * 3
        assert shown.getpixel((SQUARE + 2, SQUARE + 2)) == (GREYS[1],) * 3


@pytest.mark.parametrize(("width", "top"), [(20, 0), (100, 2 * HEADING)])
def test_pairs_stand_below_headings_where_those_have_room(width: int, top: int) -> None:
    pairs = [
        tuple(Image.new("RGB", (width, 10), colour) for colour in row) for row in (("red", "blue"), ("lime", "navy"))
    ]
    sheet = side_by_side(pairs)  # type: ignore[arg-type]
    assert sheet.size == (2 * width + GAP, top + 20 + GAP)
    for row, (left, right) in enumerate(pairs):
        for at, picture in ((0, left), (width + GAP, right)):
            corner = (at, top + row * (10 + GAP))
            assert sheet.crop((*corner, corner[0] + width, corner[1] + 10)).tobytes() == picture.tobytes()
    for at in (0, width + GAP):
        strip = np.asarray(sheet.crop((at, 0, at + width, top)))
        assert top == 0 or (strip.min() < 200 and strip.max() == 255), "words in white"
