"""What time does to photographs: holes, scratches, stains, tears, fading; drawn for patches of them.

Masks are (b, 1, h, w), one where something is lost; everything random comes from `draws`, a row a picture. A `View`
says which patches of photographs are seen: damage is drawn as if all of them were there (dust is everywhere alike).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from gannet.augmentation.draws import Draws

STROKES, LINES, BENDS = 4, 3, 5
VISIBLE = 0.1
"""How much something covers of what it lies over where that counts as damaged."""
AT_ONCE = 10
"""Parts of lines whose pixels a GPU tells at once; the caches of a processor hold one."""
NEAR, SOFT_SIDES = 4, (2, 6)
"""Pixels a side of squares that are near each other, and over which soft edges are spread, at least and at most."""


@dataclass(frozen=True)
class View:
    """Which patches of photographs are seen: all of any, or square ones of square ones.

    Attributes:
        corner: where they begin, by row and column (b, 2).
        side: their side (b,), like the corner in shares of the photograph's.
    """

    corner: Tensor
    side: Tensor

    def near_lines(self, pictures: Tensor, bends: Tensor, width: Tensor) -> Tensor:
        """Tell which of the seen pixels lie near lines across whole photographs; see `near_lines`."""
        corner, side = self.corner.to(bends.device)[:, None, None], self.side.to(bends.device)
        return near_lines(pictures, (bends - corner) / side[:, None, None, None], width / side[:, None])

    def spread(self, pictures: Tensor, coarse: Tensor) -> Tensor:
        """Give what is seen (b, 1, h, w) of coarse values (b, 1, n, n) that are spread smoothly over whole
        photographs.
        """
        corner, side = self.corner.to(coarse.device), self.side.to(coarse.device)[:, None]
        down, across = (
            _cubic(corner[:, axis, None] + side * _middles(length, coarse.device), coarse.shape[-1])[:, None]
            for axis, length in enumerate(pictures.shape[2:])
        )
        return down @ coarse @ across.mT


def _middles(count: int, device: torch.device) -> Tensor:
    """Where the middles of so many pixels lie from 0 to 1."""
    return (torch.arange(count, device=device) + 0.5) / count


def _cubic(places: Tensor, count: int) -> Tensor:
    """How much each of `count` values, evenly from 0 to 1, weighs at places (b, n): (b, n, count).

    Keys (1981), "Cubic Convolution Interpolation for Digital Image Processing", equation 15; beyond the ends the
    weights of those that are left.
    """
    far = (places[:, :, None] * (count - 1) - torch.arange(count, device=places.device)).abs()
    near, beside = (1.5 * far - 2.5) * far**2 + 1, ((2.5 - 0.5 * far) * far - 4) * far + 2
    weights = torch.where(far < 1, near, torch.where(far < 2, beside, 0.0))
    return weights / weights.sum(2, keepdim=True)


WHOLE = View(torch.zeros(1, 2), torch.ones(1))


def patches(side: Tensor, draws: Draws) -> View:
    """Draw patches anywhere in square photographs, their sides (b,) in shares of the photographs'."""
    return View(draws.uniform(2) * (1 - side)[:, None], side)


def strokes(
    pictures: Tensor,
    draws: Draws,
    thickness: tuple[float | Tensor, float | Tensor],
    turn: float,
    length: float | Tensor,
    view: View = WHOLE,
) -> Tensor:
    """Draw bent strokes of a brush (after Yu et al., 2019, "Free-Form Image Inpainting ...", section 3.4).

    Args:
        thickness: of a stroke, from and to, in shares of the longer side; of each picture's where they are (b, 1).
        turn: how much a stroke turns at each bend, at most, in radians.
        length: of a stroke from bend to bend, at most, in shares of the longer side; of each picture's where it is
            (b, 1, 1).
    """
    start = draws.uniform(STROKES, 2)
    heading = 2 * pi * draws.uniform(STROKES, 1) + turn * (2 * draws.uniform(STROKES, BENDS) - 1).cumsum(2)
    way = (length * draws.uniform(STROKES, BENDS))[..., None] * torch.stack([heading.cos(), heading.sin()], 3)
    bends = torch.cat([start[:, :, None], start[:, :, None] + way.cumsum(2)], 2)
    low, high = thickness
    width = low + (high - low) * draws.uniform(STROKES)
    shown = draws.uniform(STROKES) < 0.7
    return view.near_lines(pictures, bends, torch.where(shown, width, -1.0))


def near_lines(pictures: Tensor, bends: Tensor, width: Tensor) -> Tensor:
    """Tell which pixels lie within half of `width` (b, s) of lines through `bends` (b, s, n, 2): (b, 1, h, w).

    All are in shares of the longer side, bends by row and column; a line without a width draws nothing. Along a line
    and across it a pixel's place is the sum of its row's and its column's: most work is on those alone.
    """
    count, (height, width_of_picture) = len(pictures), pictures.shape[2:]
    rows, columns = _rows_and_columns(pictures)
    mask = torch.zeros(count, height, width_of_picture, dtype=torch.bool, device=pictures.device)
    begins = bends[:, :, :-1].flatten(1, 2)
    ways = bends[:, :, 1:].flatten(1, 2) - begins + 1e-9  # A line without length has a direction, too.
    reaches = width.repeat_interleave(bends.shape[2] - 1, 1)[:, :, None, None]
    limits = torch.where(reaches > 0, reaches.square() / 4, -1.0)
    step = 1 if pictures.device.type == "cpu" else AT_ONCE
    for first in range(0, begins.shape[1], step):
        begin, way, limit = (values[:, first : first + step] for values in (begins, ways, limits))
        length = way.norm(dim=2, keepdim=True)
        down, right = ((axis - begin[:, :, index, None]) for index, axis in enumerate((rows, columns)))
        (dy, dx), far = (way / length).movedim(2, 0)[..., None], length[..., None]
        along = (down * dy)[..., None] + (right * dx)[:, :, None]
        across = (down * dx)[..., None] - (right * dy)[:, :, None]
        beyond = along - along.clamp_min(0).minimum(far)
        near = across.square_().addcmul_(beyond, beyond) < limit
        mask |= near[:, 0] if step == 1 else near.any(1)
    return mask[:, None].float()


def _rows_and_columns(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Where rows (h,) and columns (w,) lie, in shares of the longer side."""
    height, width = pictures.shape[2:]
    rows, columns = (
        (torch.arange(side, device=pictures.device) + 0.5) / max(height, width) for side in (height, width)
    )
    return rows, columns


def boxes(pictures: Tensor, draws: Draws, least: float, most: float) -> Tensor:
    """Draw a rectangle, its sides from `least` to `most` of the picture's."""
    height, width = pictures.shape[2:]
    mask = torch.ones(len(pictures), 1, height, width, device=pictures.device)
    for axis, length in ((2, height), (3, width)):
        side = least + (most - least) * draws.uniform()
        begin = draws.uniform() * (1 - side)
        place = (torch.arange(length, device=pictures.device) + 0.5) / length
        within = (place >= begin[:, None]) & (place < (begin + side)[:, None])
        mask = mask * within.float().view(len(pictures), 1, *(length if at == axis else 1 for at in (2, 3)))
    return mask


def holes(pictures: Tensor, draws: Draws) -> Tensor:
    """Cut out free-form strokes and boxes, about a fifth of the area."""
    brushed = strokes(pictures, draws, (0.06, 0.16), 1.5, 0.25)
    boxed = boxes(pictures, draws, 0.1, 0.4) * (draws.uniform() < 0.4)[:, None, None, None]
    return torch.maximum(brushed, boxed)


@dataclass(frozen=True)
class Layer:
    """What lies over pictures (b, c, h, w).

    Attributes:
        cover: how much of it is where, (b, 1, h, w) from 0 to 1.
        colour: (b, 1) or (b, c), in [-1, 1].
        opacity: (b,).
    """

    cover: Tensor
    colour: Tensor
    opacity: Tensor


@dataclass(frozen=True)
class Damaged:
    """Pictures with damage (b, c, h, w), and where it is, (b, 1, h, w)."""

    pictures: Tensor
    lost: Tensor


def laid(pictures: Tensor, layer: Layer, least: float = 0.0) -> Damaged:
    """Lay something over pictures; they are damaged where it can be seen.

    Args:
        least: how far a pixel near by, of values from -1 to 1, has changed at least: white is not seen on white.
    """
    share = layer.cover * layer.opacity[:, None, None, None]
    made, lost = pictures * (1 - share) + layer.colour[:, :, None, None] * share, share > VISIBLE
    if least:
        lost &= change_near(pictures, made) > least
    return Damaged(made, lost.float())


def change(before: Tensor, after: Tensor) -> Tensor:
    """Tell by how much the pixels of pictures (b, c, h, w) differ, (b, 1, h, w)."""
    return (after - before).abs().amax(1, keepdim=True)


def change_near(before: Tensor, after: Tensor) -> Tensor:
    """Tell by how much pictures (b, c, h, w) differ near each pixel, (b, 1, h, w)."""
    height, width = before.shape[2:]
    largest = max_pool2d(change(before, after), NEAR, ceil_mode=True)
    return interpolate(largest, scale_factor=NEAR)[..., :height, :width]


def softened(layer: Layer, draws: Draws) -> Layer:
    """Give a layer soft edges, as wide as they may be, and let what it covers shine through."""
    narrow, wide = (_coarser(layer.cover, side) for side in SOFT_SIDES)
    soft = torch.lerp(narrow, wide, draws.uniform()[:, None, None, None])
    full = soft.amax((1, 2, 3), keepdim=True).clamp_min(1e-6)  # A thin line would all but vanish.
    least = 2 * VISIBLE
    return Layer(soft / full, layer.colour, least + (layer.opacity - least) * draws.uniform())


def _coarser(cover: Tensor, side: int) -> Tensor:
    """The means of squares of so many pixels a side, spread smoothly: much cheaper than a blur as wide."""
    means = avg_pool2d(cover, side, ceil_mode=True, count_include_pad=False)
    return interpolate(means, cover.shape[2:], mode="bilinear")


def light_or_dark(draws: Draws, share: float, least: float) -> Tensor:
    """Draw greys (b, 1), light ones at that share and else dark ones, at least so far from the middle."""
    sign = torch.where(draws.uniform(1) < share, 1.0, -1.0)
    return sign * (least + (1 - least) * draws.uniform(1))


def scratches(pictures: Tensor, draws: Draws, view: View) -> Layer:
    """Draw thin, long lines, straight or bent, light or dark."""
    lost = strokes(pictures, draws, (0.006, 0.03), 0.7, 0.5, view)
    return Layer(lost, light_or_dark(draws, 0.6, 0.3), 0.6 + 0.4 * draws.uniform())


def tears(pictures: Tensor, draws: Draws, view: View) -> Layer:
    """Draw jagged white lines, where paper is torn."""
    lost = strokes(pictures, draws, (0.015, 0.05), 1.2, 0.12, view)
    return Layer(lost, 0.85 + 0.15 * draws.uniform(1), torch.ones_like(draws.uniform()))


def stains(pictures: Tensor, draws: Draws, view: View) -> Layer:
    """Draw blots with soft shapes, darker or lighter than what they cover."""
    coarse = view.spread(pictures, draws.normal(1, 6, 6))
    lost = (coarse > 1.0 + 0.5 * draws.uniform()[:, None, None, None]).float()
    return Layer(lost, 2 * draws.uniform(1) - 1, 0.4 + 0.5 * draws.uniform())


def hairs(pictures: Tensor, draws: Draws, view: View) -> Layer:
    """Draw thin, curled lines, as a scanner's glass leaves them."""
    lost = strokes(pictures, draws, (0.004, 0.012), 1.0, 0.06, view)
    return Layer(lost, torch.where(draws.uniform(1) < 0.5, 1.0, -1.0), 0.7 + 0.3 * draws.uniform())


def creases(pictures: Tensor, draws: Draws, view: View) -> Layer:
    """Draw a fold from edge to edge, where the paper shows."""
    angle, middle = 2 * pi * draws.uniform(1, 1), 0.25 + 0.5 * draws.uniform(1, 2)
    way = torch.stack([angle.cos(), angle.sin()], 3) * torch.tensor([-2.0, 2.0], device=angle.device)[:, None]
    lost = view.near_lines(pictures, middle[:, :, None] + way, 0.008 + 0.017 * draws.uniform(1))
    return Layer(lost, 0.5 + 0.5 * draws.uniform(1), 0.6 + 0.4 * draws.uniform())


def dust(pictures: Tensor, draws: Draws, view: View) -> Layer:  # noqa: ARG001
    """Draw small spots, light or dark, of the same few pixels in photographs of any size."""
    height, width = pictures.shape[2:]
    fine = interpolate(draws.uniform(1, -(-height // 2), -(-width // 2)), (height, width), mode="bilinear")
    lost = (fine > 0.88).float()
    return Layer(lost, torch.where(draws.uniform(1) < 0.5, 1.0, -1.0), 0.7 + 0.3 * draws.uniform())


def lines(pictures: Tensor, draws: Draws, view: View) -> Layer:
    """Draw up to three nearly straight lines across the whole picture, down or across, as a projector leaves them."""
    along = torch.linspace(-0.02, 1.02, BENDS, device=pictures.device).expand(len(pictures), LINES, -1)
    place = draws.uniform(LINES, 1) + 0.02 * (2 * draws.uniform(LINES, BENDS) - 1).cumsum(2) * draws.uniform(LINES, 1)
    down = (draws.uniform(1, 1) < 0.7).expand(-1, LINES, BENDS)
    bends = torch.stack([torch.where(down, along, place), torch.where(down, place, along)], 3)
    width = torch.where(draws.uniform(LINES) < 0.6, 0.004 + 0.011 * draws.uniform(LINES), -1.0)
    return Layer(view.near_lines(pictures, bends, width), light_or_dark(draws, 0.7, 0.4), 0.4 + 0.6 * draws.uniform())


def foxing(pictures: Tensor, draws: Draws, view: View) -> Layer:
    """Draw brown spots of damp paper, darker than what they cover."""
    coarse = view.spread(pictures, draws.normal(1, 16, 16))
    lost = (coarse > 1.1 + 0.5 * draws.uniform()[:, None, None, None]).float()
    brown = torch.linspace(0.3, -0.3, pictures.shape[1], device=pictures.device) - 0.8 * draws.uniform(1)
    return Layer(lost, brown.clamp(-1, 1), 0.3 + 0.4 * draws.uniform())


DAMAGES: dict[str, Callable[[Tensor, Draws, View], Layer]] = {
    "scratches": scratches,
    "tears": tears,
    "stains": stains,
    "dust": dust,
    "hairs": hairs,
    "creases": creases,
    "lines": lines,
    "foxing": foxing,
}
"""By name."""


@dataclass(frozen=True)
class Manner:
    """How pictures are damaged.

    Attributes:
        share: of the pictures that each kind of damage hits.
        soft: share of what hits that is half-transparent with soft edges.
        least: change of pixels from which on they count as damaged; see `laid`.
    """

    share: float = 0.5
    soft: float = 0.0
    least: float = 0.0

    def lay(self, over: Damaged, layer: Layer, draws: Draws) -> Damaged:
        """Lay a layer over some of the pictures, which may be damaged already."""
        if self.soft:
            layer = _either(sometimes(draws, self.soft), softened(layer, draws), layer)
        done, hit = laid(over.pictures, layer, self.least), sometimes(draws, self.share)
        return Damaged(torch.where(hit, done.pictures, over.pictures), torch.maximum(over.lost, done.lost * hit))


USUAL = Manner()


def damage(pictures: Tensor, names: Sequence[str], draws: Draws, view: View = WHOLE, manner: Manner = USUAL) -> Damaged:
    """Do each of the damages to some of the pictures, one over the other."""
    done = Damaged(pictures, torch.zeros_like(pictures[:, :1]))
    for name in names:
        done = manner.lay(done, DAMAGES[name](pictures, draws, view), draws)
    return done


def fade(pictures: Tensor, draws: Draws) -> Tensor:
    """Give less contrast, and a warmer tone, as old prints have it."""
    kept = 1 - 0.5 * draws.uniform()[:, None, None, None]
    tone = torch.linspace(0.3, -0.3, pictures.shape[1], device=pictures.device).view(1, -1, 1, 1)
    return (pictures * kept + (1 - kept) * tone).clamp(-1, 1)


def sometimes(draws: Draws, share: float) -> Tensor:
    """Choose pictures, about a share of them, (b, 1, 1, 1)."""
    return (draws.uniform() < share)[:, None, None, None]


def _either(which: Tensor, one: Layer, other: Layer) -> Layer:
    """One layer for some pictures (b, 1, 1, 1), another for the rest."""
    cover = torch.where(which, one.cover, other.cover)
    return Layer(cover, other.colour, torch.where(which[:, 0, 0, 0], one.opacity, other.opacity))
