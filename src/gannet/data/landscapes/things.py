"""What stands in a landscape: trees with leaves, with needles or bare, rocks, a house."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from gannet.data.landscapes.canvas import Sprite, colour, mixed, tinted
from gannet.data.landscapes.light import Light
from gannet.data.landscapes.materials import Colours, Materials
from gannet.data.landscapes.noise import Random, Values, band_tile, rising, window

TALL = 96
"""Pixels of a tree's height as it is drawn once; smaller ones are made of it."""
KINDS = 16
"""Trees of each kind that are drawn once."""
SHADES, SHADED = (0.0, 0.5, 1.0), (0.28, 0.75, 1.45)
"""What is left of a leaf's colour in the dark of a crown, on its side, and where light falls on it."""
BARK = colour(0.26, 0.19, 0.13)


@cache
def leafy(number: int) -> Values:
    """Draw a tree with leaves, lit from the left: (96, 80, 3), how much it covers, how light it is, what is trunk."""
    random = np.random.default_rng([number, 1])
    height, width = TALL, 80
    down, across = np.mgrid[:height, :width].astype(np.float32)
    share, light = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    trunk = _trunk(random, down, across, 0.35, 2.2)
    wide, tall = random.uniform(18, 34), random.uniform(24, 34)
    leaves = window(band_tile(5, 40), random, height, width)
    clumps = window(band_tile(11, 41), random, height, width)
    for _ in range(random.integers(45, 80)):
        angle, away = random.uniform(0, 2 * np.pi), random.random() ** 0.6
        x, y = width / 2 + wide * away * np.cos(angle), 40 + tall * away * np.sin(angle)
        radius = random.uniform(4, 10)
        inside = np.clip((radius - np.hypot(across - x, down - y) + 1.3 * leaves + 0.8 * clumps) / 1.5, 0, 1)
        ball = np.clip(0.55 - 0.045 * (down - y) - 0.032 * (across - x) + 0.14 * leaves, 0, 1)
        whole = np.clip(0.62 - 0.009 * (y - 40) - 0.008 * (x - width / 2), 0, 1)
        light += (ball * whole * 1.35 - light) * inside
        share = np.maximum(share, inside)
    return _stacked(share, light, trunk)


@cache
def needled(number: int) -> Values:
    """Draw a tree with needles, in the same way."""
    random = np.random.default_rng([number, 2])
    height, width = TALL, 80
    down, across = np.mgrid[:height, :width].astype(np.float32)
    share, light = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    trunk = _trunk(random, down, across, 0.15, 1.6)
    slim, tiers = random.uniform(0.16, 0.30), random.integers(9, 15)
    needles = window(band_tile(4, 42), random, height, width)
    bottom = random.uniform(84, 91)
    for tier in range(tiers):
        part = 1 - tier / tiers
        low = 4 + part * (bottom - 4)
        reach = slim * (low - 2) * random.uniform(0.8, 1.1)
        up = bottom / tiers * 1.9
        middle = width / 2 + random.normal(0, 0.7)
        along = np.clip((down - (low - up)) / up, 0, 1)
        half = reach * (0.25 + 0.75 * along) + 1.6 * needles
        side = np.abs(across - middle)
        droop = 2.5 * (side / max(reach, 1)) ** 2
        inside = np.clip((half - side) / 1.2 + 0.5, 0, 1) * (down - droop < low + needles) * (down > low - up)
        shade = 0.35 + 0.5 * (1 - along) * 0.6 - 0.022 * (across - middle) + 0.13 * needles + 0.12 * part
        light += (np.clip(shade, 0, 1) - light) * inside
        share = np.maximum(share, inside)
    return _stacked(share, light, trunk)


@cache
def bare(number: int) -> Values:
    """Draw a tree that has lost its leaves, in the same way."""
    random = np.random.default_rng([number, 3])
    picture = Image.new("L", (160, 2 * TALL))
    pen = ImageDraw.Draw(picture)

    def grow(x: float, y: float, angle: float, length: float, width: float) -> None:
        if length < 3:
            return
        x1, y1 = x + length * np.sin(angle), y - length * np.cos(angle)
        pen.line([x, y, x1, y1], fill=255, width=max(1, round(width)))
        for _ in range(2 if random.random() < 0.75 else 3):
            grow(x1, y1, angle + random.normal(0, 0.45), length * random.uniform(0.66, 0.86), width * 0.68)

    grow(80, 2 * TALL - 1, random.normal(0, 0.05), random.uniform(34, 44), 7)
    share = np.asarray(picture.resize((80, TALL), Image.Resampling.BOX), np.float32) / 255
    return _stacked(np.zeros_like(share), np.full_like(share, 0.5), share)


def _trunk(random: Random, down: Values, across: Values, above: float, half: float) -> Values:
    middle = 40 + random.normal(0, 1) + 2 * np.sin(down / 30 + random.uniform(0, 6)) * (1 - down / TALL)
    thick = half * (0.7 + 0.6 * (down / TALL) ** 3)
    result: Values = np.clip(thick - np.abs(across - middle) + 0.5, 0, 1) * (down > above * TALL)
    return result


def _stacked(share: Values, light: Values, trunk: Values) -> Values:
    return np.stack([np.maximum(share, trunk), light, trunk * (1 - share)], -1).astype(np.float32)


@cache
def scaled(draw: str, number: int, height: int, mirrored: bool) -> Values:
    """Give a thing drawn once at so many pixels of height."""
    drawn = {"leafy": leafy, "needled": needled, "bare": bare}[draw](number)
    drawn = drawn[:, ::-1] if mirrored else drawn
    wide = int(np.abs(np.flatnonzero(drawn[..., 0].any(0)) - 39.5).max() + 1.5)
    drawn = drawn[:, max(0, 40 - wide) : 40 + wide]
    width = max(1, round(height * drawn.shape[1] / TALL))
    way = Image.Resampling.BOX if height < TALL else Image.Resampling.BILINEAR
    channels = [Image.fromarray(np.ascontiguousarray(drawn[..., one])) for one in range(3)]
    return np.stack([np.asarray(one.resize((width, height), way)) for one in channels], -1)


def tree(random: Random, kind: str, height: int, materials: Materials, light: Light, white: bool) -> Sprite:
    """Draw a tree of so many pixels: `leafy`, `needled` or `bare`, with needles that snow lies on or not."""
    share, shade, trunk = np.moveaxis(scaled(kind, int(random.integers(KINDS)), height, light.side > 0), -1, 0)
    leaf = materials.needles if kind == "needled" else materials.leaves[random.integers(len(materials.leaves))]
    leaf = leaf * (1 + 0.12 * random.standard_normal(3).astype(np.float32))
    crown = np.interp(shade, SHADES, SHADED).astype(np.float32)[..., None] * leaf
    if white and kind == "needled":
        crown = mixed(crown, colour(0.93, 0.95, 0.98), 0.9 * rising(shade, 0.42, 0.62))
    colours = mixed(crown, BARK * 0.9, np.clip(trunk / np.maximum(share, 1e-3), 0, 1))
    strong = 0.25 + 0.75 * np.abs(light.side)
    return Sprite(light.lit(colours, np.clip(0.5 + strong * (shade - 0.42), 0, 1)), share)


def rock(random: Random, height: int, stone: Colours, light: Light, white: float) -> Sprite:
    """Draw a rock of so many pixels."""
    width = max(3, int(height * random.uniform(1.1, 2.2)))
    down, across = np.mgrid[:height, :width].astype(np.float32)
    x, y = (across + 0.5) / width * 2 - 1, (down + 0.5) / height
    wave = float(2 ** round(np.log2(max(1.1 * height, 8))))
    large, facets = (window(band_tile(wave / part, 44), random, height, width) for part in (1, 2))
    fine = window(band_tile(4, 45), random, height, width)
    lean, steep = random.uniform(-0.5, 0.5), random.uniform(1.3, 2.6)
    edge = 1 - np.abs((x - lean * (1 - np.abs(x))) * 1.02) ** steep
    surface = y - (1 - np.clip(edge, 0, 1) ** random.uniform(0.6, 0.95)) + 0.08 * large + 0.04 * facets - 0.06
    share = np.clip(surface * height * 0.8, 0, 1)
    side = x * np.sign(light.side)
    towards = np.clip(0.45 + 0.28 * side - 0.40 * (y - 0.4) + 0.22 * large + 0.16 * facets + 0.07 * fine, 0, 1)
    colours = tinted(np.clip(0.5 + 0.12 * large + 0.10 * fine, 0, 1), stone)
    if white:
        colours = mixed(colours, colour(0.93, 0.95, 0.98), white * rising(0.25 - surface + 0.05 * fine, 0, 0.12))
    return Sprite(light.lit(colours, towards), share)


FINE = 4
"""How many times larger a house is drawn."""


def house(random: Random, height: int, materials: Materials, light: Light, white: float, dark: bool) -> Sprite:
    """Draw a house of so many pixels to its ridge."""
    wide, tall = FINE * int(height * 1.9), FINE * height
    picture, cover = Image.new("RGB", (wide, tall)), Image.new("L", (wide, tall))
    pens = ImageDraw.Draw(picture), ImageDraw.Draw(cover)
    wall, roof = materials.wall[random.integers(1, 3)], materials.roof[random.integers(2)]
    roof = mixed(roof, colour(0.92, 0.94, 0.97), 0.9) if white else roof
    split, eaves = int(wide * random.uniform(0.32, 0.42)), int(tall * random.uniform(0.46, 0.54))
    faces = (0.8, 0.35) if light.side < 0 else (0.35, 0.8)
    front, flank = (light.lit(wall, one) for one in faces)
    left, right, over = int(0.05 * wide), int(0.95 * wide), int(0.03 * wide)
    peak = (left + split) // 2

    def fill(corners: list[tuple[int, int]], shade: Values) -> None:
        pens[0].polygon(corners, fill=tuple(int(255 * one) for one in np.clip(shade, 0, 1)))
        pens[1].polygon(corners, fill=255)

    fill([(left, tall), (left, eaves), (peak, 0), (split, eaves), (split, tall)], front)
    fill([(split, tall), (split, eaves), (right, eaves), (right, tall)], flank)
    slope = light.lit(roof, 0.7)
    fill([(peak, 0), (right - over, 0), (right + over, eaves + over), (split + over, eaves + over)], slope)
    fill([(peak, 0), (left - over, eaves + over), (left, eaves + over), (peak, 2 * over)], light.lit(roof, 0.4))
    pane = colour(1.0, 0.80, 0.42) if dark else light.lit(colour(0.16, 0.19, 0.24), 0.5) + 0.12 * light.horizon
    side = int(0.075 * wide)
    for x in np.linspace(split + 1.2 * side, right - 2.2 * side, 3):
        fill(_box(int(x), int(eaves + 0.3 * (tall - eaves)), side, int(1.3 * side)), pane)
    fill(_box(peak - side // 2, int(eaves - 0.15 * tall), side, side), pane)
    fill(_box(peak - side // 2, int(tall * 0.74), int(0.9 * side), tall), light.lit(colour(0.28, 0.18, 0.11), 0.5))
    size = wide // FINE, height
    colours = np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32) / 255
    share = np.asarray(cover.resize(size, Image.Resampling.BOX), np.float32) / 255
    grain = window(band_tile(4, 46), random, height, wide // FINE)
    return Sprite(colours / np.maximum(share, 0.05)[..., None] * (1 + 0.04 * grain[..., None]), share)


def _box(left: int, top: int, width: int, height: int) -> list[tuple[int, int]]:
    return [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
