"""How many pictures a second does `gannet augment` write, on all cores and on one? A table.

    GANNET_DATA=... python benchmarks/augmenting.py [--data clothing] [--pictures 300] [--blocks 3]

Photographs, brought to 250x250 and saved as JPEG first, are decoded, go through all kinds in turn, and are encoded
again; healthy ones are copied. All cores and one take turns.
"""

import argparse
import datetime
import platform
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path
from unittest import mock

import torch
from PIL import Image

from gannet.api import AugmentOptions, augment
from gannet.data.sources import open_source
from gannet.media.pixels import fit_picture, read_picture
from gannet.runtime.workers import cores

SIDE = 250


def rate(data: Path, cores: int, times: int) -> float:
    """Copies a second."""
    with tempfile.TemporaryDirectory() as folder, mock.patch("gannet.commands.augment.images.cores", lambda: cores):
        start = time.perf_counter()
        made = augment(data, Path(folder) / "new", AugmentOptions(times=times, kinds="all"))
        return made.copies / (time.perf_counter() - start)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="clothing")
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--blocks", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for index, record in enumerate(islice(open_source(asked.data).records(), asked.pictures)):
            pixels = fit_picture(read_picture(record.read(), 3), SIDE, SIDE, "crop").transpose(1, 2, 0)
            Image.fromarray(pixels).save(Path(folder) / f"{index:04d}.jpg", quality=90)
        every = (cores(), 1)
        rates = [[rate(Path(folder), cores, times=4) for cores in every] for _ in range(asked.blocks)]
    many, one = (statistics.median(found) for found in zip(*rates, strict=True))
    machine = f"{platform.processor() or platform.machine()}, {cores()} cores"
    print(
        f"{asked.data}, {asked.pictures} pictures of {SIDE}x{SIDE}, {machine}, torch {torch.__version__}, "
        f"{datetime.date.today()}\n"
    )
    print(
        "| processes | copies/s | times one |\n|---|---|---|\n"
        f"| {every[0]} | {many:,.0f} | {many / one:.2f} |\n| 1 | {one:,.0f} | 1 |"
    )


if __name__ == "__main__":
    main()
