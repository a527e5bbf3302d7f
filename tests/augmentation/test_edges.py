"""Edges and line drawings: lines lie where steps do and nowhere else, however light the picture is."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gannet.augmentation.draws import Drawn
from gannet.augmentation.edges import (
    MOST_WIDE,
    dark_sides,
    edge_agreement,
    line_width,
    standard_edges,
    thin_edges,
    widened,
)
from gannet.augmentation.line_drawings import BROKEN, line_drawing, standard_drawing

ONE = torch.ones(1)


def draws(count: int, seed: int = 0) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(seed))


def step(place: int, height: float, middle: float = 0.0, side: int = 40) -> Tensor:
    """A picture that is darker up to a column, by a share of black to white."""
    picture = torch.full((1, 3, side, side), middle + height)
    picture[..., :place] = middle - height
    return picture


def vertical(width: int, depth: float = 1.0, side: int = 40) -> Tensor:
    """Ink of one line."""
    ink = torch.zeros(1, 1, side, side)
    ink[..., 15 : 15 + width] = depth
    return ink


@given(place=st.integers(8, 32), height=st.floats(0.3, 0.6), turned=st.booleans(), deviation=st.floats(0.5, 2.0))
def test_the_edge_of_a_step_is_a_line_of_one_pixel_where_it_lies(
    place: int, height: float, turned: bool, deviation: float
) -> None:
    picture = step(place, height)
    picture = picture.transpose(2, 3) if turned else picture
    ink = thin_edges(picture, deviation * ONE, 0.1 * ONE)
    columns = (ink.transpose(2, 3) if turned else ink)[0, 0].sum(0)
    assert set(ink.unique().tolist()) == {0.0, 1.0}
    assert columns.nonzero().flatten().tolist() in ([place - 1], [place]) and float(columns.sum()) == 40


@given(place=st.integers(12, 28), height=st.floats(0.2, 0.6))
def test_the_dark_side_of_a_step_is_inked_and_no_other_place(place: int, height: float) -> None:
    ink = dark_sides(step(place, height), 0.7 * ONE, 0.1 * ONE)[0, 0, 20]
    assert float(ink[place - 1]) > 0.2 and float(ink[place:].max()) == 0
    assert float(ink[: place - 5].max()) == 0


@given(light=st.floats(-0.5, 0.5), level=st.floats(-0.4, 0.4))
def test_even_areas_stay_empty_and_lightness_does_not_matter(light: float, level: float) -> None:
    even = torch.full((1, 3, 24, 24), level)
    picture = 0.4 * (torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(3)) - 0.5)
    for way in (thin_edges, dark_sides):
        assert float(way(even, ONE, 0.05 * ONE).max()) == 0
        ink = way(picture, ONE, 0.05 * ONE)
        assert float(ink.max()) > 0
        torch.testing.assert_close(way(picture + light, ONE, 0.05 * ONE), ink, atol=1e-3, rtol=0)


def test_colours_as_light_as_each_other_have_an_edge_and_low_steps_have_none() -> None:
    colours = step(20, 0.0)
    colours[:, 0, :, 20:], colours[:, 1, :, 20:] = 0.5, -0.5
    for way in (thin_edges, dark_sides):
        assert float(way(colours, ONE, 0.1 * ONE).sum()) > 20
        assert float(way(step(20, 0.04), ONE, 0.1 * ONE).sum()) == 0


def test_a_weak_edge_is_drawn_where_it_goes_on_from_a_strong_one() -> None:
    fading = step(20, 0.06)  # Drawn from 0.05 on, strong from 0.1 on.
    assert float(thin_edges(fading, ONE, 0.05 * ONE).sum()) == 0
    fading[:, :, :20] = step(20, 0.3)[:, :, :20]
    rows = thin_edges(fading, ONE, 0.05 * ONE)[0, 0].sum(1)
    assert float(rows[:20].min()) > 0 and float(rows[22:28].min()) > 0 and float(rows[36:].sum()) == 0


@given(width=st.integers(1, 9), depth=st.floats(0.1, 1.0))
def test_the_width_of_a_line_is_measured_however_deep_it_is(width: int, depth: float) -> None:
    # Its ends lie at the picture's sides, and count as sides of it.
    expected = 2 * 40 * width / (2 * 40 + 2 * width)
    assert float(line_width(vertical(width, depth))[0]) == pytest.approx(expected, rel=0.05)
    assert float(line_width(torch.zeros(1, 1, 9, 9))[0]) == 0


@given(width=st.floats(1, MOST_WIDE))
def test_lines_become_as_wide_as_is_asked(width: float) -> None:
    ink = widened(vertical(1), width * ONE)
    assert float(ink[0, 0, 20].sum()) == pytest.approx(width, abs=1e-4)
    assert float(ink[0, 0, 20, 15]) == 1


def test_edges_are_found_again_within_a_pixel_and_not_beyond() -> None:
    picture, even = step(20, 0.4), step(20, 0.0)
    assert float(edge_agreement(picture, picture)) == 1 == float(edge_agreement(even, even))
    assert float(edge_agreement(step(21, 0.4), picture)) == 1
    assert float(edge_agreement(step(24, 0.4), picture)) == 0 == float(edge_agreement(even, picture))
    twice = step(20, 0.4)
    twice[..., 30:] = -0.4
    assert float(edge_agreement(picture, twice)) == pytest.approx(2 / 3, abs=0.01)
    assert set(standard_edges(twice).unique().tolist()) == {0.0, 1.0}


def test_drawings_are_white_paper_with_dark_lines_each_in_a_way_of_its_own() -> None:
    pictures = step(20, 0.5, side=64).expand(60, -1, -1, -1)
    drawn = line_drawing(pictures, draws(60))
    assert drawn.shape == (60, 1, 64, 64) and float(drawn.abs().max()) <= 1
    ink = (1 - drawn) / 2
    assert float(ink[..., 28:].mean()) < 0.06 and float(ink[..., 5:14].mean()) < 0.06
    lines = ink[..., 14:24].amax(3).mean((1, 2))  # Of each drawing.
    assert float(lines.min()) > 0.15 and float(lines.std()) > 0.1
    widths = (ink[..., 14:26] > 0.2).float().sum(3).mean((1, 2))
    assert float(widths.min()) < 1.5 and float(widths.max()) > 3.5
    gaps = (ink[..., 14:26].amax(3) < 0.12).float().mean((1, 2)) > 0.05
    assert 0.1 < float(gaps.float().mean()) < BROKEN + 0.1


def test_the_outline_of_a_thing_is_drawn_even_where_it_is_as_white_as_the_paper() -> None:
    thing, white = torch.zeros(40, 1, 48, 48), torch.ones(40, 3, 48, 48)
    thing[:, :, 12:36, 12:36] = 1
    for drawn in (line_drawing(white, draws(40), thing), standard_drawing(white, thing)):
        across = (1 - drawn[:, 0, 24]) / 2
        sides = torch.cat([across[:, 9:16].amax(1), across[:, 32:39].amax(1)])
        assert float((sides > 0.25).float().mean()) > 0.85  # Some are broken there.
        assert float(across[:, 20:28].mean()) < 0.06
    assert bool((line_drawing(white, draws(40)) > 0.6).all())
