"""Clips of a sprite over a still ground: what is drawn once moves as it is, and only where it is seen."""

import pytest
import torch
from torch import nn

from gannet.networks.moving_layers import OF_MOTION, STEP
from gannet.networks.moving_sprites import FURTHEST, MovingSprites, MovingSpritesGenerator

SHAPE = (3, 6, 32, 32)


def generator(parts: int = 1, classes: int = 0) -> MovingSpritesGenerator:
    torch.manual_seed(0)
    return MovingSprites(latent=8, width=4, parts=parts).generator(SHAPE, classes).eval()


def moving_by(made: MovingSpritesGenerator, *motion: float) -> None:
    """Let its one sprite begin in the middle, and move by so much in each frame."""
    for layer in (made.steps, made.begin):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    with torch.no_grad():
        made.steps.bias.copy_(torch.tensor(motion))


@torch.no_grad()
def test_a_sprite_keeps_its_shape_and_colours_as_it_moves() -> None:
    made = generator()
    moving_by(made, 2.0, -1.0, 0.0, 0.0)  # A velocity of one is a pixel a frame, of 32.
    assert STEP * 32 / 2 == 1
    layers = made.layers(torch.randn(2, 8, generator=torch.Generator().manual_seed(1)), None)
    for values in (layers.mask, layers.foreground):
        for time in (2, 4):
            moved = values[:, :, time, : 32 - time, 2 * time :]
            torch.testing.assert_close(moved, values[:, :, 0, time:, : 32 - 2 * time], atol=1e-5, rtol=0)
    assert float(layers.mask[:, :, 0].std()) > 0.1


@torch.no_grad()
def test_the_ground_stands_still_where_no_sprite_is_seen() -> None:
    layers = generator(parts=2).layers(torch.randn(4, 8, generator=torch.Generator().manual_seed(1)), None)
    clip, ground = layers.clip(), layers.background[:, :, None]
    apart = (clip - ground).abs().amax(1, keepdim=True)
    assert bool((apart <= 2 * layers.mask + 1e-6).all())
    assert clip.shape == (4, *SHAPE) and float(clip.abs().max()) <= 1


@torch.no_grad()
def test_noise_tells_where_sprites_begin_and_whither_they_go() -> None:
    made = generator()
    mask = made.layers(torch.randn(64, 8, generator=torch.Generator().manual_seed(1)), None).mask[:, 0]
    places = torch.arange(32) / 16 - 31 / 32
    across = (mask.sum(2) * places).sum(2) / mask.sum((2, 3))
    assert 0.15 < float(across[:, 0].std()) < FURTHEST and float((across[:, -1] - across[:, 0]).std()) > 0.02


@torch.no_grad()
def test_a_class_is_asked_for() -> None:
    made, latent = generator(classes=3), torch.randn(1, 8, generator=torch.Generator().manual_seed(1))
    first, other = (made(latent, torch.tensor([label])) for label in (0, 2))
    assert not torch.equal(first, other)


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (3, 5, 24, 40)])
def test_clips_are_of_any_shape_and_all_weights_learn(shape: tuple[int, ...]) -> None:
    made = MovingSprites(latent=4, width=2, parts=2).generator(shape, 0)
    clips = made(torch.randn(3, 4, generator=torch.Generator().manual_seed(1)))
    assert clips.shape == (3, *shape)
    clips.square().mean().backward()
    idle = [name for name, one in made.named_parameters() if one.grad is None or not one.grad.any()]
    assert idle == ["grain.drawn.weight", "grain.drawn.bias"], "whose colours begin from nothing, and learn first"


@torch.no_grad()
def test_grain_is_of_its_own_at_every_place_and_in_every_clip() -> None:
    torch.manual_seed(0)
    grain = MovingSprites(latent=64, width=2).generator(SHAPE, 0).grain
    nn.init.normal_(grain.colours.weight)
    places = grain(torch.randn(256, 64))[:, 0, ::4, ::4].flatten(1).T
    assert float(places.std(1).min()) > 0.3 * float(places.std())
    assert float(torch.corrcoef(places).fill_diagonal_(0).abs().max()) < 0.7


@pytest.mark.parametrize("wrong", [{"parts": 0}, {"parts": 17}, {"latent": 0}, {"width": 0}])
def test_what_no_network_is_made_of_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"network\.parts 1 to 16"):
        MovingSprites(**wrong)


def test_motion_is_of_four_numbers() -> None:
    assert generator(parts=3).steps.out_features == 3 * OF_MOTION
