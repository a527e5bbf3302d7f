"""Drawings become things: what is learned from, real drawings brought to it, and white that stays white."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from contracts import untrained
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage
from scipy.ndimage import maximum_filter
from torch import Tensor

from gannet.augmentation.draws import Drawn
from gannet.augmentation.edges import MOST_WIDE, line_width
from gannet.media.photograph import Photograph, read_photograph
from gannet.schema import Choice, check
from gannet.tasks import edges_to_object
from gannet.tasks.edges_to_object.learning import COLOURS, Config, as_given, drawing_of, things, training_pair
from gannet.tasks.edges_to_object.pipeline import dots_of, hinted, put_back
from gannet.tasks.edges_to_object.reading import (
    Reading,
    Square,
    is_photograph,
    read_any,
    read_drawing,
    square_around,
    thing_within,
)

CONFIG = check(Config, {"patch": 64}, "task")
RANDOM = np.random.default_rng(0)
SHIRT = [(38, 14), (44, 19), (56, 19), (62, 14), (80, 22), (90, 44), (78, 50), (73, 40), (74, 88), (26, 88), (27, 40)]
SHIRT += [(22, 50), (10, 44), (20, 22), (38, 14)]


def draws(count: int, seed: int = 0) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(seed))


def shirt(side: int = 300, width: float = 3.0, ink: Any = (0, 0, 0), paper: Any = (255, 255, 255)) -> Image.Image:
    """A shirt's outline and two folds, with smooth edges."""
    large = Image.new("RGB", (4 * side, 4 * side), paper)
    pen, scale = ImageDraw.Draw(large), 4 * side / 100
    for line in (SHIRT, [(34, 48), (38, 62)], [(66, 50), (61, 66)]):
        pen.line([(x * scale, y * scale) for x, y in line], ink, max(1, round(4 * width)), "curve")
    return large.resize((side, side), Image.Resampling.LANCZOS)


def taken(drawing: Image.Image) -> Image.Image:
    """A drawing as a camera sees it on a desk: yellowish, darker to one side, grainy, a little soft."""
    light = 0.1 + 0.85 * np.asarray(drawing, np.float32) / 255
    height, width = light.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    shade = 0.6 + 0.35 * columns / width - 0.2 * rows / height + 0.08 * np.sin(5 * columns / width + 3 * rows / height)
    light = light * shade[..., None] * np.array([1, 0.93, 0.8]) + RANDOM.normal(0, 0.02, light.shape)
    return Image.fromarray((light.clip(0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))


def on_nothing(drawing: Image.Image, colour: int) -> Image.Image:
    """Lines of a colour, transparent elsewhere."""
    cover = 255 - np.asarray(drawing.convert("L"))
    return Image.fromarray(np.dstack([np.full((*cover.shape, 3), colour, np.uint8), cover]))


def read(drawing: Image.Image) -> Reading:
    return read_drawing(read_photograph(drawing), 96)


@cache
def usual() -> Reading:
    return read(shirt())


def overlap(first: Tensor, second: Tensor) -> float:
    """How much of the ink of two drawings lies within a pixel of that of the other, the lesser share."""
    ours, theirs = ((one[0, 0] < 0).numpy() for one in (first, second))
    return float(
        min(
            (ours & maximum_filter(theirs, 3)).sum() / ours.sum(),
            (theirs & maximum_filter(ours, 3)).sum() / theirs.sum(),
        )
    )


WAYS = {
    "inverted": lambda: Image.fromarray(255 - np.asarray(shirt())),
    "a blueprint": lambda: shirt(ink=(235, 240, 255), paper=(30, 60, 140)),
    "brown paper": lambda: shirt(ink=(40, 30, 20), paper=(190, 150, 110)),
    "grey": lambda: shirt(ink=(160, 160, 160)),
    "a red pencil": lambda: shirt(ink=(220, 60, 40)),
    "a yellow pencil": lambda: shirt(ink=(250, 220, 60)),
    "taken with a camera": lambda: taken(shirt()),
    "transparent": lambda: on_nothing(shirt(), 0),
    "white on nothing": lambda: on_nothing(shirt(), 255),
    "thin and large": lambda: shirt(900, 1.0),
    "small": lambda: shirt(96, 1.0),
    "beside much paper": lambda: padded(shirt(200, 2)),
}


def padded(drawing: Image.Image) -> Image.Image:
    page = Image.new("RGB", (600, 420), (255, 255, 255))
    page.paste(drawing, (350, 30))
    return page


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_drawn_it_is_read_as_nearly_the_same_drawing(way: str) -> None:
    found = read(WAYS[way]())
    assert overlap(found.drawing, usual().drawing) > 0.9
    assert float((found.within - usual().within).abs().mean()) < 0.1  # A pixel that differs counts two.
    assert float((found.drawing > 0.9).float().mean()) > 0.75, "paper is white"
    assert not is_photograph(read_photograph(WAYS[way]()))


def test_lines_are_brought_near_the_widths_that_were_learned() -> None:
    for width in (0.6, 1, 3, 12, 20):
        found = read(shirt(400, width))
        assert 1.2 < float(line_width((1 - found.drawing) / 2)[0]) < 1.2 * MOST_WIDE
        assert float((found.within - usual().within).abs().mean()) < 0.15
        ink, middle = found.drawing[0, 0] < 0.5, usual().drawing[0, 0] < 0
        assert float((torch.from_numpy(maximum_filter(ink.numpy(), 3)) & middle).sum() / middle.sum()) > 0.9


@settings(max_examples=10)
@given(
    side=st.integers(80, 500),
    share=st.floats(0.004, 0.05),
    dark=st.integers(0, 140),
    light=st.integers(200, 255),
    inverted=st.booleans(),
)
def test_size_width_and_shade_of_a_drawing_matter_little(
    side: int, share: float, dark: int, light: int, inverted: bool
) -> None:
    picture = shirt(side, max(1.0, share * side), (dark,) * 3, (light,) * 3)
    picture = Image.fromarray(255 - np.asarray(picture)) if inverted else picture
    found = read(picture)
    if share <= 0.028:  # Wider lines stay wider than the usual ones by more than a pixel to either side, as learned.
        # Below twice the side that was learned from, half a pixel here is a good part of one there.
        assert overlap(found.drawing, usual().drawing) > (0.85 if side >= 128 else 0.8)
    assert float((found.within - usual().within).abs().mean()) < 0.12


@pytest.mark.parametrize("gap", [3, 6])
def test_the_outline_may_have_gaps_and_where_it_is_open_nothing_is_said(gap: int) -> None:
    ink = torch.zeros(1, 1, 64, 64)
    ink[..., 10:54, 10], ink[..., 10:54, 53], ink[..., 10, 10:54], ink[..., 53, 10:54] = 1, 1, 1, 1
    closed = thing_within(ink)
    assert float((closed > 0).float().mean()) == pytest.approx((44 / 64) ** 2, abs=1e-6)
    ink[..., 10, 30 : 30 + gap] = 0
    assert float((thing_within(ink) > 0).float().mean()) == pytest.approx((44 / 64) ** 2, abs=0.01)
    ink[..., 10, 11:53] = 0
    assert not bool(thing_within(ink).any())


@given(
    top=st.integers(-9, 20),
    left=st.integers(-9, 20),
    side=st.integers(1, 30),
    size=st.tuples(*[st.integers(1, 20)] * 2),
)
def test_a_square_is_put_back_where_it_was_cut(top: int, left: int, side: int, size: tuple[int, int]) -> None:
    values = RANDOM.integers(1, 256, (*size, 3), np.uint8)
    square, made = Square(top, left, side), np.zeros_like(values)
    square.paste(Image.fromarray(square.cut(values, 0)), made)
    inside = np.zeros(size, bool)
    inside[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)] = True
    assert np.array_equal(made, values * inside[..., None])
    assert square.cut(values, None).shape == (side, side, 3)


def test_a_very_long_drawing_takes_the_memory_of_what_shows() -> None:
    drawing = Image.new("L", (30_000, 60), 255)
    for left in (50, 29_500):
        ImageDraw.Draw(drawing).rectangle((left, 0, left + 400, 60), 0)
    found = read_drawing(read_photograph(drawing), 32)
    assert found.square.side > 35_000
    values = np.full((60, 30_000, 3), 255, np.uint8)
    found.square.paste(Image.new("RGB", (32, 32), (1, 2, 3)), values)
    assert (values == [1, 2, 3]).all()


def test_the_square_is_around_what_is_drawn_and_not_around_specks() -> None:
    ink = np.zeros((50, 100), np.float32)
    ink[10:30, 40:80] = 1
    ink[45, 3] = 1
    assert square_around(ink, (100, 200)) == Square(40 - 48, 120 - 48, 96)


# Photographs


def garment(seed: int = 0) -> Image.Image:
    """A red thing on a wooden floor, with grain and shadow."""
    random = np.random.default_rng(seed)
    light = np.array([150, 110, 70]) + 6 * random.standard_normal((160, 120, 3)) + np.linspace(-15, 15, 120)[:, None]
    light[35:130, 25:95] = np.array([190, 30, 40]) + 6 * random.standard_normal((95, 70, 3))
    light[60:64, 40:80] = 30
    return Image.fromarray(light.clip(0, 255).astype(np.uint8))


def test_of_a_photograph_the_edges_are_taken_and_that_is_said() -> None:
    found = read_any(read_photograph(garment()), 96, "auto")
    assert found.ink is None and "taken for a photograph" in found.words[0] and "--as drawing" in found.words[0]
    asked = read_any(read_photograph(garment()), 96, "photograph")
    assert not asked.words and torch.equal(asked.drawing, found.drawing)
    within = (found.within > 0).float().mean()
    assert float(within) == pytest.approx(95 * 70 / (1.2 * 95) ** 2, rel=0.1), "the thing, on white"
    assert float((found.drawing < 0).float().mean()) == pytest.approx(0.06, abs=0.04)
    assert read_any(read_photograph(garment()), 96, "drawing").ink is not None


def test_a_model_says_what_it_took_for_a_photograph() -> None:
    assert any("taken for a photograph" in words for words in untrained("edges-to-object")(garment()).value.notices)
    for made in (untrained("edges-to-object")(garment(), as_="drawing"), untrained("edges-to-object")(shirt())):
        assert not any("photograph" in words for words in made.value.notices)


# What is learned from


def scenes(count: int) -> Tensor:
    arrays = [np.asarray(garment(seed)) for seed in range(count)]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_things_stand_on_white_where_they_are_told_from_their_background() -> None:
    target, thing, known = things(scenes(12), draws(12), CONFIG)
    assert bool(known.all()) and target.shape == (12, 3, 64, 64) and thing.shape == (12, 1, 64, 64)
    assert bool((target.permute(0, 2, 3, 1)[thing[:, 0] == 0] == 1).all())
    red = target.permute(0, 2, 3, 1)[thing[:, 0] == 1]
    assert float(red[:, 0].mean()) > 0.3 and float(red[:, 1].mean()) < -0.6
    shares = thing.mean((1, 2, 3))
    assert 0.3 < float(shares.min()) < 0.5 < float(shares.max()) < 0.7
    own, all_of_it, _ = things(scenes(12), draws(12), check(Config, {"patch": 64, "background": "own"}, "task"))
    assert float(all_of_it.min()) > 0.999 and float(own.amax()) < 0.95


def test_a_pair_is_a_drawing_with_hints_and_outline_for_some() -> None:
    pair = training_pair(scenes(60), draws(60), CONFIG)
    drawing, hints, told, within = pair.input.split([1, COLOURS, 1, 1], 1)
    assert set(told.unique().tolist()) == {0.0, 1.0}
    assert bool((hints * (1 - told) == 0).all())
    assert 0.2 < float(told.flatten(1).any(1).float().mean()) < 0.6
    assert 0.6 < float(within.flatten(1).any(1).float().mean()) < 0.9
    assert float((drawing > 0.7).float().mean()) > 0.6 and float(drawing.amin()) < -0.8
    inside = (told > 0) & (within == 1)
    assert float((hints - pair.target).abs().mean(1, keepdim=True)[inside].mean()) < 0.15
    shown = drawing_of(pair.input)
    assert torch.equal(shown[:, :1][told == 0], drawing[told == 0])


def test_pairs_are_the_same_where_networks_compute_in_half_precision() -> None:
    plain = training_pair(scenes(4), draws(4), CONFIG)
    with torch.autocast("cpu", torch.bfloat16):
        half = training_pair(scenes(4), draws(4), CONFIG)
    assert torch.equal(half.input, plain.input) and torch.equal(half.target, plain.target)


# Use


def painter(seed: int = 0) -> Any:
    """A model that paints at random."""
    model: Any = untrained("edges-to-object")
    torch.manual_seed(seed)
    torch.nn.init.normal_(model.networks["generator"].unet.exit.weight)
    return model


def test_what_lies_without_an_outline_stays_white_whatever_is_painted() -> None:
    made = painter()(padded(shirt(200, 2))).value.values
    outside = np.ones(made.shape[:2], bool)
    outside[30:230, 350:550] = False
    assert (made[outside] == 255).all() and (made[100:200, 420:480] < 250).any()
    corner = made[32:45, 352:370]
    assert (corner == 255).all(), "beside the shoulder, within the square"


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(1, 90), width=st.integers(1, 90), mode=st.sampled_from(["L", "RGB", "RGBA", "I;16", "1", "P"])
)
def test_a_picture_is_as_large_as_its_drawing_and_opaque(height: int, width: int, mode: str) -> None:
    drawing = Image.new("L", (width, height), 255)
    ImageDraw.Draw(drawing).line([(width // 3, 0), (width // 3, height)], 0)
    given_ = Image.fromarray(np.asarray(drawing, np.uint16) * 257) if mode == "I;16" else drawing.convert(mode)
    try:
        made = painter()(given_, **{"as": "drawing"}).value
    except ValueError as error:
        assert "is empty" in str(error) and width < 4  # All of it is a line.
        return
    assert made.values.shape == (height, width, 3) and made.values.dtype == np.uint8 and made.alpha is None


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_an_empty_drawing_is_refused(colour: int) -> None:
    for drawing in (Image.new("RGB", (50, 60), (colour,) * 3), Image.new("RGBA", (50, 60), (colour, 0, 0, 0))):
        with pytest.raises(ValueError, match=r"^The drawing is empty: .*; give lines\.$"):
            painter()(drawing)
    white = painter().improve(Photograph(np.full((40, 30, 1), colour, np.uint8)))
    assert (white.values == 255).all() and white.values.shape == (40, 30, 3)


def hints(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    made = Image.new("RGBA", size)
    ImageDraw.Draw(made).ellipse(box, (200, 20, 30, 255))
    return made


def test_hints_change_what_is_painted_and_those_of_no_use_are_refused() -> None:
    model, drawing = painter(), padded(shirt(200, 2))
    plain = model(drawing).value.values
    hinted = model(drawing, hints=hints((600, 420), (440, 110, 460, 130))).value.values
    assert not np.array_equal(plain, hinted)
    with pytest.raises(ValueError, match=r"^The hints are 60x42 and the drawing is 600x420; give hints of its size\.$"):
        model(drawing, hints=hints((60, 42), (4, 4, 9, 9)))
    with pytest.raises(ValueError, match=r"^The hints lie beside the drawing; .*on it\.$"):
        model(drawing, hints=hints((600, 420), (10, 300, 40, 330)))
    with pytest.raises(ValueError, match="transparent elsewhere"):
        model(drawing, hints=drawing)


def test_hints_fill_a_drawing_with_their_colours_and_leave_its_lines_and_drawings_without_any() -> None:
    drawing, told = torch.ones(2, 1, 32, 32), torch.zeros(2, 4, 32, 32)
    drawing[:, :, 16] = -1
    colour = torch.tensor([0.6, -0.5, -0.2])
    told[0, :3, 4, 4], told[0, 3, 4, 4] = colour, 1
    filled = hinted(drawing, told)
    assert torch.equal(filled[1], drawing[1].expand(3, -1, -1)), "of this nothing was told"
    paper = drawing[0, 0] > 0
    assert torch.allclose(filled[0, :, paper], colour[:, None].expand(3, int(paper.sum())), atol=1e-5)
    assert bool((filled[0, :, 16] == -1).all()), "lines stay"
    told[0, :3, 28, 28], told[0, 3, 28, 28] = -colour, 1
    filled = hinted(drawing, told)
    assert torch.allclose(filled[0, :, 4, 4], colour, atol=1e-5) and torch.allclose(
        filled[0, :, 28, 28], -colour, atol=1e-5
    )
    assert float((filled[0, :, 2, 2] - colour).abs().max()) < 0.1, "the nearer one counts"


def things_to_colour() -> dict[str, Reading]:
    """A shirt, one whose outline is open, a bar a few pixels high, and a single stroke."""
    bar, stroke = (torch.ones(1, 1, 96, 96) for _ in range(2))
    within = torch.full_like(bar, -1)
    within[..., 41:46, 10:70] = 1
    stroke[..., 50, 20:60] = -1
    unknown = torch.zeros_like(bar)
    return {
        "shirt": usual(),
        "open": replace(usual(), within=unknown),
        "bar": replace(usual(), drawing=bar, within=within),
        "stroke": replace(usual(), drawing=stroke, within=unknown),
    }


@pytest.mark.parametrize("name", ["shirt", "open", "bar", "stroke"])
def test_a_colour_becomes_a_few_dots_on_whatever_is_drawn(name: str) -> None:
    reading = things_to_colour()[name]
    told = dots_of((192, 48, 32), reading)
    there = told[0, 3] > 0
    assert told.shape == (1, 4, 96, 96) and set(told[0, 3].unique().tolist()) == {0.0, 1.0}
    assert 2 <= ndimage.label(there.numpy(), np.ones((3, 3)))[1] <= 6
    colours = (told[0, :3, there] + 1) * 127.5
    assert torch.allclose(colours, torch.tensor([192.0, 48, 32])[:, None].expand_as(colours), atol=1e-3)
    assert not told[0, :3, ~there].any()
    thing = {"stroke": reading.drawing < 0, "open": usual().within > 0}.get(name, reading.within > 0)[0, 0]
    assert float(thing[there].float().mean()) > 0.9
    columns = there.nonzero()[:, 1]
    assert int(columns.max() - columns.min()) > 20, "they are spread"


@pytest.mark.parametrize("colour", ["reddish", "rgb(999,0,0)", "#c0302000", "#c03", "hsl(0,100%,50%)"])
def test_a_colour_is_a_name_or_six_digits(colour: str) -> None:
    with pytest.raises(ValueError, match=rf"{re.escape(repr(colour))} is no colour; give a name such as crimson"):
        untrained("edges-to-object").options({"colour": colour})


def test_a_colour_changes_what_is_painted_and_stands_alone() -> None:
    model, drawing = painter(), padded(shirt(200, 2))
    made = [model(drawing, colour=colour).value.values for colour in ("", "Crimson", "#dc143c", "navy")]
    assert np.array_equal(made[1], made[2])
    assert not np.array_equal(made[0], made[1]) and not np.array_equal(made[1], made[3])
    with pytest.raises(ValueError, match="give one of them"):
        model(drawing, hints=hints((600, 420), (440, 110, 460, 130)), colour="crimson")


def test_the_lines_of_the_drawing_are_laid_over_as_much_as_is_asked() -> None:
    model, drawing = painter(), shirt()
    plain, half, whole = (model(drawing, lines=lines).value.values.astype(float) for lines in (0.0, 0.5, 1.0))
    dark = np.asarray(drawing.convert("L")) < 20
    assert whole[dark].mean() < 30 and abs(half[dark].mean() - plain[dark].mean() / 2) < 20
    paper = np.asarray(drawing.convert("L")) == 255
    assert np.abs(whole[paper] - plain[paper]).mean() < 6
    with pytest.raises(ValueError, match="lines"):
        model(drawing, lines=2.0)


def test_what_was_made_of_tensors_is_a_drawing_of_which_nothing_else_is_told() -> None:
    model, drawing = painter(), usual().drawing
    network = model.networks["generator"]
    with torch.no_grad():
        expected = network(as_given(drawing)).clamp(-1, 1)
    torch.testing.assert_close(model.compute(drawing.expand(-1, 3, -1, -1)), expected)


# Judging


def test_the_truth_has_all_edges_and_colours_and_the_drawing_only_the_edges() -> None:
    real = read_photograph(garment())
    pair = edges_to_object.evaluation_pair(real, CONFIG)
    assert pair.input.values.shape == (64, 64, 1) and pair.target.values.shape == (64, 64, 3)
    true = edges_to_object.figures(pair.target, pair, None)
    assert true["edges found again (F1)"] == 1 and true["chroma error"] == 0
    drawn = edges_to_object.figures(pair.baselines["the drawing itself"], pair, None)
    filled = edges_to_object.figures(pair.baselines["the true mean colour"], pair, None)
    assert drawn["edges found again (F1)"] > 0.7 and drawn["chroma error"] > 20 > 2 * filled["chroma error"]
    again = edges_to_object.evaluation_pair(real, CONFIG)
    assert np.array_equal(again.input.values, pair.input.values), "the same each time"


@pytest.mark.parametrize("size", [(2, 1), (19, 2), (1, 1)])
def test_the_edges_of_a_tiny_picture_are_taken_or_refused_in_a_sentence(size: tuple[int, int]) -> None:
    for seed in range(5):
        values = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)
        assert read_any(Photograph(values), 64, "photograph").drawing.isfinite().all()


def outlined(*strokes: list[tuple[float, float]]) -> Image.Image:
    """A drawing of some strokes, of a hundred units a side."""
    picture = Image.new("RGB", (400, 400), "white")
    for stroke in strokes:
        ImageDraw.Draw(picture).line([(4 * x, 4 * y) for x, y in stroke], "black", 6, "curve")
    return picture


def share_of(picture: Image.Image, corners: list[tuple[float, float]]) -> float:
    """How much of what lies between some corners is within the outline that was read."""
    true = Image.new("L", (400, 400))
    ImageDraw.Draw(true).polygon([(4 * x, 4 * y) for x, y in corners], 255)
    found = read(picture)
    inside = found.within[0, 0].numpy() > 0
    there = Image.fromarray(found.square.cut(np.asarray(true), 0)).resize(inside.shape, Image.Resampling.BOX)
    return float(inside[np.asarray(there) > 127].mean())


@pytest.mark.parametrize(("mouth", "knees"), [(14, 9), (12, 8), (6, 12), (8, 18)])
def test_what_lies_between_two_legs_stays_open_however_near_the_feet_are(mouth: float, knees: float) -> None:
    left, right = ([(50 + side * mouth / 2, 95), (50 + side * knees / 2, 70)] for side in (-1, 1))
    outer = [(43 - mouth, 95), (30, 10), (70, 10), (57 + mouth, 95)]
    drawn = outlined([*left[::-1], *outer, *right, (50, 40), left[1]])
    assert share_of(drawn, [*left, (50, 50), *right[::-1]]) < 0.35, "the lines' own pixels"
    for leg, side in ((left, -1), (right, 1)):
        thigh = [(50 + 14 * side, 60), leg[1], leg[0], (50 + side * (5 + mouth), 93)]
        assert share_of(drawn, thigh) > 0.95
    assert share_of(drawn, [(33, 14), (67, 14), (64, 36), (36, 36)]) == 1


@pytest.mark.parametrize("gap", [1.0, 3.0, 6.0, 9.0])
@pytest.mark.parametrize("seams", [True, False])
def test_a_sleeve_whose_cuff_is_open_is_within(gap: float, seams: bool) -> None:
    upper, lower = np.array(SHIRT[5], float), np.array(SHIRT[6], float)
    middle, half = (upper + lower) / 2, gap / 2 * (lower - upper) / np.linalg.norm(lower - upper)
    strokes = [[*SHIRT[:6], tuple(middle - half)], [tuple(middle + half), *SHIRT[6:]]]
    drawn = outlined(*strokes, *([[(80, 22), (73, 40)], [(20, 22), (27, 40)]] if seams else []))
    assert share_of(drawn, [(80, 24), (88, 43), (78, 48), (74, 40)]) > 0.97
    assert share_of(drawn, [(20, 24), (12, 43), (22, 48), (26, 40)]) > 0.97
    assert share_of(drawn, [(79, 56), (92, 50), (92, 80), (79, 80)]) == 0


@pytest.mark.parametrize("thick", [2, 3, 4, 5, 8])
def test_a_thin_part_keeps_its_colour(thick: int) -> None:
    """An arm beside a body, painted in a colour of its own."""
    ink, made = torch.zeros(1, 1, 96, 96), torch.ones(1, 3, 96, 96)
    body, arm = (slice(20, 76), slice(20, 50)), (slice(40, 40 + thick), slice(50, 90))
    for part, colour in ((body, (-1.0, -1.0, 1.0)), (arm, (1.0, -1.0, -1.0))):
        ink[0, 0][part] = 1
        made[0][:, *part] = torch.tensor(colour)[:, None, None]
    within = ink.clone()
    ink[0, 0][body[0].start + 1 : body[0].stop - 1, body[1].start + 1 : body[1].stop - 1] = 0
    values = put_back(made, Reading(1 - 2 * ink, 2 * within - 1, Square(0, 0, 384)), (384, 384)).astype(int)
    along = values[4 * 40 + 2 * thick, 4 * 56 : 4 * 86]
    assert (np.abs(along - (255, 0, 0)) < 16).all(), "its middle"
    inner = values[4 * 24 : 4 * 72, 4 * 24 : 4 * 46]
    assert (np.abs(inner - (0, 0, 255)) < 16).all()
    beyond = values[4 * 45 + 4 * thick :, 4 * 54 :]
    assert (beyond == 255).all()


def test_an_outline_stays_smooth_where_the_picture_is_enlarged() -> None:
    """A circle's border lies as far from its middle all around, by far less than a pixel of what was painted."""
    side, radius = 900, 300
    picture = Image.new("RGB", (side, side), "white")
    middle = [side / 2 - radius, side / 2 - radius, side / 2 + radius, side / 2 + radius]
    ImageDraw.Draw(picture).ellipse(middle, outline="black", width=14)
    model: Any = untrained("edges-to-object")
    model.config = model.config.model_copy(update={"task": Choice(name="edges-to-object", patch=96)})
    made = model(picture, colour="navy").value.values.astype(float)
    ink = (255 - made.mean(2)) > 64
    down, across = np.mgrid[:side, :side] - (side - 1) / 2
    angle, far = np.arctan2(down, across), np.hypot(down, across)
    reach = [far[ink & (np.abs(angle - at) < 0.01)].max() for at in np.linspace(-3, 3, 60)]
    pixel = read(picture).square.side / 96
    assert np.std(reach) < 0.15 * pixel and np.mean(reach) == pytest.approx(radius, abs=0.5 * pixel)
    assert (made[far > radius + pixel] == 255).all()
