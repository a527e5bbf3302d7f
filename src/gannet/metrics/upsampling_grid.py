"""Rows and dots as far apart as pictures were enlarged: the grid that networks leave which enlarge by sub-pixels.

Odena et al. (2016), "Deconvolution and Checkerboard Artifacts", show what it looks like, and where it comes from.
"""

from itertools import product

import torch
from torch import Tensor

WINDOW, BESIDE = 32, 2
"""Pixels a side of the windows whose spectra are averaged, and how many of their frequencies beside one of the grid's
what is no grid is looked for: a window's own shape spreads a frequency over those next to it.
"""
LEAST = 1e-12
"""Stands for no power at all, of which there is no logarithm."""
FLAT = 1e-6
"""Up to which power of the luma, from 0 to 255, a picture is flat: far below that of rounding to eight bits."""


def grid_energy(made: Tensor, real: Tensor, scale: int) -> float | None:
    """Tell how much energy is in the grid of enlargement, as a share of what the real pictures have there.

    That is at the frequencies of what repeats every `scale` pixels, down, across or both; 1 where there is no grid.
    What counts is what rises above the frequencies on either side, more than it does in the real pictures: one that is
    softer or rougher all over has no grid. Spectra are means over windows (Welch, 1967), so that it does not matter
    how large pictures are, nor where they begin.

    Args:
        made, real: one channel of pictures (b, 1, h, w), of which all are taken together.
        scale: how many times larger they were made; a divisor of the window's side.

    Returns:
        None where that has no meaning: without enlargement, of pictures smaller than a window, and of flat ones.
    """
    if scale == 1 or min(real.shape[2:]) < WINDOW:
        return None
    (ours, _), (theirs, usual) = (_at_the_grid(_spectrum(one), scale) for one in (made, real))
    return 1 + float((ours - theirs) / usual) if usual > FLAT else None


def _spectrum(pictures: Tensor) -> Tensor:
    """Give the mean power of windows that overlap by half, each tapered (Hann): (side, side)."""
    taper = torch.hann_window(WINDOW, dtype=torch.float64, device=pictures.device)
    windows = pictures.double()[:, 0].unfold(1, WINDOW, WINDOW // 2).unfold(2, WINDOW, WINDOW // 2).flatten(0, 2)
    windows = (windows - windows.mean((1, 2), keepdim=True)) * taper[:, None] * taper
    # A part at a time: the spectra of all windows of a large photograph take a gigabyte.
    powers = [torch.fft.fft2(part).abs().square().sum(0) for part in windows.split(1024)]
    return torch.stack(powers).sum(0) / len(windows) / taper.square().sum() ** 2


def _at_the_grid(spectrum: Tensor, scale: int) -> tuple[Tensor, Tensor]:
    """Give the power by which the grid's frequencies rise above those beside them, and that of the latter, summed."""
    every = WINDOW // scale
    rise, usual = spectrum.new_zeros(2)
    for down, across in product(range(scale), repeat=2):
        if down or across:
            beside = _beside(spectrum, down * every, across * every)
            rise, usual = rise + spectrum[down * every, across * every] - beside, usual + beside
    return rise, usual


def _beside(spectrum: Tensor, row: int, column: int) -> Tensor:
    """Give the power that a frequency would have by others in the same direction, interpolated between logarithms.

    Those are one nearer to zero and one farther from it: power falls by a power of the frequency in photographs. From
    the highest frequency on it is mirrored, so that two nearer ones tell where it levels off.
    """
    place = torch.tensor([_signed(row), _signed(column)], dtype=torch.float64)
    step = BESIDE * place / place.abs().max()
    if int(place.abs().max()) == WINDOW // 2:
        return _power(spectrum, place - step) ** (4 / 3) / _power(spectrum, place - 2 * step) ** (1 / 3)
    nearer, farther = place - step, place + step
    share = float((place.norm() / nearer.norm()).log() / (farther.norm() / nearer.norm()).log())
    return _power(spectrum, nearer) ** (1 - share) * _power(spectrum, farther) ** share


def _power(spectrum: Tensor, place: Tensor) -> Tensor:
    row, column = place.round().long().tolist()
    return spectrum[row, column].clamp_min(LEAST)


def _signed(index: int) -> int:
    """Give a frequency's number from -n/2 to n/2, of one from 0 to n."""
    return index - WINDOW if index > WINDOW // 2 else index
