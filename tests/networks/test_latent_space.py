"""The latent space: directions by NumPy's factorization, the layers that the vector enters, the way between classes."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gannet.networks import PAIRS, Dcgan, Mlp, Pair, Residual
from gannet.networks.latent_space import blends_classes, closed_form_directions, entering_weight, generate_blended
from gannet.networks.plain import pair_of

PAIRS_OF_SIX: dict[str, Pair] = {
    "mlp": Mlp(latent=6, width=16, depth=2),
    "dcgan": Dcgan(latent=6, width=4),
    "residual": Residual(latent=6, width=4),
}
SHAPE = (1, 8, 8)


@pytest.fixture(autouse=True)
def fixed_weights() -> None:
    torch.manual_seed(0)


def plain_module(inputs: int, shape: tuple[int, ...]) -> nn.Module:
    """A generator of somebody else's: a convolution that grows one pixel."""
    return nn.Sequential(nn.Unflatten(1, (inputs, 1, 1)), nn.ConvTranspose2d(inputs, shape[0], shape[1]), nn.Tanh())


def built(name: str, classes: int) -> nn.Module:
    if name == "plain":
        pair = pair_of(plain_module, lambda _, outputs: nn.Sequential(nn.Flatten(), nn.Linear(64, outputs)))
        return pair(latent=6).generator(SHAPE, classes).eval()
    return PAIRS_OF_SIX[name].generator(SHAPE, classes).eval()


def test_directions_are_those_of_the_singular_value_decomposition() -> None:
    weight = torch.randn(40, 7)
    directions, shares = closed_form_directions(weight)
    _, singular, rows = np.linalg.svd(weight.double().numpy(), full_matrices=False)
    np.testing.assert_allclose(np.abs((directions.numpy() * rows).sum(1)), 1, atol=1e-5)
    np.testing.assert_allclose(shares.numpy(), singular**2 / (singular**2).sum(), rtol=1e-5)


def test_planted_directions_come_out_in_their_order_and_with_one_sign() -> None:
    axes = torch.linalg.qr(torch.randn(5, 5))[0]
    strengths = torch.tensor([9.0, 4.0, 2.0, 1.0, 0.5])
    directions, shares = closed_form_directions(torch.diag(strengths) @ axes.T)
    torch.testing.assert_close((directions @ axes).abs(), torch.eye(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(shares, strengths.square() / strengths.square().sum())
    assert (directions.gather(1, directions.abs().argmax(1, keepdim=True)) > 0).all()


def test_a_weight_of_zeros_has_no_strength() -> None:
    assert closed_form_directions(torch.zeros(4, 3))[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("classes", [0, 3])
def test_the_vector_enters_by_the_projection_without_its_class(classes: int) -> None:
    layers = {"mlp": "body.0.0", "dcgan": "project", "residual": "strength"}
    assert layers.keys() == PAIRS.keys()
    for name, layer in layers.items():
        network = built(name, classes)
        torch.testing.assert_close(entering_weight(network), network.get_submodule(layer).weight[:, :6])


@pytest.mark.parametrize("classes", [0, 3])
def test_a_convolution_of_one_pixel_is_a_matrix(classes: int) -> None:
    network = built("plain", classes)
    latent, label = torch.randn(1, 6), torch.zeros(1, dtype=torch.long) if classes else None
    there = (network(latent, label).atanh() - network(torch.zeros(1, 6), label).atanh()).flatten()
    torch.testing.assert_close(entering_weight(network) @ latent[0], there, atol=1e-5, rtol=1e-4)


class Normalized(nn.Module):
    """A generator that normalizes its latent vector first."""

    latent, shape, classes = 6, (4,), 0

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 4)

    def forward(self, latent: Tensor, _: Tensor | None = None) -> Tensor:
        return self.layer(nn.functional.normalize(latent))


def test_a_vector_that_no_layer_is_given_as_it_stands_is_said() -> None:
    with pytest.raises(ValueError, match="no linear layer is given the latent vector"):
        entering_weight(Normalized())


@pytest.mark.parametrize("name", [*PAIRS_OF_SIX, "plain"])
def test_a_share_of_one_is_the_class_itself_and_shares_change_the_picture_evenly(name: str) -> None:
    network = built(name, 3)
    assert blends_classes(network)
    for part in network.parameters():  # Classes start out alike in some networks.
        nn.init.normal_(part, 0, 0.3)
    latent, label = torch.randn(4, 6), torch.tensor([0, 2, 1, 2])
    with torch.no_grad():
        whole = generate_blended(network, latent, nn.functional.one_hot(label, 3))
        torch.testing.assert_close(whole, network(latent, label), atol=1e-5, rtol=1e-4)
        share = torch.linspace(0, 1, 41)
        way = generate_blended(network, latent[:1].expand(41, -1), torch.stack([1 - share, share, 0 * share], 1))
    steps = (way[1:] - way[:-1]).flatten(1).norm(dim=1)
    assert steps.sum() > 1e-3 and steps.max() < 0.5 * steps.sum(), "no step takes half of the way"
