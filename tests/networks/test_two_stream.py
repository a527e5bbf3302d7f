"""Generators of clips in two streams: what moves before what stands still, blended by a mask."""

import pytest
import torch

from gannet.adversarial.penalties import squared_gradient
from gannet.networks.two_stream import MASK_SHARE, Growth, TwoStream, with_spread

TINY = TwoStream(latent=8, width=2)


@pytest.mark.parametrize(
    "shape", [(3, 32, 16, 16), (1, 8, 8, 8), (3, 5, 20, 20), (1, 2, 16, 12), (3, 3, 9, 9), (3, 40, 8, 8)]
)
@pytest.mark.parametrize("classes", [0, 3])
def test_clips_of_any_length_and_size_are_made_and_scored(shape: tuple[int, ...], classes: int) -> None:
    generator, clips, frames = (
        build(shape, classes) for build in (TINY.generator, TINY.discriminator, TINY.frame_discriminator)
    )
    label = torch.tensor([0, 2]) if classes else None
    made = generator(torch.randn(2, 8), label)
    assert made.shape == (2, *shape) and made.abs().max() <= 1
    assert clips(made, label).shape == frames(made[:, :, 0], label).shape == (2,)


def test_space_grows_from_four_pixels_and_time_from_two_frames() -> None:
    assert Growth.of((3, 32, 64, 64)) == Growth((2, 4, 4), (True, True, True, True))
    assert Growth.of((3, 8, 64, 64)) == Growth((2, 4, 4), (False, False, True, True))
    assert Growth.of((3, 64, 16, 16)) == Growth((16, 4, 4), (True, True))


def test_a_clip_is_laid_together_of_its_layers() -> None:
    generator = TINY.generator((3, 8, 16, 16), 0)
    latent = torch.randn(3, 8)
    generator.eval()
    layers = generator.layers(latent, None)
    blended = layers.mask * layers.foreground + (1 - layers.mask) * layers.background[:, :, None]
    torch.testing.assert_close(generator(latent), blended)
    hidden = layers._replace(mask=torch.zeros_like(layers.mask)).clip()
    assert torch.equal(hidden, layers.background[:, :, None].expand_as(hidden)), "what is behind does not stand still"


def test_a_mask_begins_at_its_share_and_gradients_reach_both_streams() -> None:
    generator = TwoStream(latent=16, width=8).generator((3, 16, 32, 32), 0)
    layers = generator.layers(torch.randn(8, 16), None)
    mask = layers.mask.detach()
    assert float(mask.mean()) == pytest.approx(MASK_SHARE, abs=0.03) and float(mask.std()) < 0.05
    layers.clip().square().mean().backward()
    assert all(one.grad is not None and bool(one.grad.any()) for one in generator.parameters())


def test_classes_change_what_is_made_and_the_penalty_has_a_gradient() -> None:
    generator, clips = TINY.generator((1, 8, 16, 16), 2).eval(), TINY.discriminator((1, 8, 16, 16), 2)
    latent, label = torch.randn(2, 8), torch.tensor([0, 1])
    assert not torch.equal(generator(latent, label), generator(latent, label.flip(0)))
    squared_gradient(lambda sample: clips(sample, label), torch.randn(2, 1, 8, 16, 16)).mean().backward()
    assert all(bool(one.grad.isfinite().all()) for one in clips.parameters() if one.grad is not None)
    assert next(clips.parameters()).grad is not None


@pytest.mark.parametrize(
    ("shape", "words"), [((3, 1, 16, 16), "2 to 256 frames, not 1"), ((3, 8, 4, 4), "8 to 256 pixels")]
)
def test_what_cannot_be_made_is_refused(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TINY.generator(shape, 0)
    with pytest.raises(ValueError, match="makes clips"):
        TINY.discriminator(shape[1:], 0)
    with pytest.raises(ValueError, match="must be at least 1"):
        TwoStream(width=0)


def test_the_width_is_chosen_by_the_size() -> None:
    chosen = [TwoStream().sized((3, 32, side, side)).width for side in (16, 64, 128, 256)]
    assert chosen == [32, 32, 16, 8]


def test_the_spread_is_the_mean_deviation_within_each_group() -> None:
    features = torch.tensor([[0.0, 5], [2, 5], [1, 1], [1, 1], [7, 7]])
    put_behind = with_spread(features, 2)
    assert torch.equal(put_behind[:, :2], features)
    assert torch.allclose(put_behind[:, 2], torch.tensor([0.5, 0.5, 0, 0, 0]), atol=1e-3)


def test_clips_that_are_all_alike_score_otherwise_than_each_alone_only_in_a_group() -> None:
    clips = torch.rand(4, 3, 8, 16, 16) * 2 - 1
    for group, same in ((1, True), (4, False)):
        judge = TwoStream(latent=8, width=2, group=group).discriminator((3, 8, 16, 16), 0)
        torch.nn.init.ones_(judge.head.weight)
        together, alone = judge(clips), torch.cat([judge(one[None]) for one in clips])
        assert torch.allclose(together, alone, atol=1e-3) == same
