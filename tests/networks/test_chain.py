"""CHAIN against its formulas: what is normalized, by what, with which gradient, and what a discriminator says."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gannet.adversarial.penalties import squared_gradient
from gannet.networks import Dcgan
from gannet.networks.chain import DECAY, EPSILON, Chain, Look
from gannet.networks.dcgan import ChainDiscriminator

SHAPE = (6, 3, 4, 5)


@pytest.fixture
def picture() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(SHAPE) * torch.tensor([0.5, 1.0, 3.0])[:, None, None] + 0.3


def layer(share: float, squares: float | Tensor = 1.0) -> Chain:
    made = Chain(3)
    made.share.fill_(share)
    made.squares.copy_(torch.as_tensor(squares).expand(2, 3))
    return made


def by_hand(picture: Tensor, running: Tensor) -> tuple[Tensor, Tensor]:
    """The features over their root mean square, and that times the smallest, one channel after the other."""
    mean_squares = [0.9 * float(before) + 0.1 * float((picture[:, c] ** 2).mean()) for c, before in enumerate(running)]
    smallest = min(mean_squares) ** 0.5
    over = torch.stack([picture[:, c] / (mean + 1e-5) ** 0.5 for c, mean in enumerate(mean_squares)], 1)
    return over, over * smallest


@pytest.mark.parametrize("side", ["real", "fake"])
def test_what_is_normalized_is_divided_by_its_root_mean_square_and_brought_to_the_smallest(
    picture: Tensor, side: str
) -> None:
    running = torch.tensor([[2.0, 1.0, 4.0], [0.5, 8.0, 1.0]])
    expected = by_hand(picture, running[int(side == "fake")])[1]
    torch.testing.assert_close(layer(1.0, running)(picture, Look(side)), expected)  # type: ignore[arg-type]


def test_the_gradient_is_that_of_a_root_mean_square(picture: Tensor) -> None:
    """Of x / psi times the smallest psi, taken as it is: (g - mean(g y) y) psi_min / psi, with y = x / psi."""
    settled = picture.square().mean((0, 2, 3))  # So that the running mean squares are those of the batch.
    leaf, weight = picture.clone().requires_grad_(), torch.randn(SHAPE)
    (layer(1.0, settled)(leaf, Look("real")) * weight).sum().backward()
    root = (settled + EPSILON).sqrt()[:, None, None]
    over = picture / root
    along = (weight * over).mean((0, 2, 3), keepdim=True)
    torch.testing.assert_close(leaf.grad, settled.min().sqrt() * (weight - along * over) / root)


def test_without_a_share_nothing_is_changed_and_no_gradient(picture: Tensor) -> None:
    leaf = picture.clone().requires_grad_()
    for look in (Look("real"), None):
        found = layer(0.0, 5.0)(leaf, look)
        assert torch.equal(found, picture)
        (gradient,) = torch.autograd.grad(found.sum(), leaf)
        assert torch.equal(gradient, torch.ones(SHAPE))


def test_each_channel_of_each_sample_is_normalized_with_the_probability_of_the_share() -> None:
    torch.manual_seed(0)
    picture, running = torch.rand(2000, 3, 2, 2) + 0.5, torch.tensor([1.0, 2.0, 4.0])
    found = layer(0.3, running)(picture, Look("fake")) / picture
    scale = by_hand(picture, running)[1] / picture
    normalized = (found - scale).abs() < 1e-6
    assert torch.equal(normalized.flatten(2).any(2), normalized.flatten(2).all(2)), "a channel is changed in part"
    assert bool((normalized | (found == 1))[:, 1:].all())
    assert 0.27 < float(normalized[:, 1:].float().mean()) < 0.33
    alone = layer(0.3, running)(picture) / picture
    torch.testing.assert_close(alone[0, :, 0, 0], 1 + 0.3 * (1 / (running + EPSILON).sqrt() - 1))


@given(squares=st.lists(st.floats(0, 1e6), min_size=3, max_size=3), share=st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_no_feature_is_ever_made_larger(squares: list[float], share: float) -> None:
    """Its Lipschitz constant is one, whatever was seen: small channels are what batch normalization blows up."""
    picture = torch.linspace(-3, 3, 6 * 3 * 4).view(6, 3, 2, 2)
    chain = layer(share, torch.tensor(squares))
    for look in (None, Look("real"), Look("fake")):
        assert bool((chain(picture, look).abs() <= picture.abs() + 1e-6).all())


@given(rounds=st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=8))
@settings(deadline=None, max_examples=30)
def test_running_mean_squares_are_each_sides_own_and_of_whole_rounds(rounds: list[tuple[float, float]]) -> None:
    chain, expected = layer(0.0), [1.0, 1.0]
    for seen in rounds:
        chain.follow(0.25, [torch.tensor([[value], [3 * value]]).expand(2, 3) for value in seen])
        expected = [DECAY * before + (1 - DECAY) * 2 * value for before, value in zip(expected, seen, strict=True)]
    torch.testing.assert_close(chain.squares, torch.tensor(expected)[:, None].expand(2, 3))
    assert chain.share == 0.25


def test_squared_means_go_by_the_share(picture: Tensor) -> None:
    look = Look("real")
    layer(0.4)(picture, look)
    expected = 0.4 * sum(float(picture[:, c].mean()) ** 2 for c in range(3))
    assert float(look.squared_means[0]) == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(look.squares[0], picture.square().mean((2, 3)))


@pytest.fixture
def discriminator() -> ChainDiscriminator:
    torch.manual_seed(0)
    made = Dcgan(width=4, normalization="chain").discriminator((2, 32, 32), 3)
    assert isinstance(made, ChainDiscriminator)
    for link in made.links:
        link.follow(0.5, torch.rand(2, 5, link.squares.shape[1]))
    return made


def test_a_discriminator_normalizes_all_layers_but_the_one_at_the_picture(discriminator: ChainDiscriminator) -> None:
    assert [link.squares.shape[1] for link in discriminator.links] == [8, 16]
    plain = Dcgan(width=4).discriminator((2, 32, 32), 3)
    weights = [name for name, _ in discriminator.named_parameters()]
    assert len(weights) == len(list(plain.parameters())), "normalization itself learns nothing"


def test_pictures_of_one_layer_are_refused() -> None:
    with pytest.raises(ValueError, match="8x8 pixels need no other; set data.size to 9 or more"):
        Dcgan(normalization="chain").discriminator((1, 8, 8), 0)
    assert Dcgan(normalization="chain").discriminator((1, 9, 9), 0).links


def test_samples_are_scored_alone_but_where_they_are_looked_at_together(discriminator: ChainDiscriminator) -> None:
    """So a gradient penalty and an audit see what belongs to each sample; and training and use do not differ."""
    sample, label = torch.rand(6, 2, 32, 32), torch.arange(6) % 3
    alone = torch.cat([discriminator(sample[i : i + 1], label[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(discriminator(sample, label), alone)
    torch.testing.assert_close(discriminator.eval()(sample, label), alone)
    look = Look("fake")
    together = discriminator.look_at(sample, label, look)
    assert together.shape == (6,) and not torch.allclose(together, alone)
    assert len(look.squared_means) == len(look.squares) == 2
    assert torch.isfinite(squared_gradient(lambda x: discriminator(x, label), sample))


def test_its_state_is_kept_with_the_weights(discriminator: ChainDiscriminator) -> None:
    other = Dcgan(width=4, normalization="chain").discriminator((2, 32, 32), 3)
    other.load_state_dict(discriminator.state_dict())
    sample, label = torch.rand(2, 2, 32, 32), torch.zeros(2, dtype=torch.long)
    assert torch.equal(other(sample, label), discriminator(sample, label))
