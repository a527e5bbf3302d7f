"""Landscapes drawn by rule, each with the map of what its pixels show: a function of a number, with no file needed."""

from gannet.data.landscapes.canvas import HEIGHT, NAMES, PALETTE, WIDTH
from gannet.data.landscapes.scene import draw_landscape

__all__ = ["HEIGHT", "NAMES", "PALETTE", "WIDTH", "draw_landscape"]
