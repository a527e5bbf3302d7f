"""How good are holes filled, by their kind? A table, beside scikit-image's biharmonic filling.

    python benchmarks/holes.py MODEL photographs/test [--most 60] [--kinds "20 %"] [--texture 1] [--sheets sheets/]

Letters and scratches of a few pixels, and blots over 20 and 35 % of a photograph: PSNR of the luma within (higher is
better), and the perceptual distance over `judge-v1` within (lower is better), means over photographs. The holes are the
same for the same photograph. `--texture` also fills the large ones with texture, so much of it. `--sheets` writes
given, biharmonic, made and true for each kind.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import gannet
from gannet.augmentation.damage import strokes
from gannet.augmentation.draws import Drawn
from gannet.commands.judge import judge_features
from gannet.media.photograph import Photograph, read_photograph
from gannet.media.pyramid import Mask, as_mask
from gannet.tasks._image_restoration.evaluation import EvaluationPair, fidelity_figures, perceptual_features
from gannet.tasks._image_restoration.texture import textured
from gannet.tasks.inpainting import biharmonic

Rows: TypeAlias = list[dict[str, float]]
WORDS = "Holes in photographs are filled with what might have been there, and nobody knows what that was."


def letters(size: tuple[int, int], number: int) -> Mask:
    """Write lines of text over a picture (h, w)."""
    draws = np.random.default_rng(number)
    picture = Image.new("1", size[::-1])
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(float(draws.integers(14, 34)))
    for top in range(int(draws.integers(4, 30)), size[0], int(draws.integers(40, 80))):
        pen.text((int(draws.integers(-60, 10)), top), WORDS, 1, font)
    return np.asarray(picture.convert("L")) > 0


def scratches(size: tuple[int, int], number: int) -> Mask:
    """Draw thin lines, some from edge to edge."""
    draws = np.random.default_rng(number)
    picture = Image.new("1", size[::-1])
    pen = ImageDraw.Draw(picture)
    for _ in range(10):
        ends = draws.uniform(-0.2, 1.2, (4, 2)) * size[::-1]
        pen.line([tuple(end) for end in ends[: draws.integers(2, 5)]], 1, int(draws.integers(1, 5)))
    return np.asarray(picture.convert("L")) > 0


def blots(size: tuple[int, int], number: int, share: float) -> Mask:
    """Draw broad strokes until a share of a picture is lost."""
    draws, lost = Drawn(1, torch.Generator().manual_seed(number)), np.zeros(size, bool)
    while lost.mean() < share:
        lost |= strokes(torch.zeros(1, 1, *size), draws, (0.1, 0.2), 1.2, 0.2)[0, 0].numpy() > 0
    return lost


KINDS: dict[str, Callable[[tuple[int, int], int], Mask]] = {
    "letters": letters,
    "scratches": scratches,
    "20 %": lambda size, number: blots(size, number, 0.2),
    "35 %": lambda size, number: blots(size, number, 0.35),
}


def fillings(flat: Photograph, lost: Mask, ways: dict[str, Any], texture: float) -> dict[str, Photograph]:
    """Fill holes in every way."""
    mask = Photograph(as_mask(lost))
    made = {name: way.improve(flat, mask) for name, way in ways.items()}
    if texture:
        made["with texture"] = textured(made["model"], lost, texture)
    return {**biharmonic(flat, lost), **made}


def measured(kind: str, files: list[Path], ways: dict[str, Any], asked: argparse.Namespace) -> dict[str, Rows]:
    """Give the figures of every way, a row a photograph; write what is made beside the truth."""
    figures: dict[str, Rows] = {}
    perceptual = perceptual_features(judge_features())
    for number, file in enumerate(files):
        real = read_photograph(file.read_bytes())
        lost = KINDS[kind](real.values.shape[:2], number)
        flat = Photograph(np.where(lost[..., None], np.uint8(128), real.values))
        made = fillings(flat, lost, ways, asked.texture)
        for name, photograph in made.items():
            pair = EvaluationPair(flat, real, {}, hole_mask=lost)
            figures.setdefault(name, []).append(fidelity_figures(photograph, pair, perceptual))
        if asked.sheets:
            row = np.concatenate([one.values for one in (flat, *made.values(), real)], 1)
            Image.fromarray(row.squeeze()).save(asked.sheets / f"{kind.replace(' %', '-percent')}-{number}.png")
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--most", type=int, default=60)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--texture", type=float, default=0.0)
    parser.add_argument("--sheets", type=Path)
    asked = parser.parse_args()
    if asked.sheets:
        asked.sheets.mkdir(parents=True)
    model: Any = gannet.load(asked.model)
    ways: dict[str, Any] = {"model": model} | ({"before the game": model.blended(0.0)} if model.earlier() else {})
    files = sorted(file for file in asked.photographs.rglob("*.*") if file.suffix in (".webp", ".jpg", ".png"))
    print("| holes | way | PSNR within | perceptual distance |\n|---|---|---|---|")
    for kind in asked.kinds:
        chosen = files[:: max(1, len(files) // asked.most)][: asked.most]
        for name, rows in measured(kind, chosen, ways, asked).items():
            means = (fmean(row[measure] for row in rows) for measure in rows[0])
            print(f"| {kind} | {name} | {' | '.join(f'{mean:.3f}' for mean in means)} |", flush=True)


if __name__ == "__main__":
    main()
