"""Data sets of pictures for tests."""

from pathlib import Path

import numpy as np

from gannet.data.cache import Dataset, build_dataset
from gannet.data.columns import Column
from gannet.data.records import Source
from gannet.media import image


def picture_dataset(
    source: Source,
    height: int,
    width: int,
    channels: int,
    fit: str = "crop",
    group: str = "",
    folder: Path | None = None,
) -> Dataset:
    """A source's pictures brought to one size, in the cache."""
    return build_dataset(source, {"real": image.medium.field(height, width, channels, fit)}, group, folder)


def picture_column(pictures: np.ndarray) -> Column:
    """Levels (n, c, h, w) that networks are given in [-1, 1]."""
    return Column(pictures, convert=image.medium.to_array)
