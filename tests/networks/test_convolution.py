"""The gradient as a matrix product is the convolution's own, once and twice differentiated, whatever the shape."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from gannet.networks import convolution
from gannet.networks.convolution import Convolution, DenseConvolution, UpConvolution, weight_gradient

SHAPES = st.tuples(st.integers(1, 2), st.integers(0, 1), st.booleans())


@given(shape=SHAPES, kernel=st.integers(1, 4), side=st.integers(4, 9), channels=st.tuples(*[st.integers(1, 3)] * 2))
def test_the_product_is_the_weights_gradient(shape, kernel, side, channels):
    stride, padding, transposed = shape
    torch.manual_seed(0)
    picture = torch.randn(3, channels[0], side, side, dtype=torch.float64)
    sides = channels if transposed else channels[::-1]
    weight = torch.randn(*sides, kernel, kernel, dtype=torch.float64, requires_grad=True)
    convolve = torch.nn.functional.conv_transpose2d if transposed else torch.nn.functional.conv2d
    out = convolve(picture, weight, None, stride, min(padding, kernel // 2))
    gradient = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, weight, gradient)
    found = weight_gradient(picture, weight, gradient, (stride, min(padding, kernel // 2), transposed))
    torch.testing.assert_close(found, expected)


def test_many_samples_are_multiplied_a_few_at_a_time(monkeypatch):
    picture, weight = torch.randn(7, 8, 6, 6), torch.randn(9, 8, 4, 4)
    gradient = torch.randn(7, 9, 3, 3)
    whole = weight_gradient(picture, weight, gradient, (2, 1, False))
    monkeypatch.setattr(convolution, "CHUNK_BYTES", 10_000)
    torch.testing.assert_close(weight_gradient(picture, weight, gradient, (2, 1, False)), whole)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("channels", [2, 8])
def test_gradients_are_right_and_differentiable_again(transposed, channels):
    torch.manual_seed(0)
    picture = torch.randn(2, channels, 4, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, channels, 4, 4, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(channels, dtype=torch.float64, requires_grad=True)

    def convolve(*tensors):
        return DenseConvolution.apply(*tensors, (2, 1, transposed))

    assert gradcheck(convolve, (picture, weight, bias), fast_mode=True)
    assert gradgradcheck(convolve, (picture, weight, bias), fast_mode=True)


def test_a_penalty_differentiates_through_it_as_through_pytorchs_own(monkeypatch):
    torch.manual_seed(0)
    layers = torch.nn.Sequential(Convolution(8, 16, 4, 2, 1), torch.nn.LeakyReLU(0.2), Convolution(16, 8, 4, 2, 1))
    picture = torch.randn(4, 8, 16, 16)

    def penalty():
        sample = picture.clone().requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16):
            score = layers(sample).float().square().sum()
            (slope,) = torch.autograd.grad(score, sample, create_graph=True)
            return torch.autograd.grad(slope.square().sum(), list(layers.parameters()))

    found = {}
    for tiles in (False, True):
        monkeypatch.setattr(convolution, "_has_tiles", lambda tiles=tiles: tiles)
        found[tiles] = penalty()
    for got, wanted in zip(found[True], found[False], strict=True):
        assert (got - wanted).norm() < 0.05 * wanted.norm()


def test_a_pass_that_wants_the_pictures_gradient_alone_computes_no_other(monkeypatch):
    made = []
    right = convolution.weight_gradient
    monkeypatch.setattr(convolution, "weight_gradient", lambda *given: made.append(1) or right(*given))
    monkeypatch.setattr(convolution, "_has_tiles", lambda: True)
    layer, picture = Convolution(8, 8, 4, 2, 1), torch.randn(2, 8, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        score = layer(picture).float().square().sum()
    torch.autograd.grad(score, picture, retain_graph=True)
    score.backward(inputs=[picture], retain_graph=True)
    assert made == []
    score.backward()
    assert made == [1] and layer.weight.grad is not None and layer.bias.grad is not None


@pytest.mark.parametrize(
    "odd",
    [{"groups": 2}, {"dilation": 2}, {"padding_mode": "circular"}, {"stride": (1, 2)}, {"padding": "same"}],
    ids=str,
)
def test_what_is_not_plain_is_left_to_pytorch(odd, monkeypatch):
    monkeypatch.setattr(convolution, "_has_tiles", lambda: True)
    torch.manual_seed(0)
    ours = Convolution(8, 8, 3, **odd)
    theirs = torch.nn.Conv2d(8, 8, 3, **odd)
    theirs.load_state_dict(ours.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        picture = torch.randn(2, 8, 8, 8)
        assert torch.equal(ours(picture), theirs(picture))


@pytest.mark.parametrize("make", [lambda: Convolution(8, 16, 4, 2, 1), lambda: UpConvolution(16, 8, 4, 2, 1)])
def test_a_processor_with_tiles_computes_the_same_up_to_rounding(make, monkeypatch):
    torch.manual_seed(0)
    module = make()
    picture = torch.randn(4, module.in_channels, 8, 8, requires_grad=True)
    monkeypatch.setattr(convolution, "_has_tiles", lambda: False)
    plain = module(picture)
    gradient = torch.randn_like(plain)
    expected = torch.autograd.grad(plain, [picture, *module.parameters()], gradient)
    monkeypatch.setattr(convolution, "_has_tiles", lambda: True)
    with torch.autocast("cpu", torch.bfloat16):
        tiled = module(picture)
    assert type(tiled.grad_fn).__name__ == "DenseConvolutionBackward"
    assert tiled.is_contiguous(memory_format=torch.channels_last)
    found = torch.autograd.grad(tiled, [picture, *module.parameters()], gradient.bfloat16())
    for got, wanted in zip((tiled, *found), (plain, *expected), strict=True):
        assert (got.float() - wanted).norm() < 0.02 * wanted.norm()
