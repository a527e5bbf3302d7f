"""Pairs of networks: shapes and ranges at every size, conditioning, normalization, and what is refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gannet.networks import PAIRS, Dcgan, Mlp, Pair, Residual
from gannet.networks.dcgan import ClassBatchNorm
from gannet.networks.pair import for_classes_of
from gannet.networks.residual import start

SHAPES = [
    (1, 8, 8),
    (3, 13, 13),
    (1, 28, 28),
    (3, 32, 32),
    (4, 37, 37),
    (2, 64, 64),
    (3, 100, 100),
    (3, 8, 16),
    (1, 256, 256),
]
SMALL = {
    "mlp": Mlp(latent=6, width=16, depth=2),
    "dcgan": Dcgan(latent=6, width=4),
    "residual": Residual(latent=6, width=4),
}


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def fixed_weights() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", sorted(PAIRS))
def test_pictures_have_the_shape_and_the_range_and_scores_are_one_a_picture(name: str, shape: tuple[int, ...]) -> None:
    generator, discriminator = SMALL[name].generator(shape, 0), SMALL[name].discriminator(shape, 0)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(20)  # Far enough for a generator without a bound to leave [-1, 1].
        pictures = generator.eval()(noise(3, 6))
        scores = discriminator(pictures)
    assert pictures.shape == (3, *shape) and scores.shape == (3,)
    assert 0.9 < float(pictures.abs().max()) <= 1
    assert scores.isfinite().all()


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_every_latent_vector_makes_a_picture_of_its_own(name: str) -> None:
    pictures = SMALL[name].generator((3, 13, 13), 0)(noise(3, 6))
    assert (pictures[0] - pictures[1]).abs().max().item() > 1e-4


def test_points_in_the_plane_are_not_bounded() -> None:
    pair = Mlp(latent=4, width=16, depth=2)
    generator, discriminator = pair.generator((2,), 0), pair.discriminator((2,), 0)
    with torch.no_grad():
        generator.output.bias.fill_(5)
        points = generator(noise(3, 4))
    assert points.shape == (3, 2) and float(points.min()) > 1
    assert discriminator(points).shape == (3,)


ALL_SIZES = tuple(range(8, 257))
SOME_SIZES = (8, 15, 16, 33, 100, 255, 256)


@pytest.mark.parametrize(
    ("normalization", "sides"),
    [("none", ALL_SIZES), ("batch", SOME_SIZES), ("spectral", SOME_SIZES)],
    ids=["none", "batch", "spectral"],
)
def test_every_size_can_be_built_without_allocating(normalization: str, sides: tuple[int, ...]) -> None:
    pair = Dcgan(normalization=normalization)
    with torch.device("meta"):
        for side in sides:
            classes = 10 * (side % 2)
            label = torch.zeros(2, dtype=torch.long) if classes else None
            shape = (3, side, max(8, 264 - side))
            generator, discriminator = pair.generator(shape, classes), pair.discriminator(shape, classes)
            pictures = generator(torch.zeros(2, 64), label)
            assert pictures.shape == (2, *shape), side
            assert discriminator(pictures, label).shape == (2,), side
            assert all(tensor.is_meta for tensor in [*generator.parameters(), *discriminator.parameters()])


@given(height=st.integers(8, 256), width=st.integers(8, 256), channels=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_the_discriminator_sees_two_to_four_pixels_of_the_shorter_side(height: int, width: int, channels: int) -> None:
    shape = (channels, height, width)
    with torch.device("meta"):
        pair = Dcgan(width=2)
        features = pair.discriminator(shape, 0).body[:-1](torch.zeros(1, *shape))
        assert pair.generator(shape, 0)(torch.zeros(2, 64)).shape == (2, *shape)
    assert 2 <= min(features.shape[2:]) <= 4


@pytest.mark.parametrize("shape", [(1, 7, 7), (3, 257, 257), (5, 32, 32), (0, 32, 32), (1, 7, 32), (3, 32, 257), (2,)])
def test_what_a_dcgan_cannot_make_is_refused_in_one_sentence(shape: tuple[int, ...]) -> None:
    pair = Dcgan()
    for build in (lambda: pair.generator(shape, 0), lambda: pair.discriminator(shape, 0), lambda: pair.sized(shape)):
        with pytest.raises(ValueError, match=r"^A dcgan makes pictures[^\n]*\.$") as refused:
            build()
        assert ". " not in str(refused.value)


@pytest.mark.parametrize(
    ("shape", "given", "allowed"), [((1, 7, 9), "9x7", "8 to 256"), ((5, 8, 8), "with 5", "1 to 4")]
)
def test_a_refusal_says_what_was_given_and_what_is_allowed(shape: tuple[int, ...], given: str, allowed: str) -> None:
    with pytest.raises(ValueError, match=given) as refused:
        Dcgan().sized(shape)
    assert allowed in str(refused.value) and "set data." in str(refused.value)


def test_points_are_sent_to_the_network_that_makes_them() -> None:
    with pytest.raises(ValueError, match=r"network\.name=mlp"):
        Dcgan().generator((2,), 0)


@pytest.mark.parametrize(
    ("pair", "changes"), [(Dcgan, {"latent": 0}), (Dcgan, {"width": 0}), (Mlp, {"depth": 0}), (Mlp, {"width": -1})]
)
def test_sizes_below_one_are_refused(pair: type[Pair], changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        pair(**changes)


def perturb(network: nn.Module) -> None:
    """Move the embedding, which starts at zero in a discriminator."""
    nn.init.normal_(network.embedding.weight)


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_labels_change_pictures_at_once_and_scores_once_they_are_learned(name: str) -> None:
    generator, discriminator = SMALL[name].generator((1, 8, 8), 3), SMALL[name].discriminator((1, 8, 8), 3)
    vectors, labels, others = noise(4, 6), torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 1])
    pictures = generator(vectors, labels)
    assert (pictures - generator(vectors, others)).flatten(1).abs().amax(1).min().item() > 1e-4
    torch.testing.assert_close(discriminator(pictures, labels), discriminator(pictures, others), rtol=0, atol=0)
    perturb(discriminator)
    assert (discriminator(pictures, labels) - discriminator(pictures, others)).abs().min().item() > 1e-4


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_the_conditional_score_is_the_projection_of_the_features_on_the_class(name: str) -> None:
    """Miyato and Koyama, 2018, equation 3: y^T V phi(x) + psi(phi(x)), with y one-hot."""
    discriminator = SMALL[name].discriminator((1, 8, 8), 3)
    perturb(discriminator)
    sample, label = noise(4, 1, 8, 8), torch.tensor([2, 0, 1, 2])
    features, one_hot = discriminator.extract(sample), torch.eye(3)[label]
    projected = torch.einsum("bk,kf,bf->b", one_hot, discriminator.embedding.weight, features)
    own = features @ discriminator.head.weight[0] + discriminator.head.bias
    torch.testing.assert_close(discriminator(sample, label), projected + own)


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_conditional_networks_want_labels(name: str) -> None:
    with pytest.raises(AssertionError, match="needs labels"):
        SMALL[name].generator((1, 8, 8), 3)(noise(2, 6))
    with pytest.raises(AssertionError, match="needs labels"):
        SMALL[name].discriminator((1, 8, 8), 3)(noise(2, 1, 8, 8))


def test_the_paper_sized_pair_halves_its_channels_towards_the_picture() -> None:
    pair = Dcgan(width=64)
    ups = pair.generator((3, 32, 32), 0).ups
    downs = [part for part in pair.discriminator((3, 32, 32), 0).body if isinstance(part, nn.Conv2d)]
    assert [part.in_channels for part in ups] == [256, 128, 64] and ups[-1].out_channels == 3
    assert [part.out_channels for part in downs] == [64, 128, 256] and downs[0].in_channels == 3


def test_large_pictures_do_not_widen_beyond_eightfold() -> None:
    with torch.device("meta"):
        ups = Dcgan(width=8).generator((3, 256, 256), 0).ups
    assert [part.in_channels for part in ups] == [64, 64, 64, 32, 16, 8]


@pytest.mark.parametrize(("side", "width"), [(8, 64), (32, 64), (64, 32), (128, 16), (256, 16)])
def test_the_automatic_width_shrinks_with_the_picture(side: int, width: int) -> None:
    assert Dcgan().sized((3, side, side)) == Dcgan(width=width)
    assert Dcgan(width=7).sized((3, side, side)) == Dcgan(width=7)


def test_sizing_a_multilayer_perceptron_changes_nothing() -> None:
    assert Mlp(width=9).sized((2,)) == Mlp(width=9)


@pytest.mark.parametrize(
    "pair", [SMALL["mlp"], SMALL["dcgan"], Dcgan(latent=6, width=4, normalization="spectral")], ids=str
)
def test_a_score_does_not_depend_on_the_rest_of_the_batch(pair: Pair) -> None:
    discriminator, sample = pair.discriminator((2, 16, 16), 0).eval(), noise(5, 2, 16, 16)
    alone = torch.cat([discriminator(one[None]) for one in sample])
    torch.testing.assert_close(discriminator(sample), alone)


def test_batch_normalization_makes_scores_depend_on_the_batch_but_not_in_use() -> None:
    discriminator = Dcgan(width=4, normalization="batch").discriminator((2, 16, 16), 0)
    sample = noise(5, 2, 16, 16)
    changed = torch.cat([sample[:1], 3 * sample[1:]])
    assert abs(discriminator(sample)[0].item() - discriminator(changed)[0].item()) > 1e-5
    discriminator.eval()
    torch.testing.assert_close(discriminator(sample)[0], discriminator(changed)[0])


def test_batch_normalization_spares_the_layer_at_the_picture() -> None:
    """Radford et al., 2016, section 3: not applied to the discriminator's input layer."""
    body = Dcgan(width=4, normalization="batch").discriminator((3, 32, 32), 0).body
    kinds = [type(part).__name__ for part in body if not isinstance(part, nn.LeakyReLU)]
    assert kinds == ["Convolution", "Convolution", "BatchNorm2d", "Convolution", "BatchNorm2d", "Flatten"]


def test_spectral_normalization_brings_every_weight_to_norm_one() -> None:
    discriminator = Dcgan(width=4, normalization="spectral").discriminator((3, 16, 16), 0)
    with torch.no_grad():
        for _ in range(100):
            discriminator(noise(2, 3, 16, 16))
    discriminator.eval()
    weighted = [part for part in discriminator.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    assert len(weighted) == 3
    for part in weighted:
        assert torch.linalg.svdvals(part.weight.detach().flatten(1))[0].item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_other_normalizations_leave_the_weights_alone(normalization: str) -> None:
    """Deviation 0.02, as the paper says (Radford et al., 2016, section 4)."""
    pair = Dcgan(width=32, normalization=normalization)
    for network in (pair.generator((3, 16, 16), 0), pair.discriminator((3, 16, 16), 0)):
        weights = [part.weight for part in network.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
        assert [weight.std().item() for weight in weights] == pytest.approx([0.02] * len(weights), rel=0.1)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", sorted(PAIRS))
def test_every_weight_takes_part_in_the_game(name: str, classes: int) -> None:
    generator, discriminator = SMALL[name].generator((1, 9, 9), classes), SMALL[name].discriminator((1, 9, 9), classes)
    for parameter in (*generator.parameters(), *discriminator.parameters()):
        with torch.no_grad():
            parameter.add_(0.01 * noise(*parameter.shape))  # Some weights start at zero and hide those behind them.
    label = torch.tensor([0, 1, 2, 0]) if classes else None
    discriminator(generator(noise(4, 6), label), label).square().sum().backward()
    for network in (generator, discriminator):
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


def test_class_batch_normalization_is_batch_normalization_with_each_class_its_own_scale_and_shift() -> None:
    """Held against PyTorch's own batch normalization, class by class."""
    layer, picture, label = ClassBatchNorm(3, 2), noise(6, 3, 4, 4), torch.tensor([0, 1, 1, 0, 1, 0])
    nn.init.normal_(layer.shift.weight)
    found = layer(picture, label)
    for number in range(2):
        plain = nn.BatchNorm2d(3)
        plain.weight.data, plain.bias.data = layer.scale.weight[number].data, layer.shift.weight[number].data
        torch.testing.assert_close(found[label == number], plain(picture)[label == number])


def test_a_residual_block_starts_by_changing_nothing() -> None:
    """Huang et al., 2024, section 3.4: the last convolution of a branch starts at zero."""
    block, picture = Residual(width=4).level(4, 3), noise(2, 4, 8, 8)
    torch.testing.assert_close(block(picture), picture)


def open_branches(network: nn.Module, gain: float) -> None:
    """Give the last layer of each branch, which starts at zero and hides it, weights like the others'."""
    for name, part in network.named_modules():
        if name.endswith("widen"):
            start(part, gain)


def test_a_deep_residual_pair_starts_without_growing_or_fading() -> None:
    pair = Residual(latent=64, width=32, blocks=6)
    generator, discriminator = pair.generator((3, 32, 32), 0), pair.discriminator((3, 32, 32), 0)
    # So strong, 24 branches must not add up.
    open_branches(generator, 24**-0.25)
    open_branches(discriminator, 24**-0.25)
    assert 0.1 < generator(noise(64, 64)).std() < 30
    assert 0.03 < discriminator(noise(256, 3, 32, 32)).std() < 10


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_stem_of_two_spares_the_blocks_at_full_size_and_still_reaches_every_pixel(shape: tuple[int, ...]) -> None:
    pair = Residual(latent=6, width=4, stem=2)
    generator, discriminator = pair.generator(shape, 0), pair.discriminator(shape, 0)
    open_branches(discriminator, 1.0)
    sizes: list[tuple[int, ...]] = []
    for part in [*generator.levels, *discriminator.levels]:
        part.register_forward_hook(lambda _module, given, _made: sizes.append(tuple(given[0].shape[2:])))
    pictures = generator(noise(3, 6))
    assert pictures.shape == (3, *shape)
    probe = noise(1, *shape).requires_grad_()
    discriminator(probe).sum().backward()
    assert probe.grad is not None and bool((probe.grad != 0).any(1).all())
    assert (pictures - pictures.mean(0)).std(0).min() > 0
    assert max(map(max, sizes)) < max(shape)


def test_residual_widths_and_groups_are_those_asked_for() -> None:
    pair = Residual(width=16, expansion=2, groups=8)
    assert list(pair.widths((3, 32, 32))) == [16, 32, 64, 128]
    middle = [part for part in pair.discriminator((3, 32, 32), 0).modules() if getattr(part, "groups", 1) == 8]
    assert [part.in_channels for part in middle] == [32, 64, 128, 256]
    with pytest.raises(ValueError, match="must divide"):
        Residual(width=6, groups=4)


AUK, GANNET, MEAN = [1.0] * 6, [4.0] * 6, [2.5] * 6


@pytest.mark.parametrize(
    ("learned", "wanted", "found"),
    [
        ("auk gannet", "auk gannet", [AUK, GANNET]),
        ("auk gannet", "gannet auk", [GANNET, AUK]),
        ("auk gannet", "auk booby gannet", [AUK, MEAN, GANNET]),
        ("auk gannet", "gannet", [GANNET]),
        ("auk gannet", "auk booby", [AUK, MEAN]),
        ("auk gannet", "booby skua", [MEAN, MEAN]),
        ("auk gannet", "0 1", [AUK, GANNET]),
        ("3 7", "auk gannet", [AUK, GANNET]),
        ("3 7", "7 8", [GANNET, MEAN]),
        ("", "auk gannet", [AUK, GANNET]),
        ("", "auk booby gannet", [MEAN, MEAN, MEAN]),
    ],
)
def test_a_class_takes_over_what_was_learned_of_its_name_and_a_new_one_begins_as_the_mean(
    learned: str, wanted: str, found: list[list[float]]
) -> None:
    network = SMALL["mlp"].generator((1, 8, 8), len(wanted.split()))
    others = {"head.weight": torch.ones(1)}
    given = {"embedding.weight": torch.tensor([AUK, GANNET]), **others}
    assert dict(network.named_modules())["embedding"].weight.shape == (len(found), 6)
    fitted = for_classes_of(network, given, learned.split(), wanted.split())
    assert fitted["embedding.weight"].tolist() == found and fitted["head.weight"] is others["head.weight"]
    assert for_classes_of(nn.Linear(1, 1), given, learned.split(), wanted.split()) == given
