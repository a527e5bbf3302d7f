"""Restoration's measures agree with another library and with the definitions."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torchmetrics.functional.image import peak_signal_noise_ratio

from gannet.metrics.restoration import (
    chroma_distance,
    chroma_error,
    colourfulness,
    fine_detail,
    luma,
    signal_to_noise,
    structural_similarity,
    without_border,
)

TORCH = torch.Generator().manual_seed(0)


def pair(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    real = torch.rand(shape, generator=TORCH, dtype=torch.float64) * 255
    return (real + 20 * torch.randn(shape, generator=TORCH, dtype=torch.float64)).clamp(0, 255), real


def test_psnr_is_torchmetrics_s() -> None:
    made, real = pair(3, 1, 40, 50)
    for index in range(3):
        theirs = peak_signal_noise_ratio(made[index], real[index], data_range=255.0)
        assert float(signal_to_noise(made, real)[index]) == pytest.approx(float(theirs), abs=1e-4)


def test_ssim_is_the_formula_over_windows_of_scipy() -> None:
    made, real = (values[0, 0].numpy() for values in pair(1, 1, 40, 50))

    def mean(values: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(values, 1.5, truncate=3.4)[5:-5, 5:-5]

    x, y = mean(made), mean(real)
    spread = mean(made**2) - x**2 + mean(real**2) - y**2
    shared = mean(made * real) - x * y
    one, two = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    theirs = ((2 * x * y + one) * (2 * shared + two) / ((x**2 + y**2 + one) * (spread + two))).mean()
    ours = structural_similarity(*(torch.from_numpy(values)[None, None] for values in (made, real)))
    assert float(ours) == pytest.approx(theirs, abs=1e-9)


def test_equal_pictures_have_the_best_of_each() -> None:
    _, real = pair(1, 1, 20, 20)
    assert float(structural_similarity(real, real)) == pytest.approx(1) and float(signal_to_noise(real, real)) == 100


def test_luma_is_bt_601_within_a_level_of_pillow_s() -> None:
    """Pillow's Y goes from 0 to 255, the papers' from 16 to 235."""
    values = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    ours = luma(torch.from_numpy(values.transpose(2, 0, 1))[None] / 127.5 - 1)[0, 0].numpy()
    theirs = np.asarray(Image.fromarray(values).convert("YCbCr"))[..., 0]
    assert np.abs((ours - 16) * 255 / 219 - theirs).max() < 1
    grey = torch.linspace(-1, 1, 5).view(1, 1, 1, 5)
    assert torch.allclose(luma(grey), luma(grey.expand(1, 3, 1, 5)), atol=1e-3)


def test_a_border_is_cut_unless_nothing_would_be_left() -> None:
    picture = torch.arange(36.0).view(1, 1, 6, 6)
    assert torch.equal(without_border(picture, 2), picture[:, :, 2:4, 2:4])
    assert torch.equal(without_border(picture, 3), picture)


def test_fine_detail_is_that_of_a_known_wave() -> None:
    """Of a checkerboard of plus and minus one every Laplacian is eight times the value; of a ramp it is zero."""
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    assert float(fine_detail(board[None, None])) == pytest.approx(64)
    assert float(fine_detail(torch.arange(8.0).expand(1, 1, 8, 8))) == pytest.approx(0)


def lab_of(colour: tuple[int, int, int], *shape: int) -> torch.Tensor:
    return (torch.tensor(colour, dtype=torch.float64) / 127.5 - 1).view(1, 3, 1, 1).expand(1, 3, *shape)


def test_chroma_errors_are_distances_in_the_plane_of_colours() -> None:
    """Red lies at (80.09, 67.20), blue at (79.19, -107.86), grey at the origin."""
    red, blue, grey = (lab_of(colour, 4, 4) for colour in ((255, 0, 0), (0, 0, 255), (99, 99, 99)))
    assert float(chroma_error(red, blue)) == pytest.approx(
        ((80.09 - 79.19) ** 2 + (67.2 + 107.86) ** 2) ** 0.5, abs=0.1
    )
    assert float(chroma_error(red, grey)) == pytest.approx((80.09**2 + 67.2**2) ** 0.5, abs=0.1)


def test_the_distribution_of_chroma_minds_no_places() -> None:
    red, blue = lab_of((255, 0, 0), 4, 2), lab_of((0, 0, 255), 4, 2)
    one, other = torch.cat([red, blue], 3), torch.cat([blue, red], 3)
    assert float(chroma_distance(one, other)) == pytest.approx(0, abs=1e-9)
    assert float(chroma_error(one, other)) > 100
    # Along directions all around, a distance of d has a mean of 2 d / pi.
    assert float(chroma_distance(red, blue)) == pytest.approx(2 / np.pi * float(chroma_error(red, blue)), rel=0.01)


def test_grey_has_no_colourfulness_and_two_colours_have_what_the_formula_says() -> None:
    assert float(colourfulness(lab_of((99, 99, 99), 3, 3))) == pytest.approx(0, abs=1e-6)
    both = torch.cat([lab_of((255, 0, 0), 2, 2), lab_of((0, 255, 0), 2, 2)], 3)
    # Red less green is 255 and -255; red and green's mean less blue is 127.5 on both sides.
    assert float(colourfulness(both)) == pytest.approx(255 + 0.3 * 127.5, rel=1e-6)
