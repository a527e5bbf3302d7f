"""Exploring generators whose answers are known: planted directions, classes, truncation, and pictures found again."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from gannet.adversarial.two_player import GENERATOR
from gannet.data.image_dataset import Description
from gannet.networks.plain import pair_of
from gannet.runtime.progress import Stopped, Watch
from gannet.schema import Choice
from gannet.tasks.generation.exploring import Explorer, Point
from gannet.tasks.generation.pipeline import GenerationPipeline, Settings
from gannet.tasks.generation.projection import Search, _nearest, fitted_picture, project

SIDE, LATENT = 8, 4


class Linear(nn.Module):
    """Number i of the latent vector, turned by `axes`, is how bright rows 2i and 2i + 1 are, times `strengths[i]`."""

    def __init__(self, inputs: int, strengths: Tensor, axes: Tensor) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, SIDE * SIDE, bias=False)
        planted = (strengths[:, None] * axes).repeat_interleave(2, 0).repeat_interleave(SIDE, 0)
        with torch.no_grad():
            self.layer.weight.zero_()
            self.layer.weight[:, :LATENT] = planted
            if inputs > LATENT:
                self.layer.weight[:, LATENT:] = torch.linspace(-0.5, 0.5, inputs - LATENT)

    def forward(self, latent: Tensor) -> Tensor:
        return self.layer(latent).unflatten(1, (1, SIDE, SIDE))


STRENGTHS = torch.tensor([0.2, 0.05, 0.1, 0.02])
AXES = torch.linalg.qr(torch.randn(LATENT, LATENT, generator=torch.Generator().manual_seed(3)))[0]


def planted(classes: int = 0) -> GenerationPipeline:
    """A linear generator, whose class shifts all pixels alike."""
    pair = pair_of(lambda inputs, _: Linear(inputs, STRENGTHS, AXES), lambda *_: Judge(max(1, classes)))
    names = tuple("abc"[:classes])
    description = Description(name="planted", shape=(1, SIDE, SIDE), classes=names)
    settings = Settings(description=description, network=Choice(name="planted"), conditional=bool(classes))
    return GenerationPipeline(settings, {GENERATOR: pair(latent=LATENT).generator((1, SIDE, SIDE), classes)}, "planted")


def explorer_of(model: GenerationPipeline) -> Explorer:
    """What explores it in single precision."""
    return Explorer(model, "torch")


class Judge(nn.Module):
    """A discriminator that nobody asks."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(SIDE * SIDE, outputs)

    def forward(self, sample: Tensor) -> Tensor:
        return self.layer(sample.flatten(1))


@pytest.mark.parametrize(("number", "planted_in"), [(1, 0), (2, 2), (3, 1), (4, 3)])
def test_a_direction_moves_what_was_planted_and_nothing_else(number: int, planted_in: int) -> None:
    explorer = explorer_of(planted())
    start = explorer.point(5)
    drawn = explorer.along(start, [number], torch.tensor([-2.0, 0.0, 1.0]))
    torch.testing.assert_close(drawn[1:2], explorer.walk([start], 2))
    change = drawn - drawn[1]
    rows = slice(2 * planted_in, 2 * planted_in + 2)
    reach = float(explorer.directions([number])[0] @ AXES[planted_in] * STRENGTHS[planted_in])
    assert abs(reach) == pytest.approx(float(STRENGTHS[planted_in]), rel=1e-3)
    torch.testing.assert_close(change[2][:, rows], torch.full((1, 2, SIDE), reach), atol=1e-3, rtol=0)
    torch.testing.assert_close(change[0], -2 * change[2], atol=1e-3, rtol=0)
    change[:, :, rows] = 0
    assert change.abs().max() < 1e-3


def test_shares_are_those_of_the_squares_of_what_was_planted() -> None:
    shares = explorer_of(planted()).shares([1, 2, 3, 4])
    squares = sorted(STRENGTHS.square().tolist(), reverse=True)
    assert list(shares.values()) == pytest.approx([one / sum(squares) for one in squares], rel=1e-4)


@pytest.mark.parametrize("number", [0, 5])
def test_a_direction_that_there_is_not_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"Direction {number} is none of the 4"):
        explorer_of(planted()).directions([number])


def test_moves_add_up_and_truncation_scales_the_seed_alone() -> None:
    explorer = explorer_of(planted())
    whole, half = explorer.point(2), explorer.point(2, truncation=0.5)
    torch.testing.assert_close(half.latent, whole.latent / 2)
    moved = explorer.moved(half, {1: 2.0, 3: -1.0})
    ways = explorer.directions([1, 3])
    torch.testing.assert_close(moved.latent, whole.latent / 2 + 2 * ways[0] - ways[1])


def test_a_walk_starts_passes_and_ends_at_its_seeds() -> None:
    explorer, points = explorer_of(planted()), [explorer_of(planted()).point(seed) for seed in (4, 1, 9)]
    walked = explorer.walk(points, 5)
    assert len(walked) == 9
    for place, point in zip((0, 4, 8), points, strict=True):
        torch.testing.assert_close(walked[place], explorer.walk([point], 2)[0], atol=1e-6, rtol=0)


def test_a_walk_between_classes_changes_the_class_evenly() -> None:
    explorer = explorer_of(planted(3))
    points = [explorer.point(0, label) for label in "abc"]
    assert [point.label for point in points] == [0, 1, 2]
    shift = (explorer.walk(points, 3) - explorer.walk(points[:1], 2)).mean((1, 2, 3))
    torch.testing.assert_close(shift, torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]), atol=1e-2, rtol=0)


SEARCH = Search(seed=1, steps=120, seconds=600)


def test_a_picture_of_its_own_is_found_again() -> None:
    """The picture of a known vector, which none of those drawn is; the vector follows from its picture here."""
    model = planted()
    wanted = Point(torch.tensor([0.9, -1.4, 0.3, 1.1]))
    picture = explorer_of(model).walk([wanted], 2)[0]
    found = project(model, picture, SEARCH, None, Watch())
    assert found.psnr > 40 and found.psnr > found.drawn_psnr + 10
    assert found.in_time and found.steps == 120
    strong = AXES[[0, 2]]  # What shows most.
    torch.testing.assert_close(strong @ found.point.latent, strong @ wanted.latent, atol=0.1, rtol=0)
    assert "hardly to be told" in found.lines()[0]


def test_the_class_of_a_picture_is_found_or_kept_and_the_same_search_finds_the_same() -> None:
    model = planted(3)
    picture = torch.full((1, SIDE, SIDE), 0.5)  # What class c is without anything else.
    short = Search(seed=1, steps=8, seconds=600)
    found, again = (project(model, picture, short, None, Watch()) for _ in range(2))
    assert found.point.label == 2 and torch.equal(found.point.latent, again.point.latent)
    assert project(model, picture, short, 0, Watch()).point.label == 0


def test_the_search_starts_from_different_classes_as_far_as_there_are() -> None:
    apart, labels = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), torch.tensor([1, 1, 1, 0, 2, 0])
    assert _nearest(apart, labels).tolist() == [0, 3, 4, 1]
    assert _nearest(apart.flip(0), None).tolist() == [5, 4, 3, 2]


def test_the_search_is_bounded_in_time_and_says_so() -> None:
    model = planted()
    found = project(model, torch.zeros(1, SIDE, SIDE), Search(seed=0, steps=500, seconds=1e-6), None, Watch())
    assert found.steps < 500 and not found.in_time and "--seconds" in found.lines()[1]


def test_the_search_stops_when_it_is_told_to() -> None:
    with pytest.raises(Stopped):
        project(planted(), torch.zeros(1, SIDE, SIDE), SEARCH, None, Watch(should_stop=lambda: True))


def test_a_picture_is_brought_to_the_size_and_channels_of_the_models(tmp_path: Path) -> None:
    Image.new("RGB", (24, 16), (255, 255, 255)).save(tmp_path / "white.png")
    torch.testing.assert_close(fitted_picture(planted(), tmp_path / "white.png"), torch.ones(1, SIDE, SIDE))
