"""CIE 1976 L*a*b*: lightness apart from colour, under daylight (D65), of sRGB values."""

import torch
from torch import Tensor

FROM_RGB = torch.tensor(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]],
    dtype=torch.float64,
)
WHITE = FROM_RGB.sum(1)
BEND, SLOPE = 6 / 29, 3 * (6 / 29) ** 2
CHROMA = 110.0
"""Colours are divided by it: then all of sRGB lies within [-1, 1]."""


def to_lab(pictures: Tensor) -> Tensor:
    """Give colours (b, 3, h, w) in [-1, 1] as lightness, and green to red and blue to yellow, in [-1, 1] as well."""
    light = _linear(((pictures + 1) / 2).clamp(0, 1))
    ratios = _mixed(FROM_RGB / WHITE[:, None], light)
    roots = torch.where(ratios > BEND**3, ratios.clamp_min(BEND**3) ** (1 / 3), ratios / SLOPE + 4 / 29)
    x, y, z = roots.unbind(1)
    return torch.stack([(116 * y - 16) / 50 - 1, 500 * (x - y) / CHROMA, 200 * (y - z) / CHROMA], 1)


def from_lab(pictures: Tensor) -> Tensor:
    """Give the reverse; what no sRGB colour is becomes the nearest value, channel by channel."""
    lightness, red, yellow = pictures.unbind(1)
    y = (50 * (lightness + 1) + 16) / 116
    roots = torch.stack([y + CHROMA * red / 500, y, y - CHROMA * yellow / 200], 1)
    ratios = torch.where(roots > BEND, roots**3, SLOPE * (roots - 4 / 29))
    light = _mixed(torch.linalg.inv(FROM_RGB / WHITE[:, None]), ratios)
    return _companded(light.clamp(0, 1)) * 2 - 1


def _mixed(matrix: Tensor, values: Tensor) -> Tensor:
    """A matrix (3, 3) times each colour; in half precision it would be off by levels that eyes can tell."""
    with torch.autocast(values.device.type, enabled=False):
        return torch.einsum("ij,bjhw->bihw", matrix.to(values), values)


def _linear(values: Tensor) -> Tensor:
    """sRGB values as light, both from 0 to 1 (IEC 61966-2-1)."""
    return torch.where(values > 0.04045, ((values.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, values / 12.92)


def _companded(light: Tensor) -> Tensor:
    bent = 1.055 * light.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(light > 0.0031308, bent, 12.92 * light)
