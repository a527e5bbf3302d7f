"""L*a*b* by known colours, there and back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gannet.augmentation.lab import CHROMA, from_lab, to_lab


@pytest.mark.parametrize(
    ("colour", "lab"),
    [
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_known_colours(colour: tuple[int, ...], lab: tuple[float, ...]) -> None:
    """As published for sRGB under D65."""
    found = to_lab(torch.tensor(colour, dtype=torch.float64).view(1, 3, 1, 1) / 127.5 - 1).flatten()
    values = [float(found[0] + 1) * 50, float(found[1]) * CHROMA, float(found[2]) * CHROMA]
    assert values == pytest.approx(lab, abs=0.03)


@given(st.lists(st.integers(0, 255), min_size=3, max_size=3))
def test_there_and_back(colour: list[int]) -> None:
    picture = torch.tensor(colour, dtype=torch.float32).view(1, 3, 1, 1) / 127.5 - 1
    assert torch.allclose(from_lab(to_lab(picture)), picture, atol=2e-4)


def test_gradients_are_finite_everywhere() -> None:
    for ends in (torch.full((1, 3, 2, 2), -1.0), torch.full((1, 3, 2, 2), 1.0), torch.zeros(1, 3, 2, 2)):
        for change in (to_lab, from_lab):
            picture = ends.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(change(picture).sum(), picture)
            assert bool(gradient.isfinite().all())


def test_half_precision_around_it_does_not_touch_colours() -> None:
    pictures = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        mixed = from_lab(to_lab(pictures))
    torch.testing.assert_close(mixed, pictures, atol=1e-4, rtol=0)
