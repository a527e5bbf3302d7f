"""A VGG that a user brings gives what torchvision's own layers would, and anything else is refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from gannet.networks.vgg import Vgg
from gannet.tasks._image_restoration import perceptual_network

WIDTHS = (4, 4, "pool", 6, 6, 6, "pool", 8, "pool")


def layers() -> nn.Sequential:
    """The convolutions of a small VGG, numbered as torchvision numbers them."""
    found: list[nn.Module] = []
    channels = 3
    torch.manual_seed(0)
    for width in WIDTHS:
        if isinstance(width, int):
            found += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        else:
            found.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*found)


def weights(net: nn.Module) -> dict[str, Tensor]:
    named = {f"features.{name}": value for name, value in net.state_dict().items()}
    return {**named, "classifier.0.weight": torch.zeros(2, 2)}


@torch.no_grad()
def test_activations_are_what_each_block_gives_before_pooling() -> None:
    whole, pictures = layers(), torch.rand(2, 3, 20, 24) * 2 - 1
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    values = ((pictures + 1) / 2 - mean[:, None, None]) / deviation[:, None, None]
    expected = []
    for layer in whole:
        if isinstance(layer, nn.MaxPool2d):
            expected.append(values)
        values = layer(values)
    found = Vgg(weights(whole)).activations(pictures)
    assert [one.shape[1:] for one in found] == [(4, 20, 24), (6, 10, 12), (8, 5, 6)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_pictures_too_small_for_every_block_show_in_the_first_ones() -> None:
    assert len(Vgg(weights(layers())).activations(torch.zeros(1, 3, 2, 9))) == 2


def test_other_weights_are_refused_with_the_reason(tmp_path: Path) -> None:
    normalized = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
    grey = {**weights(layers()), "features.0.weight": torch.zeros(4, 1, 3, 3)}
    cases = {
        "normalized": (weights(normalized), "without batch normalization"),
        "strangers": ({"layer.weight": torch.zeros(1)}, "features.0.weight"),
        "grey": (grey, "over 3 channels"),
    }
    for name, (tensors, words) in cases.items():
        save_file(tensors, tmp_path / f"{name}.safetensors")
        with pytest.raises(ValueError, match=words):
            perceptual_network(str(tmp_path / f"{name}.safetensors"))
    (tmp_path / "broken.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="is no safetensors file"):
        perceptual_network(str(tmp_path / "broken.safetensors"))
    with pytest.raises(ValueError, match="vgg.pth does not exist; give loss-v1"):
        perceptual_network("vgg.pth")


def test_a_file_of_weights_gives_the_perceptual_distance_its_network(tmp_path: Path) -> None:
    save_file(weights(layers()), tmp_path / "vgg.safetensors")
    found = perceptual_network(str(tmp_path / "vgg.safetensors"))(torch.zeros(1, 1, 16, 16, requires_grad=True))
    assert [one.shape[1] for one in found] == [4, 6, 8] and found[-1].requires_grad
