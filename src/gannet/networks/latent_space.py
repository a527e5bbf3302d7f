"""The latent space of a generator: the directions in which its pictures change most, and the way between classes.

Directions follow from the weights alone (Shen and Zhou, 2021, "Closed-Form Factorization of Latent Semantics in GANs",
section 3): no picture is drawn, and nothing is learned.
"""

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gannet.networks.plain import PlainGenerator


def entering_weight(network: nn.Module) -> Tensor:
    """Give the weights by which a latent vector enters a generator, (outputs, latent); those of several layers stacked.

    They are found by looking at which layers are given it as it stands; what is appended to it, as a class is, is left
    out. Generators without modulation have one such layer, their projection.

    Raises:
        ValueError: no linear layer is given the latent vector.
    """
    size = int(network.latent)  # type: ignore[arg-type]
    device = next(network.parameters()).device
    probe = torch.linspace(-1, 1, 2 * size, device=device).view(2, size)
    found: list[Tensor] = []

    def look(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        inputs = given[0].flatten(1)
        if inputs.shape[1] >= size and torch.equal(inputs[:, :size], probe) and _is_linear(layer, given[0]):
            found.append(_matrix(layer)[:, :size].detach())

    linear = [one for one in network.modules() if isinstance(one, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    handles = [layer.register_forward_pre_hook(look) for layer in linear]
    try:
        with torch.no_grad():
            network(probe, torch.zeros(2, dtype=torch.long, device=device) if network.classes else None)
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise ValueError("no linear layer is given the latent vector as it stands")
    return torch.cat(found)


def _is_linear(layer: nn.Module, given: Tensor) -> bool:
    """Tell whether a layer is a matrix for what it is given: a convolution of one pixel is, in one group."""
    if isinstance(layer, nn.Linear):
        return given.dim() == 2
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d), "no other is looked at"
    single = given.shape[2:].numel() == 1 and layer.groups == 1
    return single and (isinstance(layer, nn.ConvTranspose2d) or layer.weight[0, 0].numel() == 1)


def _matrix(layer: nn.Module) -> Tensor:
    weight: Tensor = layer.weight  # type: ignore[assignment]
    return weight.flatten(1).T if isinstance(layer, nn.ConvTranspose2d) else weight.flatten(1)


def closed_form_directions(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Factorize the weight (outputs, latent) by which a latent vector enters (Shen and Zhou, 2021, equations 4 to 7).

    The directions n of unit length that change most, the greatest |A n|^2, are the eigenvectors of A^T A with the
    greatest eigenvalues. Of the two signs that an eigenvector has it gets the one whose greatest number is positive.

    Returns:
        directions (latent, latent), one a row, the strongest first; and of each |A n|^2 as a share of their sum.
    """
    matrix = weight.double()
    values, vectors = torch.linalg.eigh(matrix.T @ matrix)
    strengths, directions = values.flip(0).clamp(min=0), vectors.T.flip(0)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return (directions * largest.sign()).float(), (strengths / strengths.sum().clamp(min=1e-30)).float()


def blends_classes(network: nn.Module) -> bool:
    """Tell whether a generator knows its classes by vectors, between which there is a way."""
    return isinstance(network, PlainGenerator) or bool(_class_tables(network))


def generate_blended(network: nn.Module, latent: Tensor, shares: Tensor) -> Tensor:
    """Generate what lies between classes: every table of class vectors is read as a weighted mean of its rows.

    Args:
        latent: (b, latent).
        shares: (b, classes), how much of each class; a one and zeros is that class.

    Returns:
        samples (b, *shape).
    """
    if isinstance(network, PlainGenerator):
        drawn: Tensor = network.body(torch.cat([latent, shares.to(latent)], 1))
        return drawn
    tables = {name: shares.to(table) @ table for name, table in _class_tables(network).items()}
    blended: Tensor = functional_call(network, tables, (latent, torch.arange(len(latent), device=latent.device)))
    return blended


def _class_tables(network: nn.Module) -> dict[str, Tensor]:
    """The weights, by name, that have a row a class."""
    tables = {name: one for name, one in network.named_modules() if isinstance(one, nn.Embedding)}
    return {f"{name}.weight": one.weight for name, one in tables.items() if one.num_embeddings == network.classes}
