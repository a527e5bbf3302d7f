"""The regions of label volumes: their numbers, and the pieces that they fall into, without stray voxels."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import label
from torch import Tensor

from gannet.data.records import Source
from gannet.data.survey import MOST_LOOKED_AT, numbers_in
from gannet.media import label_volume
from gannet.media.label_volume import GROUND

Labels = npt.NDArray[Any]
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


def usual_pieces(volumes: Iterable[Labels], numbers: Sequence[int]) -> tuple[int, ...]:
    """Tell how many pieces, connected by faces, each region has in nine of ten label volumes at most, at least 1.

    Args:
        volumes: numbers of regions (x, y, z) each; what lacks a region tells nothing of it.
        numbers: of the regions that are asked about.
    """
    found: list[list[int]] = [[] for _ in numbers]
    for volume in volumes:
        for counts, number in zip(found, numbers, strict=True):
            counts.append(int(label(volume == number)[1]))
    present = [[count for count in counts if count] or [1] for counts in found]
    return tuple(int(np.quantile(counts, USUAL, method="inverted_cdf")) for counts in present)


def decide_in_pieces(logits: Tensor, most: Sequence[int]) -> Tensor:
    """Decide for the likeliest region of each voxel, of which the largest pieces are kept: indices (b, x, y, z).

    What belongs to a smaller piece is of the region that is likeliest but for that one.

    Args:
        logits: (b, regions, x, y, z), of what is no region first.
        most: the pieces of each region but that first one; 0: any number.
    """
    return torch.stack([_decided(volume.float(), most) for volume in logits])


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
    sizes = np.bincount(pieces.ravel())[1:]
    kept = 1 + np.argsort(-sizes, kind="stable")[:most]
    return torch.from_numpy((pieces > 0) & ~np.isin(pieces, kept)).to(region.device)
