"""Holes of every breadth cut out of pictures: scratches, writing, strokes, boxes, blots; drawn for whole batches.

Masks are (b, 1, h, w), one where something is lost; everything random comes from `draws`, a row a picture.
"""

import torch
from torch import Tensor

from gannet.augmentation.damage import WHOLE, boxes, strokes
from gannet.augmentation.draws import Draws

LETTER = 24
"""Pixels a side of a letter."""
THINNEST, BROADEST = 0.008, 0.3
"""How broad strokes are, in shares of the longer side."""


def varied_holes(pictures: Tensor, draws: Draws) -> Tensor:
    """Cut out strokes, as thin as scratches or nearly as broad as half of a picture, some of them with a box;
    writing; or blots over a fifth to half of the area.
    """
    broad = draws.uniform(1)
    breadth = THINNEST * (BROADEST / THINNEST) ** broad
    stroked = strokes(pictures, draws, (0.6 * breadth, 1.4 * breadth), 1.0, 0.5 - 0.25 * broad[:, :, None])
    boxed = boxes(pictures, draws, 0.1, 0.5) * ((broad > 0.5) & (draws.uniform(1) < 0.5))[:, :, None, None]
    kind = draws.uniform()[:, None, None, None]
    torn = torch.where(kind < 0.45, torch.maximum(stroked, boxed), writing(pictures, draws))
    return torch.where(kind < 0.7, torn, blots(pictures, draws, 0.2, 0.5))


class _Cells:
    """Draws for each of so many cells of every picture."""

    def __init__(self, draws: Draws, count: int) -> None:
        self.draws, self.count = draws, count

    def normal(self, *shape: int) -> Tensor:
        return self.draws.normal(self.count, *shape).flatten(0, 1)

    def uniform(self, *shape: int) -> Tensor:
        return self.draws.uniform(self.count, *shape).flatten(0, 1)

    def on_processor(self) -> "_Cells":
        return _Cells(self.draws.on_processor(), self.count)


def writing(pictures: Tensor, draws: Draws) -> Tensor:
    """Write lines of scrawled letters, as large in photographs of any size, over half of each."""
    count, (height, width) = len(pictures), pictures.shape[2:]
    rows, columns = -(-height // LETTER), -(-width // LETTER)
    cells = pictures.new_zeros(count * rows * columns, 1, LETTER, LETTER)
    letters = strokes(cells, _Cells(draws, rows * columns), (0.06, 0.2), 1.2, 0.45)
    written = (draws.uniform(rows, 1) < 0.6) & (draws.uniform(rows, columns) < 0.85)
    page = letters.view(count, rows, columns, LETTER, LETTER) * written[..., None, None]
    return page.permute(0, 1, 3, 2, 4).reshape(count, 1, rows * LETTER, columns * LETTER)[..., :height, :width]


def blots(pictures: Tensor, draws: Draws, least: float, most: float) -> Tensor:
    """Cut out what is highest of a smooth landscape, from `least` to `most` of the area."""
    height = WHOLE.spread(pictures, draws.normal(1, 6, 6))
    ranked = height[..., ::4, ::4].flatten(1).sort(1, descending=True).values
    share = least + (most - least) * draws.uniform()
    level = ranked.gather(1, (share * ranked.shape[1]).long()[:, None])
    return (height > level[:, :, None, None]).float()
