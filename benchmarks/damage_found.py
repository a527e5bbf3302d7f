"""How much of damage does restoration find, by its kind, and how much of undamaged photographs does it take for some?

    python benchmarks/damage_found.py MODEL PHOTOGRAPHS --overlays FOLDER [--undamaged FOLDER ...] [--sheet FILE]

Damage is drawn, or scanned, hard or half-transparent with soft edges, of kinds that the model learned and of others;
scanned pieces are half to one and a half times as wide as the photograph. F1 is of all pixels of a photograph, the mean
of all photographs. `--sheet` shows photographs, where they are damaged, what was found, and what became of them.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import gannet
from gannet.augmentation.damage import DAMAGES, Damaged, Layer, Manner, damage, light_or_dark
from gannet.augmentation.draws import Drawn
from gannet.augmentation.pasting import paste
from gannet.media.photograph import Photograph, read_photograph
from gannet.media.tiling import as_tensor, as_values
from gannet.tasks.restoration.detector import f1_of_masks
from gannet.tasks.restoration.evaluation import share_taken
from gannet.tasks.restoration.pieces import kinds_of, overlays

PIECES, SIDES, TRIES = 3, (0.5, 1.5), 20
SHOWN, THUMBNAIL = 6, 200


def photographs(folder: str, most: int) -> list[Photograph]:
    files = sorted(
        path for path in Path(folder).rglob("*") if path.suffix.lower() in {".webp", ".jpg", ".jpeg", ".png"}
    )
    return [read_photograph(path) for path in files[:: max(1, len(files) // most)][:most]]


def square(photograph: Photograph) -> Photograph:
    """The middle, so that scanned pieces keep their shape."""
    height, width = photograph.values.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return Photograph(photograph.values[top : top + side, left : left + side])


def scanned(picture: Tensor, stack: Tensor, draws: Drawn, manner: Manner) -> Damaged:
    done = Damaged(picture, torch.zeros_like(picture[:, :1]))
    for _ in range(PIECES):
        cover = paste(picture, stack, draws, SIDES)
        done = manner.lay(done, Layer(cover, light_or_dark(draws, 0.55, 0.3), 0.4 + 0.6 * draws.uniform()), draws)
    return done


def spoil(
    photograph: Photograph, what: str, kinds: tuple[str, ...], folder: str, soft: float
) -> tuple[Photograph, Any]:
    """A photograph with damage, and where; the same for the same photograph."""
    draws = Drawn(1, torch.Generator().manual_seed(crc32(photograph.values.tobytes())))
    picture, manner = as_tensor(photograph.values), Manner(0.5, soft, 0.1)
    for _ in range(TRIES):
        if what == "drawn":
            done = damage(picture, kinds, draws, manner=manner)
        else:
            done = scanned(picture, overlays(folder, kinds, torch.device("cpu")).covers, draws, manner)
        if done.lost.sum() > 50:  # A photograph that shows nearly nothing tells nearly nothing.
            break
    return Photograph(as_values(done.pictures, "uint8")), done.lost[0, 0].numpy() > 0


def groups(model: Any, folder: str) -> dict[tuple[str, str], tuple[str, ...]]:
    options = model.config.task.options
    there, known = kinds_of(folder) if folder else (), options.get("overlay_kinds", ())
    found = {
        ("drawn", "learned"): tuple(options["damages"]),
        ("drawn", "held out"): tuple(name for name in DAMAGES if name not in options["damages"]),
        ("scanned", "learned"): tuple(name for name in there if name in known),
        ("scanned", "held out"): tuple(name for name in there if name not in known),
    }
    return {group: kinds for group, kinds in found.items() if kinds}


def panel(*values: Any) -> np.ndarray:
    shown = [Image.fromarray(one if one.ndim == 3 else np.repeat(one[..., None], 3, 2)) for one in values]
    return np.concatenate([np.asarray(one.convert("RGB").resize((THUMBNAIL, THUMBNAIL))) for one in shown], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("photographs")
    parser.add_argument("--overlays", default="")
    parser.add_argument("--undamaged", nargs="+", default=[])
    parser.add_argument("--sensitivity", nargs="+", type=float, default=[])
    parser.add_argument("--most", type=int, default=100)
    parser.add_argument("--sheet", default="")
    asked = parser.parse_args()
    model: Any = gannet.load(asked.model)
    reals, rows = [square(one) for one in photographs(asked.photographs, asked.most)], []
    models = {one: model.at(one) for one in asked.sensitivity or [model.sensitivity]}
    print(f"| damage | kinds | {' | '.join(f'F1 at {one:.4g}' for one in models)} |\n|---|---|{'---|' * len(models)}")
    for (what, known), kinds in groups(model, asked.overlays).items():
        for soft, how in ((0.0, "hard"), (1.0, "half-transparent, soft")):
            spoiled = [spoil(one, what, kinds, asked.overlays, soft) for one in reals]
            figures = [
                statistics.fmean(f1_of_masks(lost, one.damaged(scan)) for scan, lost in spoiled)
                for one in models.values()
            ]
            print(f"| {what}, {how} | {known} | {' | '.join(f'{one:.3f}' for one in figures)} |", flush=True)
            for scan, lost in spoiled[:SHOWN] if asked.sheet else ():
                made = model(scan)
                rows.append(panel(scan.values, lost * np.uint8(255), made["mask"].values[..., 0], made.value.values))
    for folder in (asked.photographs, *asked.undamaged):
        for name, one in models.items():
            shares = [share_taken(one, real) for real in photographs(folder, 200)]
            words = f"{statistics.fmean(shares):.3%} of their pixels, of the worst {max(shares):.2%}"
            print(f"undamaged, {folder}, at {name:.4g}: {len(shares)} photographs, {words}", flush=True)
    if asked.sheet:
        pairs = [np.concatenate(rows[at : at + 2], 1) for at in range(0, len(rows) - 1, 2)]
        Image.fromarray(np.concatenate(pairs, 0)).save(asked.sheet)


if __name__ == "__main__":
    main()
