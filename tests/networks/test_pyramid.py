"""Holes are filled as smoothly as can be, and what a network adds to that keeps to its place."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_sample_image
from torch import Tensor

from gannet.media.photograph import Photograph
from gannet.media.tiling import TiledOperation, as_tensor, in_tiles
from gannet.networks.biharmonic import blended, doubled, filled_biharmonically, relaxed
from gannet.networks.pyramid import FourierBlock, HoleFiller, Pyramid
from gannet.recipe import load_recipe
from gannet.tasks.inpainting import InpaintingPipeline

LARGEST_BYTES = 5_000_000
"""Of a model with its twin, at two bytes a weight."""


def numbers(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(height: int, width: int, seed: int = 0, share: float = 0.4, channels: int = 3) -> tuple[Tensor, Tensor]:
    """Pictures with nothing in their holes, and those."""
    pictures = torch.rand(2, channels, height, width, generator=numbers(seed)) * 2 - 1
    lost = (torch.rand(2, 1, height, width, generator=numbers(seed + 1)) < share).float()
    return pictures * (1 - lost), lost


def network(channels: int = 3, learned: bool = True) -> HoleFiller:
    """A small one; if it learned, it adds something everywhere."""
    torch.manual_seed(0)
    made = Pyramid(width=4, depth=1, coarse=4, blocks=2).filler(channels)
    if learned:
        for name, weights in made.named_parameters():
            if "exit.weight" in name or "last.weight" in name:
                torch.nn.init.normal_(weights, std=0.1)
    return made.eval()


def scratched() -> tuple[Tensor, Tensor]:
    """A photograph, and thin lines across it."""
    picture = as_tensor(load_sample_image("flower.jpg")[100:300, 160:400].copy())
    lost = torch.zeros(1, 1, 200, 240)
    for index in range(6):
        lost[..., 20 + 30 * index : 22 + 30 * index, :] = 1
        lost[..., :, 15 + 40 * index : 18 + 40 * index] = 1
    return picture, lost


def test_a_plane_with_holes_is_filled_as_a_plane() -> None:
    rows, columns = torch.meshgrid(torch.linspace(-0.9, 0.9, 64), torch.linspace(-0.5, 0.5, 64), indexing="ij")
    plane = ((rows + columns) / 2)[None, None]
    lost = torch.zeros(1, 1, 64, 64)
    lost[..., 20:34, 20:40] = 1
    filled = filled_biharmonically(plane * (1 - lost), lost)
    assert float((filled - plane).abs().max()) < 0.02


def test_the_smoothest_filling_is_as_near_as_biharmonic_filling_of_scikit_image() -> None:
    restoration = pytest.importorskip("skimage.restoration")
    picture, lost = scratched()
    there = lost[0, 0].numpy() > 0
    known = (picture * (1 - lost))[0].permute(1, 2, 0).numpy()
    theirs = torch.from_numpy(restoration.inpaint_biharmonic(known, there, channel_axis=2)).permute(2, 0, 1)[None]
    off = [
        float(((made - picture) * lost).square().sum())
        for made in (filled_biharmonically(picture * (1 - lost), lost), theirs)
    ]
    assert 10 * np.log10(off[0] / off[1]) < 0.2, "decibels"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 9), st.sampled_from([0.0, 0.3, 0.9]))
def test_a_smoothest_filling_keeps_what_is_known_and_looks_at_nothing_else(
    height: int, width: int, seed: int, share: float
) -> None:
    pictures, lost = drawn(height, width, seed, share)
    filled = filled_biharmonically(pictures, lost)
    assert bool(filled.isfinite().all()) and float(filled.abs().max()) <= 1
    assert torch.equal(filled * (1 - lost), pictures)
    other = torch.where(lost > 0, torch.rand(pictures.shape, generator=numbers(seed)), pictures)
    assert torch.equal(filled_biharmonically(other, lost), filled)


def test_relaxing_more_than_once_changes_little() -> None:
    picture, lost = scratched()
    filled = filled_biharmonically(picture * (1 - lost), lost)
    assert float((relaxed(filled, lost) - filled).abs().mean()) < 0.02 * float((filled * lost).abs().mean())


def test_what_is_doubled_and_blended_is_interpolated() -> None:
    small, like = torch.rand(1, 2, 5, 7, generator=numbers(0)), torch.zeros(1, 1, 10, 14)
    wanted = torch.nn.functional.interpolate(small, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(blended(doubled(small, like)), wanted)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
def test_doing_nothing_equals_the_smoothest_filling(height: int, width: int, channels: int) -> None:
    pictures, lost = drawn(height, width, channels=channels)
    made = network(channels, learned=False)(torch.cat([pictures, lost], 1))
    torch.testing.assert_close(made, filled_biharmonically(pictures, lost), atol=1e-6, rtol=0)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_what_is_known_stays_bit_for_bit_and_what_is_lost_is_not_looked_at(height: int, width: int) -> None:
    pictures, lost = drawn(height, width)
    filler = network()
    made = filler(torch.cat([pictures, lost], 1))
    assert torch.equal(made * (1 - lost), pictures)
    for sign in (0.5, 1.0):
        shown = torch.where(lost > 0, torch.rand(pictures.shape, generator=numbers(5)), pictures)
        assert torch.equal(filler(torch.cat([shown, sign * lost], 1)), made)


def test_every_place_of_the_coarse_size_knows_of_all_others() -> None:
    torch.manual_seed(0)
    block = FourierBlock(4)
    features = torch.rand(1, 4, 24, 24)
    assert torch.equal(block(features), features), "from nothing at first"
    torch.nn.init.normal_(block.last.weight)
    other = features.clone()
    other[..., 0, 0] += 1
    far = (block(other) - block(features))[..., 12, 12]
    assert bool((far != 0).any())


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (2, 4, 5, 7), (1, 5, 1, 1)])
def test_waves_come_back_in_the_size_they_came_in(shape: tuple[int, ...]) -> None:
    block = FourierBlock(shape[1])
    assert block(torch.rand(*shape)).shape == shape


def test_tiles_of_what_is_refined_fit_together_as_if_there_were_none() -> None:
    filler, values = network(), np.random.default_rng(0).integers(0, 256, (150, 170, 7), np.uint8)
    values[..., -1] = np.where(values[..., -1] < 100, 255, 0)

    @torch.inference_mode()
    def refine(tile: Tensor) -> Tensor:
        return filler(tile)  # type: ignore[no-any-return]

    operation = TiledOperation(refine, filler.receptive_radius, 1, filler.stride)
    parts, whole = (in_tiles(Photograph(values), operation, side).values.astype(int) for side in (32, 1000))
    assert np.abs(parts - whole).max() <= 1 and (parts == whole).mean() > 0.999


def test_a_pixel_just_beyond_the_reach_of_a_tile_does_not_matter() -> None:
    filler = network()
    radius = filler.receptive_radius
    given_, lost = drawn(8, 4 * radius, share=0.8)
    both = torch.cat([given_, given_, lost], 1)
    other = both.clone()
    other[..., : 2 * radius] = 0
    made = [filler(one)[..., 3 * radius :] for one in (both, other)]
    torch.testing.assert_close(*made, atol=1e-6, rtol=0)


def test_the_recipes_network_fits_its_size_with_its_twin() -> None:
    options: Any = InpaintingPipeline.choice(load_recipe("inpainting").network)
    weights = sum(weight.numel() for weight in options.filler(3).state_dict().values())
    assert 2 * 2 * weights < LARGEST_BYTES
