"""Colours by how likely each is: known answers of the classes, who learns what, and hints as users give them."""

from typing import Any

import numpy as np
import pytest
import torch
from contracts import untrained
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation.colour_classes import STEP, centres, class_loss, expected, rarity, shared_out
from gannet.augmentation.draws import Drawn
from gannet.augmentation.lab import from_lab, to_lab
from gannet.data.image_dataset import Description
from gannet.media.photograph import Photograph
from gannet.media.tiling import as_tensor
from gannet.networks.efficientnet import FrozenConvolution
from gannet.networks.unet import Unet
from gannet.recipe import load_recipe
from gannet.schema import check
from gannet.tasks import colorization
from gannet.tasks._image_restoration.hints import HINTED, drawn_hints, read_hints
from gannet.tasks._image_restoration.training_pairs import TrainingPair
from gannet.tasks.colorization.colourist import ClassColourist, InformedUnet

CONFIG = check(colorization.Config, {"patch": 32, "classes": {}}, "task")
RANDOM = np.random.default_rng(0)


def draws(count: int, seed: int = 0) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(seed))


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def colourist(strength: float = 1.0) -> ClassColourist:
    """A small network in evaluation mode, of which all parts matter."""
    torch.manual_seed(0)
    network = ClassColourist(Unet(width=8, depth=1, fold=2), rare=0.5, temperature=0.38).eval()
    torch.nn.init.normal_(network.unet.exit.weight)
    network.strength = strength
    return network


def built(network: dict[str, Any] | None = None, **task: Any) -> colorization.ColorizationPipeline:
    """A model of the recipe, or of another network, that has learned nothing."""
    changes = {f"task.{key}": value for key, value in task.items()} | ({"network": network} if network else {})
    recipe = load_recipe("colorization", changes)
    settings = colorization.task.settings(recipe, Description(name="photographs", shape=(3, 64, 64)))
    return colorization.ColorizationPipeline.build(settings)


def as_logits(share: Tensor, leaning: float = 1.0) -> Tensor:
    """Logits of one place whose classes have these shares in photographs, weighted by their rarity."""
    return (share.clamp_min(1e-12).log() + leaning * rarity().log())[None, :, None, None]


# Classes


@given(levels=st.tuples(*[st.integers(0, 255)] * 3))
def test_a_colour_is_the_mean_of_the_classes_it_is_shared_out_among(levels: tuple[int, int, int]) -> None:
    chroma = to_lab(torch.tensor(levels).view(1, 3, 1, 1) / 127.5 - 1)[:, 1:]
    numbers, shares = shared_out(chroma)
    assert float(shares.sum()) == pytest.approx(1) and float(shares.min()) >= 0
    off = float(((centres()[numbers[0, :, 0, 0]] * shares[0, :, :, 0]).sum(0) - chroma[0, :, 0, 0]).norm())
    # At the edge of sRGB some of the four around are no class, and the nearest stands in for them.
    assert off < 1e-5 if bool(centres()[numbers[0, :, 0, 0]].unique(dim=0).shape[0] == 4) else off < STEP


def test_there_are_a_few_hundred_classes_and_grey_is_the_commonest() -> None:
    assert 200 < len(centres()) < 400
    assert float(centres()[rarity().argmin()].norm()) == 0
    assert float(rarity().max() / rarity().min()) > 5


def test_what_descends_the_loss_is_each_class_weighted_by_its_rarity() -> None:
    share = noise(len(centres())).softmax(0)
    logits = as_logits(share).expand(1, -1, 20, 20).clone().requires_grad_()
    # As many colours of each class as its share says, all at once: the expected loss.
    chroma = centres().T.reshape(1, 2, -1, 1)
    each = logits[:, :, :1, :1].expand(-1, -1, len(share), 1)
    losses = torch.stack([class_loss(each[:, :, i : i + 1], chroma[:, :, i : i + 1]) for i in range(len(share))])
    (losses * share).sum().backward()
    assert logits.grad is not None and float(logits.grad.abs().max()) < 1e-5
    assert float(expected(logits.detach()).sub((share @ centres()).view(1, 2, 1, 1)).abs().max()) < 1e-5


def test_a_lower_temperature_is_more_vivid_and_what_is_broad_stays_grey() -> None:
    blue = int((centres() - torch.tensor([0.0, -0.5])).norm(dim=1).argmin())
    grey = int(centres().norm(dim=1).argmin())
    share = torch.zeros(len(centres()))
    share[blue], share[grey] = 0.6, 0.4
    means = [float(expected(as_logits(share), 1.0, temperature)[0, 1, 0, 0]) for temperature in (1.0, 0.38, 0.05)]
    assert means[0] == pytest.approx(0.6 * float(centres()[blue, 1]), abs=1e-4)
    assert 0 > means[0] > means[1] > means[2] == pytest.approx(float(centres()[blue, 1]), abs=1e-3)
    leaning = float(expected(as_logits(share), 0.5)[0, 1, 0, 0])
    assert leaning < means[0], "the rarer of two is not preferred"
    near = (centres().norm(dim=1) < 0.5).float()
    assert float(expected(as_logits(near / near.sum()), 0.5, 0.38).norm()) < 0.1


def test_what_use_kept_serves_learning_in_the_same_process() -> None:
    for kept in (centres, rarity):
        kept.cache_clear()
    logits = noise(1, len(centres()), 2, 2)
    with torch.inference_mode():
        expected(logits)
    learned = logits.clone().requires_grad_()
    (expected(learned).sum() + class_loss(learned, torch.zeros(1, 2, 2, 2))).backward()
    assert learned.grad is not None


# The network


def test_strength_goes_from_the_mean_of_the_distribution_to_the_vivid_one() -> None:
    given_ = torch.cat([noise(2, 1, 12, 20).clamp(-1, 1), torch.zeros(2, 3, 12, 20)], 1)
    with torch.no_grad():
        dull, half, vivid = (colourist(strength)(given_) for strength in (0.0, 0.5, 1.0))
        features, logits = colourist().distribution(given_)
        mean = colourist().enlarged(features, expected(logits))[:, :, :12, :20]
    assert dull.shape == (2, 3, 12, 20) and torch.equal(dull[:, :1], given_[:, :1])
    torch.testing.assert_close(dull[:, 1:], mean)
    torch.testing.assert_close(half, (dull + vivid) / 2, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(dull, vivid)


def test_the_game_moves_what_it_adds_and_never_the_distribution() -> None:
    network, picture = colourist(), torch.cat([noise(2, 1, 16, 16), torch.zeros(2, 3, 16, 16)], 1)
    network(picture).square().sum().backward()
    moved = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert moved == {f"{name}.{part}" for name in ("unet.exit", "refined") for part in ("weight", "bias")}
    network.zero_grad()
    pair = TrainingPair(picture, torch.cat([picture[:, :1], 0.1 * noise(2, 2, 16, 16)], 1))
    losses = colorization.task_losses(network, pair, CONFIG)
    sum(losses.values(), torch.zeros(())).backward()
    left = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert left == moved and set(losses) == {"classes", "enlarged"}


def test_colours_are_brought_up_smoothly_before_anything_is_learned_and_even_ones_stay() -> None:
    network, features = colourist(), noise(1, 8, 5, 6)
    chroma = noise(1, 2, 5, 6).clamp(-1, 1)
    smooth = interpolate(chroma, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(network.enlarged(features, chroma), smooth, atol=0.02, rtol=0)
    torch.nn.init.normal_(network.mixing.weight)
    even = torch.full((1, 2, 5, 6), 0.3)
    torch.testing.assert_close(network.enlarged(features, even), torch.full((1, 2, 10, 12), 0.3))


def test_a_distribution_is_learned() -> None:
    """Lightness tells the colour of one half; of the other, half is red and half green, whose mean is grey."""
    torch.manual_seed(0)
    network = ClassColourist(Unet(width=8, depth=1, fold=2), rare=0.5, temperature=0.38)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    lightness = torch.zeros(8, 1, 16, 16)
    lightness[:4], target = 0.8, torch.zeros(8, 3, 16, 16)
    target[:, :1], target[:4, 2] = lightness, -0.4
    target[4:6, 1], target[6:, 1] = 0.4, -0.4
    pair = TrainingPair(torch.cat([lightness, torch.zeros(8, 3, 16, 16)], 1), target)
    for _ in range(60):
        optimizer.zero_grad()
        sum(colorization.task_losses(network, pair, CONFIG).values(), torch.zeros(())).backward()
        optimizer.step()
    network.strength = 0.0
    made = network(pair.input).detach()
    assert float((made[:4, 2] + 0.4).abs().mean()) < 0.05
    assert float(made[4:, 1].abs().mean()) < 0.1


# What is learned from


def test_pictures_are_seen_whole_at_times_and_never_less_than_half() -> None:
    ramp = torch.arange(64.0).expand(200, 1, 64, 64)
    seen = colorization.near_and_far(ramp, 32, draws(200))
    wide = (seen[:, 0, 0, -1] - seen[:, 0, 0, 0]) / 31  # Pixels of the picture in one of what is seen.
    assert bool((wide > 0).any()) and bool((wide < 0).any()), "mirrored at times"
    assert 1.0 < float(wide.abs().min()) < 1.2 and 1.9 < float(wide.abs().max()) < 2.001
    assert float(seen.min()) >= 0 and float(seen.max()) <= 63


def test_lightness_fades_and_colours_stay() -> None:
    pictures = torch.rand(30, 3, 40, 40) * 2 - 1
    pair = colorization.task.pair.make(pictures, draws(30), CONFIG)
    true = to_lab(colorization.near_and_far(pictures, 32, draws(30)))
    assert torch.equal(pair.target[:, 1:], true[:, 1:])
    assert torch.equal(pair.input[:, :1], pair.target[:, :1])
    ranges = [lightness.amax((1, 2, 3)) - lightness.amin((1, 2, 3)) for lightness in (pair.input[:, :1], true[:, :1])]
    assert float((ranges[0] / ranges[1]).min()) < 0.8 and float(pair.input[:, 0].abs().max()) <= 1


def test_hints_tell_true_colours_of_some_pictures_and_nothing_elsewhere() -> None:
    chroma = noise(400, 2, 1, 1).clamp(-1, 1).expand(-1, -1, 40, 40)
    hints = drawn_hints(chroma, draws(400))
    told = hints[:, 2:]
    assert set(told.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(hints[:, :2], chroma * told)
    hinted = told.flatten(1).any(1)
    assert abs(float(hinted.float().mean()) - HINTED) < 0.1
    assert 0.002 < float(told[hinted].mean()) < 0.3


# Use


def dotted(size: int, colour: tuple[int, int, int], side: int = 3) -> Photograph:
    values, alpha = np.full((size, size, 3), 77, np.uint8), np.zeros((size, size), np.uint8)
    values[10 : 10 + side, 20 : 20 + side], alpha[10 : 10 + side, 20 : 20 + side] = colour, 255
    return Photograph(values, alpha)


def chroma_of(colours: Tensor) -> Tensor:
    return to_lab(colours)[:, 1:]


def test_a_dot_of_colour_is_told_where_it_lies_however_small_the_copy() -> None:
    photograph = Photograph(np.full((64, 64, 1), 90, np.uint8))
    true = to_lab(torch.tensor([200.0, 40, 30]).view(1, 3, 1, 1) / 127.5 - 1)[0, 1:, 0, 0]
    for size in (64, 32, 8):
        hints = read_hints(dotted(64, (200, 40, 30), side=2), photograph, [size, size], chroma_of, "photograph")
        assert hints.shape == (1, 3, size, size)
        row, column = 10 * size // 64, 20 * size // 64
        torch.testing.assert_close(hints[0, :2, row, column], true, atol=1e-3, rtol=0)
        assert float(hints[0, 2].sum()) <= 4 and float(hints[0, 2, row, column]) == 1
        assert bool((hints[0, :2][:, hints[0, 2] == 0] == 0).all())


def test_hints_that_cannot_be_used_are_refused_in_one_sentence() -> None:
    model, grey = untrained("colorization"), Photograph(np.full((64, 64, 1), 90, np.uint8))
    with pytest.raises(
        ValueError, match=r"^The hints are 32x32 and the photograph is 64x64; give hints of its size\.$"
    ):
        model(grey, hints=dotted(32, (1, 2, 3)))
    for hints in (
        grey,
        Photograph(grey.values, np.zeros((64, 64), np.uint8)),
        Photograph(grey.values, grey.values[..., 0]),
    ):
        with pytest.raises(ValueError, match="transparent elsewhere"):
            model(grey, hints=hints)
    with pytest.raises(ValueError, match=r"^The model did not learn from hints .*leave the hints out\.$"):
        built(classes=None)(grey, hints=dotted(64, (1, 2, 3)))


def test_hints_change_colours_and_without_them_nothing_is_told() -> None:
    model: Any = untrained("colorization")
    network = model.networks["generator"]
    torch.nn.init.normal_(network.classes[-1].weight)
    grey = Photograph(RANDOM.integers(0, 256, (64, 64, 1), np.uint8))
    plain, hinted = model(grey).value, model(grey, hints=dotted(64, (250, 20, 20), 12)).value
    assert not np.array_equal(plain.values, hinted.values)
    assert np.array_equal(plain.values, model.improve(grey).values)


def test_sepia_is_taken_as_lightness() -> None:
    model: Any = untrained("colorization")
    torch.nn.init.normal_(model.networks["generator"].classes[-1].weight)
    lightness = torch.from_numpy(RANDOM.uniform(-0.6, 0.6, (1, 1, 24, 24))).float()
    plain, tinted = (
        from_lab(torch.cat([lightness, torch.full_like(lightness, red), torch.full_like(lightness, yellow)], 1))
        for red, yellow in ((0.0, 0.0), (0.05, 0.15))
    )
    made = [model.compute(picture) for picture in (plain, tinted)]
    torch.testing.assert_close(*made, atol=0.02, rtol=0)


def test_strength_is_asked_of_the_same_file() -> None:
    model: Any = untrained("colorization")
    torch.nn.init.normal_(model.networks["generator"].classes[-1].weight)
    picture = as_tensor(RANDOM.integers(0, 256, (16, 16, 1), np.uint8))
    made = {strength: model.blended(strength).compute(picture) for strength in (0.0, 1.0)}
    assert torch.equal(made[1.0], model.compute(picture)), "as it is, it is vivid"
    assert not torch.equal(made[0.0], made[1.0])
    assert torch.equal(model.earlier().compute(picture), made[0.0])
    with pytest.raises(ValueError, match="strength is 1.5"):
        model.blended(1.5)


# What an encoder knows


def informed() -> ClassColourist:
    torch.manual_seed(0)
    return ClassColourist(InformedUnet(width=4), rare=0.5, temperature=0.38).eval()


def test_what_the_encoder_finds_changes_which_colours_are_likely() -> None:
    network, shown = informed(), torch.cat([0.5 * noise(1, 1, 40, 50), torch.zeros(1, 3, 40, 50)], 1)
    assert network.encoder is not None
    blind = network.distribution(shown)[1]
    for convolution in network.encoder.modules():
        if isinstance(convolution, FrozenConvolution):
            torch.nn.init.normal_(convolution.weight, 0, 0.2)
    assert not torch.allclose(network.distribution(shown)[1], blind)
    assert network(shown).shape == (1, 3, 40, 50)


def test_a_network_that_is_told_gives_classes_or_nothing() -> None:
    with pytest.raises(ValueError, match=r"informed-unet gives classes of colours; set task.classes=\{\}"):
        built(network={"name": "informed-unet"}, classes=None)
