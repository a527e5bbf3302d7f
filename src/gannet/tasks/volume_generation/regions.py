"""The regions of label volumes: their numbers, and the pieces that they fall into, without stray voxels and holes."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import binary_dilation, find_objects, label
from torch import Tensor

from gannet.data.records import Source
from gannet.data.survey import MOST_LOOKED_AT, numbers_in
from gannet.media import label_volume
from gannet.media.label_volume import GROUND

Labels = npt.NDArray[Any]
FIRST_HOLE = 2
"""The number of the first hole among the pieces of what is no region: number 1 reaches the edge."""
USUAL = 0.9
"""The share of scans that a number of pieces is enough for: some labels of real scans have stray voxels, too."""


def regions_of(source: Source, wanted: Collection[int] | Literal["auto"]) -> tuple[int, ...]:
    """Find the numbers of the regions in label volumes, that of what is none first, or check those that are wanted.

    Raises:
        ValueError: nothing is labelled, or what is not wanted.
    """
    found = _looked_at(source)
    if found == {GROUND}:
        name = Path(source.name).name
        raise ValueError(f"{name}: the label volumes label nothing; set task.labels=false to do without them.")
    if wanted == "auto":
        return tuple(sorted(found))
    known = tuple(sorted({GROUND, *wanted}))
    refuse_unknown(source, known)
    return known


def refuse_unknown(source: Source, known: Collection[int]) -> None:
    """Raise ValueError where label volumes hold the number of a region that is not known."""
    if unknown := sorted(_looked_at(source) - set(known)):
        raise ValueError(
            f"{Path(source.name).name}: the label volumes hold the number {unknown[0]}, which is none of the regions "
            f"that are known, by task.regions or by the model ({', '.join(map(str, sorted(known)))}); number them "
            "alike, or train anew with all of them."
        )


def _looked_at(source: Source) -> set[int]:
    return {GROUND} | numbers_in(source, label_volume.medium, MOST_LOOKED_AT)


def usual_pieces(volumes: Iterable[Labels], numbers: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """Tell how many holes there are in nine of ten label volumes at most, and how many pieces each region has there.

    Pieces are connected by faces; a hole is one of what is no region that does not reach the edge.

    Args:
        volumes: numbers of regions (x, y, z) each; what lacks a region tells nothing of its pieces, 1 at least.
        numbers: of the regions that are asked about.
    """
    holes: list[int] = []
    found: list[list[int]] = [[] for _ in numbers]
    for volume in volumes:
        holes.append(max(0, int(_pieces_of_none(volume).max()) + 1 - FIRST_HOLE))
        for counts, number in zip(found, numbers, strict=True):
            counts.append(int(label(volume == number)[1]))
    present = [[count for count in counts if count] or [1] for counts in found]
    return _usual(holes or [0]), tuple(map(_usual, present))


def _usual(counts: Sequence[int]) -> int:
    return int(np.quantile(counts, USUAL, method="inverted_cdf"))


def _pieces_of_none(volume: Labels) -> Labels:
    """Number the pieces of what is no region (x, y, z): all that reaches the edge is number 1, holes come after it."""
    pieces: Labels = label(np.pad(volume == GROUND, 1, constant_values=True))[0]
    return pieces[1:-1, 1:-1, 1:-1]


def decide_in_pieces(logits: Tensor, most: Sequence[int], holes: int | None) -> Tensor:
    """Decide for the likeliest region of each voxel, of which the largest pieces are kept: indices (b, x, y, z).

    What belongs to a smaller piece is of the region that is likeliest but for that one; a hole is of the one beside it
    that is likeliest there.

    Args:
        logits: (b, regions, x, y, z), of what is no region first.
        most: the pieces of each region but that first one; 0: any number.
        holes: how many there may be, the largest; None: any number.
    """
    decided = []
    for one in logits.float():
        told = _decided(one, most)
        decided.append(told if holes is None else _filled(told, one, holes))
    return torch.stack(decided)


def _decided(logits: Tensor, most: Sequence[int]) -> Tensor:
    """Decide for one volume (regions, x, y, z), until nothing is left that is stray."""
    left = logits.clone()
    while True:  # Each time some voxel loses a region for good, and none loses the first one.
        told = left.argmax(0)
        stray = {region: _stray(told == region, count) for region, count in enumerate(most, 1)}
        if not any(bool(one.any()) for one in stray.values()):
            return told
        for region, one in stray.items():
            left[region][one] = -torch.inf


def _stray(region: Tensor, most: int) -> Tensor:
    """Tell which voxels of a region (x, y, z) belong to none of its largest pieces."""
    pieces, count = label(region.cpu().numpy())
    if not most or count <= most:
        return torch.zeros_like(region)
    return torch.from_numpy(np.isin(pieces, _smaller(pieces, most))).to(region.device)


def _filled(told: Tensor, logits: Tensor, most: int) -> Tensor:
    """Give each hole but the largest, as a whole, to a region that it touches, so that no piece is added: (x, y, z)."""
    pieces, filled = _pieces_of_none(told.cpu().numpy()), told.clone()
    boxes = find_objects(pieces)
    for number in _smaller(pieces, most, FIRST_HOLE):
        box = tuple(slice(side.start - 1, side.stop + 1) for side in boxes[number - 1])  # No hole reaches the edge.
        hole = pieces[box] == number
        within, around = (torch.from_numpy(one).to(told.device) for one in (hole, binary_dilation(hole) & ~hole))
        beside = told[box][around].unique()
        likeliest = logits[(slice(None), *box)][beside][:, within].sum(1).argmax()
        filled[box][within] = beside[likeliest]
    return filled


def _smaller(pieces: Labels, most: int, first: int = 1) -> npt.NDArray[np.int64]:
    """Number the pieces from the first one on, but for the largest of them."""
    sizes = np.bincount(pieces.ravel())[first:]
    return first + np.argsort(-sizes, kind="stable")[most:]
