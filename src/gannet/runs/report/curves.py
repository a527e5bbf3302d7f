"""Curves as SVG: drawn here, so that a report needs neither a network nor a plotting library."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 260, 56, 28, 24, 14
COLOURS = ("#1f6feb", "#d1495b", "#2e933c", "#8f6bd6", "#c77d0a", "#17899b")
MOST_POINTS = 400


@dataclass(frozen=True)
class Curve:
    """A named line: figures over images seen."""

    name: str
    images: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True)
class Mark:
    """A level to hold curves against, with its name."""

    value: float
    name: str


def draw_curves(title: str, curves: Sequence[Curve], marks: Sequence[Mark] = (), about: str = "") -> str:
    """Give a figure with a legend, and below it what it is about; curves of fewer than two finite values are left out,
    and none at all gives ''.
    """
    curves = [thinned(curve) for curve in curves]
    curves = [curve for curve in curves if len(curve.values) > 1]
    if not curves:
        return ""
    frame = _Frame.enclosing(curves, marks)
    lines = [frame.line(curve, COLOURS[index % len(COLOURS)]) for index, curve in enumerate(curves)]
    legend = "".join(
        f'<span><i style="background:{COLOURS[index % len(COLOURS)]}"></i>{escape(curve.name)}</span>'
        for index, curve in enumerate(curves)
    )
    drawing = "".join([frame.axes(), *(frame.level(mark) for mark in marks), *lines])
    words = f'<p class="small">{escape(about)}</p>' if about else ""
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{drawing}</svg><div class="legend">{legend}</div>{words}</figure>'
    )


def thinned(curve: Curve) -> Curve:
    """Give the curve's finite points, at most 400 of them."""
    points = [(x, y) for x, y in zip(curve.images, curve.values, strict=True) if isfinite(y)]
    points = points[:: -(-len(points) // MOST_POINTS) or 1]
    return Curve(curve.name, [x for x, _ in points], [y for _, y in points])


@dataclass(frozen=True)
class _Frame:
    """Maps images and values to places in the drawing."""

    most: float
    low: float
    high: float

    @classmethod
    def enclosing(cls, curves: Sequence[Curve], marks: Sequence[Mark]) -> "_Frame":
        values = [value for curve in curves for value in curve.values] + [mark.value for mark in marks]
        low, high = min(0.0, *values), max(values)
        return cls(max(max(curve.images) for curve in curves) or 1, low, high if high > low else low + 1)

    def across(self, images: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * images / self.most

    def down(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)

    def line(self, curve: Curve, colour: str) -> str:
        points = " ".join(
            f"{self.across(x):.1f},{self.down(y):.1f}" for x, y in zip(curve.images, curve.values, strict=True)
        )
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'

    def level(self, mark: Mark) -> str:
        height = self.down(mark.value)
        return (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" class="mark"/>'
            f'<text x="{WIDTH - RIGHT}" y="{height - 4:.1f}" text-anchor="end">{escape(mark.name)}</text>'
        )

    def axes(self) -> str:
        bottom = HEIGHT - BOTTOM
        step = 10 ** floor(log10((self.high - self.low) / 2))
        step *= next(times for times in (5, 2, 1, 0.5) if (self.high - self.low) / (step * times) >= 2)
        values = [step * number for number in range(ceil(self.low / step), floor(self.high / step + 1e-9) + 1)]
        labels = [
            f'<text x="{LEFT - 6}" y="{self.down(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>'
            for value in values
        ]
        ends = [
            f'<text x="{LEFT}" y="{HEIGHT - 6}">0</text>',
            f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{self.most:,.0f} images</text>',
        ]
        return f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" class="axis"/>' + "".join([*labels, *ends])
