"""The future in moving layers: parts of the given picture are moved, and what they covered is painted."""

from dataclasses import replace
from math import exp

import pytest
import torch
from torch import Tensor, nn

from gannet.networks.moving_layers import GROWTH, Motion, MovingLayers, MovingLayersGenerator, Parted, _forms, laid

TINY = MovingLayers(latent=4, width=4, parts=2, discriminator_width=2)
SIDE = 32


def scene(top: int = 8, left: int = 8, side: int = 8) -> Parted:
    """A white square on a black ground that is grey behind the square, in one part that is told apart without error."""
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., top : top + side, left : left + side] = 1
    behind = torch.full((1, 1, SIDE, SIDE), -1.0) + mask
    return Parted(2 * mask - 1, mask, behind, torch.zeros(1, 0))


def moved_by(right: float, down: float, form: float = 1.0, middle: tuple[float, float] = (-0.25, -0.25)) -> Motion:
    """One frame in which one part has gone so many pixels."""
    gone = torch.tensor([right, down]) * 2 / SIDE
    forms = form * torch.eye(2)
    return Motion(torch.tensor([[middle]]), gone.view(1, 1, 1, 2), forms.view(1, 1, 1, 2, 2))


@pytest.mark.parametrize(("right", "down"), [(0, 0), (5, 0), (0, 3), (-4, 9)])
def test_a_part_is_where_it_went_and_what_was_behind_it_is_seen(right: int, down: int) -> None:
    parted = scene()
    there = scene(8 + down, 8 + right).masks
    layers = laid(parted, moved_by(right, down))
    torch.testing.assert_close(layers.mask[:, :, 0], there, atol=1e-4, rtol=0)
    expected = torch.where(there > 0.5, 1.0, parted.background)
    torch.testing.assert_close(layers.clip()[:, :, 0], expected, atol=1e-3, rtol=0)


def test_what_leaves_the_picture_is_gone_and_nothing_comes_in_its_stead() -> None:
    layers = laid(scene(top=0), moved_by(0, -20))
    assert layers.mask.max() == 0 and torch.equal(layers.clip()[:, :, 0], scene(top=0).background)
    entering = laid(scene(top=0), moved_by(0, 6))
    assert float(entering.mask.sum()) == pytest.approx(64, abs=0.1), "the edge of the picture was drawn out"


def test_a_form_of_two_halves_a_part_about_its_middle() -> None:
    small = laid(scene(), moved_by(0, 0, form=2.0)).mask[0, 0, 0]
    inside = small > 0.5
    assert inside.sum() == 16 and bool(inside[10:14, 10:14].all())


def test_a_part_turns_freely_and_grows_within_bounds() -> None:
    turned, grown = torch.tensor([0.0, torch.pi / 2, 0.0, 0.0]), torch.tensor([0.0, 0.0, 0.01, -50.0])
    forms = _forms(turned, grown, GROWTH)
    torch.testing.assert_close(forms[0], torch.eye(2))
    torch.testing.assert_close(forms[1], torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    torch.testing.assert_close(forms[2], torch.eye(2) * exp(-0.01), atol=1e-4, rtol=0)
    torch.testing.assert_close(forms[3], torch.eye(2) * exp(GROWTH))
    torch.testing.assert_close(_forms(turned, grown, 0.0)[2:], torch.eye(2).expand(2, 2, 2))


def test_later_parts_lie_over_earlier_ones_and_the_mask_is_of_both() -> None:
    first, second = torch.zeros(2, 1, 1, SIDE, SIDE).unbind()
    first[..., :16, :], second[..., 8:24, :] = 1, 1
    picture = torch.linspace(-1, 1, SIDE).view(1, 1, SIDE, 1).expand(1, 1, SIDE, SIDE).contiguous()
    parted = Parted(picture, torch.cat([first, second], 1), torch.zeros_like(picture), torch.zeros(1, 0))
    gone = torch.tensor([[0.0, 0.0], [0.0, -8.0]]).view(1, 1, 2, 2) * 2 / SIDE  # The second goes up by eight.
    motion = Motion(torch.zeros(1, 2, 2), gone, torch.eye(2).expand(1, 1, 2, 2, 2))
    layers = laid(parted, motion)
    column = layers.foreground[0, 0, 0, :, 5]
    torch.testing.assert_close(column[:15], picture[0, 0, 8:23, 5], atol=1e-4, rtol=0)
    torch.testing.assert_close(layers.mask[0, 0, 0, :, 5], (torch.arange(SIDE) < 16).float(), atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def generator() -> MovingLayersGenerator:
    torch.manual_seed(0)
    return TINY.generator((3, 8, 16, 16), 2).eval()


@torch.no_grad()
def test_given_frames_stay_bit_for_bit_and_noise_tells_futures_apart(generator: MovingLayersGenerator) -> None:
    frames = torch.rand(2, 3, 2, 16, 16) * 2 - 1
    one, other = (generator(frames, torch.randn(2, 4)) for _ in range(2))
    assert torch.equal(one[:, :, :2], frames) and torch.equal(other[:, :, :2], frames)
    assert not torch.equal(one[:, :, 2:], other[:, :, 2:])


@pytest.mark.parametrize("shape", [(3, 5, 16, 16), (1, 2, 8, 8), (3, 3, 9, 20), (1, 4, 24, 12)])
def test_clips_of_any_size_are_continued_and_scored(shape: tuple[int, ...]) -> None:
    made = TINY.generator(shape, 1)(torch.rand(2, shape[0], 1, *shape[2:]) * 2 - 1, torch.randn(2, 4))
    assert made.shape == (2, *shape) and made.detach().abs().max() <= 1 + 1e-6
    assert TINY.discriminator(shape)(made).shape == TINY.frame_discriminator(shape)(made[:, :, 0]).shape == (2,)


@torch.no_grad()
def test_a_longer_future_begins_as_a_shorter_one(generator: MovingLayersGenerator) -> None:
    frames, latent = torch.rand(1, 3, 2, 16, 16) * 2 - 1, torch.randn(1, 4)
    short, long = generator.layers(frames, latent), generator.layers(frames, latent, length=20)
    assert long.mask.shape[2] == 20
    torch.testing.assert_close(long.clip()[:, :, :6], short.clip())


class _Bright(nn.Module):
    """Tells apart what is bright in the last of some given grey frames."""

    def __init__(self, seen: int) -> None:
        super().__init__()
        self.seen = seen

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Map (b, 3, h, w) to nothing that is seen in small, the mask's logits and no change."""
        last = frames[:, -1:]
        return last.new_zeros(len(last), self.seen), torch.cat([200 * last, torch.zeros_like(last)], 1)


@torch.no_grad()
def test_what_went_evenly_in_the_given_frames_goes_on_evenly() -> None:
    told = MovingLayers(latent=4, width=4, parts=1, discriminator_width=2).generator((1, 8, SIDE, SIDE), 3)
    told.unet = _Bright(told.start.in_features)  # type: ignore[assignment]
    nn.init.zeros_(told.steps.weight)
    clip = torch.full((1, 1, 8, SIDE, SIDE), -1.0)
    for frame in range(8):
        clip[:, :, frame, 4 + 2 * frame : 8 + 2 * frame, 9 + frame : 14 + frame] = 1
    made = told.layers(clip[:, :, :3], torch.randn(1, 4))
    torch.testing.assert_close(made.mask, (clip[:, :, 3:] + 1) / 2, atol=1e-4, rtol=0)


@torch.no_grad()
def test_what_no_part_covers_stands_still_as_it_was_given(generator: MovingLayersGenerator) -> None:
    untold = TINY.generator((3, 8, 16, 16), 2)
    bias = untold.unet.exit.bias
    assert bias is not None
    bias[: untold.parts] = -200
    frames = torch.rand(1, 3, 2, 16, 16) * 2 - 1
    made = untold(frames, torch.randn(1, 4))
    assert torch.equal(made[:, :, 2:], frames[:, :, -1:].expand_as(made[:, :, 2:]))


def test_some_frames_of_a_motion_are_those_of_the_whole() -> None:
    motion = Motion(torch.rand(2, 1, 2), torch.rand(2, 6, 1, 2), torch.rand(2, 6, 1, 2, 2))
    some = motion.at(torch.tensor([[0, 5], [3, 4]]))
    assert torch.equal(some.moved[0], motion.moved[0, [0, 5]]) and torch.equal(some.forms[1], motion.forms[1, 3:5])
    assert torch.equal(motion.between(2, 4).moved, motion.moved[:, 2:4])


def test_widths_are_chosen_by_size_and_odd_ones_refused() -> None:
    assert MovingLayers().sized((3, 32, 64, 64)) == replace(MovingLayers(), width=24, discriminator_width=32)
    assert MovingLayers().sized((3, 32, 128, 128)).width == 12
    with pytest.raises(ValueError, match=r"network\.parts 1 to 16"):
        MovingLayers(parts=0)
