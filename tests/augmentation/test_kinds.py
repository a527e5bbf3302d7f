"""Augmentations held against other libraries and their own definitions; strengths mean what they say."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor

from gannet.augmentation import colours, filters, geometry
from gannet.augmentation.draws import Drawn
from gannet.augmentation.kinds import KINDS, augment, choose_kinds
from gannet.augmentation.mixing import MIXES, mix


def pictures(count: int = 4, channels: int = 3, height: int = 16, width: int = 20, seed: int = 0) -> Tensor:
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(seed)) * 1.6 - 0.8


def draws(count: int = 4, seed: int = 0) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(seed))


def smooth(side: int = 32) -> Tensor:
    """One bump beside the middle, (1, 1, side, side)."""
    down, across = np.mgrid[:side, :side] / side
    return torch.from_numpy(np.exp(-((down - 0.4) ** 2 + (across - 0.6) ** 2) / 0.02)).float()[None, None]


def test_quarter_turns_and_mirrorings_move_pixels_exactly() -> None:
    square = pictures(1, 3, 16, 16)
    quarter = geometry.warp(square, geometry.turn(torch.tensor([torch.pi / 2])))
    torch.testing.assert_close(quarter, square.rot90(1, (2, 3)), atol=1e-5, rtol=0)
    for sign, dimension in (((-1.0, 1.0), 3), ((1.0, -1.0), 2)):
        mirrored = geometry.warp(square, geometry.scale(*(torch.tensor([one]) for one in sign)))
        torch.testing.assert_close(mirrored, square.flip(dimension), atol=1e-5, rtol=0)


@pytest.mark.parametrize("degrees", [10, -35, 90])
def test_a_turn_is_that_of_scipy(degrees: float) -> None:
    picture = smooth()
    angle = torch.tensor([degrees * torch.pi / 180])
    found = geometry.warp(picture, geometry.turn(angle))[0, 0].numpy()
    expected = ndimage.rotate(picture[0, 0].numpy(), degrees, reshape=False, order=1, mode="mirror")
    assert np.abs(found - expected)[4:-4, 4:-4].max() < 0.02


@pytest.mark.parametrize(("height", "width"), [(16, 16), (12, 20), (21, 13)])
def test_a_turn_keeps_angles_in_pictures_of_any_shape(height: int, width: int) -> None:
    """What is round stays round: a disc turned by 30 degrees is the same disc."""
    down, across = torch.meshgrid(
        torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij"
    )
    disc = torch.exp(-(down**2 + across**2) / 6)[None, None]
    turned = geometry.warp(disc, geometry.turn(torch.tensor([torch.pi / 6])))
    assert (turned - disc).abs().max() < 0.05


def test_a_shift_is_by_that_share_of_the_longer_side() -> None:
    picture = pictures(1, 3, 16, 20)
    moved = geometry.warp(picture, geometry.shift(torch.tensor([0.1]), torch.tensor([0.0])))
    torch.testing.assert_close(moved[..., :-2], picture[..., 2:], atol=1e-5, rtol=0)


@given(seed=st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_moves_that_are_joined_are_the_moves_one_after_the_other(seed: int) -> None:
    picture = smooth(64).expand(3, -1, -1, -1)
    angle, factor = draws(3, seed).uniform() - 0.5, 1 + 0.2 * draws(3, seed + 1).uniform()
    joined = geometry.warp(picture, geometry.turn(angle) @ geometry.scale(factor, factor))
    apart = geometry.warp(geometry.warp(picture, geometry.turn(angle)), geometry.scale(factor, factor))
    assert (joined - apart)[..., 8:-8, 8:-8].abs().max() < 0.02


@pytest.mark.parametrize("deviation", [0.5, 1.5])
def test_a_blur_is_that_of_scipy(deviation: float) -> None:
    picture = pictures(1, 1, 24, 24)
    found = filters.blur(picture, torch.tensor([deviation]), deviation)[0, 0].numpy()
    expected = ndimage.gaussian_filter(picture[0, 0].numpy().astype(float), deviation, mode="mirror", truncate=3)
    assert np.abs(found - expected).max() < 0.02


def test_each_picture_is_blurred_by_its_own_deviation() -> None:
    two = pictures(2)
    deviation = torch.tensor([0.3, 2.0])
    together = filters.blur(two, deviation, 2.0)
    for index in range(2):
        alone = filters.blur(two[[index]], deviation[[index]], 2.0)
        torch.testing.assert_close(together[[index]], alone, atol=1e-5, rtol=0)


def test_a_hue_that_goes_round_comes_back_and_grey_stays_grey() -> None:
    picture, third = pictures(1), torch.tensor([2 * torch.pi / 3])
    turned = colours.recolour(picture, colours.shift_hue(third))
    torch.testing.assert_close(turned, picture[:, [2, 0, 1]], atol=1e-5, rtol=0)
    grey = pictures(1, 1).expand(-1, 3, -1, -1)
    for matrix in (colours.shift_hue(third), colours.saturate(torch.tensor([3.0]))):
        torch.testing.assert_close(colours.recolour(grey, matrix), grey, atol=1e-5, rtol=0)


def test_no_saturation_is_the_mean_of_the_colours() -> None:
    picture = pictures(1)
    faded = colours.recolour(picture, colours.saturate(torch.tensor([0.0])))
    torch.testing.assert_close(faded, picture.mean(1, keepdim=True).expand_as(picture), atol=1e-5, rtol=0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_contrast_and_brightness_are_what_they_are_in_every_number_of_channels(channels: int) -> None:
    picture = pictures(2, channels)
    matrix = colours.brighten(torch.tensor([0.1, 0.2])) @ colours.contrast(torch.tensor([2.0, 0.5]))
    found = colours.recolour(picture, matrix)
    seen = min(channels, 3)
    expected = picture[:, :seen] * torch.tensor([2.0, 0.5]).view(2, 1, 1, 1) + torch.tensor([0.1, 0.2]).view(2, 1, 1, 1)
    torch.testing.assert_close(found[:, :seen], expected, atol=1e-5, rtol=0)
    assert torch.equal(found[:, seen:], picture[:, seen:])  # Transparency is no colour.


def test_noises_have_the_strength_that_they_say() -> None:
    grey = torch.zeros(8, 3, 64, 64)
    chosen = {
        name: augment(grey, choose_kinds({name: 0.1}), 1.0, draws(8))
        for name in ("noise", "speckle", "salt-and-pepper")
    }
    assert float(chosen["noise"].std() / 2) == pytest.approx(0.1, rel=0.05)  # The range is two wide.
    assert float((chosen["speckle"] + 1).std()) == pytest.approx(0.1, rel=0.05)
    spoilt = chosen["salt-and-pepper"]
    assert float((spoilt != 0).float().mean()) == pytest.approx(0.1, rel=0.1)
    assert set(spoilt.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert torch.equal(spoilt[:, 0], spoilt[:, 1])


def test_a_cutout_covers_that_share_of_the_sides_where_it_lies_inside() -> None:
    covered = filters.cut_out(torch.ones(1, 1, 40, 40), torch.tensor([[0.5, 0.5]]), 0.3)
    assert int((covered == 0).sum()) == 12 * 12


def test_jpeg_is_what_pillow_makes_of_it() -> None:
    import io

    from PIL import Image

    levels = ((pictures(1) + 1) * 127.5).round().byte()
    content = io.BytesIO()
    Image.fromarray(levels[0].movedim(0, 2).numpy()).save(content, "JPEG", quality=40)
    expected = torch.from_numpy(np.array(Image.open(content))).movedim(2, 0)
    found = augment(levels / 127.5 - 1, choose_kinds({"jpeg": 40}), 1.0, draws(1))
    torch.testing.assert_close(((found[0] + 1) * 127.5).round().byte(), expected)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_changes_pictures_as_its_draws_say_and_keeps_their_shape(name: str, channels: int) -> None:
    if KINDS[name].coloured and channels < 3:
        with pytest.raises(ValueError, match="are grey"):
            choose_kinds([name], channels)
        return
    chosen, picture = choose_kinds([name], channels), pictures(8, channels)
    once, again, other = (augment(picture, chosen, 1.0, draws(8, seed)) for seed in (0, 0, 1))
    assert once.shape == picture.shape and bool(once.isfinite().all())
    assert torch.equal(once, again)
    assert not torch.equal(once, picture)
    assert torch.equal(once, other) == (name in {"jpeg"})
    assert torch.equal(augment(picture, chosen, 0.0, draws(8)), picture)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_weakest_strength_changes_nothing(name: str) -> None:
    kind, picture = KINDS[name], pictures(4)
    weakest = {"crop": 1.0, "jpeg": None}.get(name, kind.lowest)
    if weakest is not None:
        changed = augment(picture, [(kind, weakest)], 1.0, draws())
        torch.testing.assert_close(changed, picture, atol=3e-3, rtol=0)


@pytest.mark.parametrize("name", sorted(name for name, kind in KINDS.items() if kind.smooth))
def test_a_generator_learns_through_what_is_called_smooth(name: str) -> None:
    picture = pictures(4).requires_grad_()
    augment(picture, choose_kinds([name]), 1.0, draws()).square().sum().backward()
    assert picture.grad is not None and bool(picture.grad.isfinite().all()) and float(picture.grad.abs().mean()) > 0.1


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_share_of_the_pictures_is_hit(share: float) -> None:
    picture = pictures(1).expand(2000, -1, -1, -1)
    for name in ("rotation", "brightness", "noise"):
        changed = augment(picture, choose_kinds([name]), share, draws(2000))
        hit = (changed - picture).abs().amax((1, 2, 3)) > 1e-3
        assert float(hit.float().mean()) == pytest.approx(share, abs=0.04)


def test_places_are_exact_under_a_coarse_precision() -> None:
    picture = pictures(2).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = augment(picture, choose_kinds({"rotation": 0.0}), 1.0, draws(2))
    torch.testing.assert_close(found, picture.float(), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rotatoin": 3}, "did you mean 'rotation'"),
        ({"rotation": 500}, "from 0 to 180"),
        ({"noise": -0.1}, "from 0 to 1"),
        ({"noise": float("nan")}, "from 0 to 1"),
    ],
)
def test_what_does_not_exist_or_is_out_of_range_is_refused(asked: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        choose_kinds(asked)


@pytest.mark.parametrize("name", sorted(MIXES))
def test_a_mixture_keeps_the_larger_share_and_says_how_large(name: str) -> None:
    black, white = -torch.ones(64, 1, 32, 32), torch.ones(64, 1, 32, 32)
    mixed, own = mix(black, white, MIXES[name], MIXES[name].usual, draws(64))
    torch.testing.assert_close((1 - mixed.mean((1, 2, 3))) / 2, own, atol=1e-5, rtol=0)
    assert float(own.min()) >= 0.5 - 1e-6 and float(own.std()) > 0.01


def test_colours_change_in_the_order_of_their_names() -> None:
    """First lighter by a fixed amount, then weaker from the middle; the other way around is lighter."""
    picture = torch.full((1, 3, 4, 4), -0.5)
    order = []
    for names in (("brightness", "contrast"), ("contrast", "brightness")):
        chosen = choose_kinds(dict.fromkeys(names))
        steps = picture
        random = Drawn(1, torch.Generator().manual_seed(3))
        for one in chosen:
            steps = augment(steps, [one], 1.0, random)
        together = augment(picture, chosen, 1.0, Drawn(1, torch.Generator().manual_seed(3)))
        assert torch.allclose(together, steps, atol=1e-6)
        order.append(together)
    assert not torch.allclose(order[0], order[1], atol=1e-3)


@pytest.mark.parametrize("name", [kind.name for kind in KINDS.values() if kind.sort != "geometry"])
def test_colours_leave_transparency_alone(name: str) -> None:
    pictures = torch.rand(2, 4, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    pictures[:, 3] = 1.0
    changed = augment(pictures, choose_kinds([name]), 1.0, Drawn(2, torch.Generator().manual_seed(1)))
    assert torch.allclose(changed[:, 3], pictures[:, 3], atol=1e-6)
    assert not torch.equal(changed[:, :3], pictures[:, :3])


def test_black_and_white_stay_under_every_gamma() -> None:
    ends = torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2)
    for power in (0.2, 0.5, 2.0, 5.0):
        assert torch.allclose(filters.gamma(ends, torch.tensor([power])), ends, atol=1e-6)


def test_an_elastic_warp_moves_as_far_as_it_says() -> None:
    """By its deviation, of the longer side; a picture of its own places shows the moves."""
    places = torch.linspace(-1, 1, 64).expand(64, 1, 64, 64).contiguous()
    moved = augment(places, choose_kinds({"elastic": 0.05}), 1.0, Drawn(64, torch.Generator().manual_seed(0)))
    inner = (moved - places)[:, :, 16:48, 16:48] / 2
    assert 0.042 < float(inner.std()) < 0.058
