"""How good are the colours of models for colorization? A table, and what they make beside the truth.

    python benchmarks/colours.py colorization [runs/coloured/model ...] [--data photographs/test] [--sheet FILE]

Each photograph is coloured from its lightness alone, at `--strength 0` and as the model is by itself:

- chroma error: how much less it is than grey's, by the means over all photographs (strength 0);
- colourfulness: of the true, the mean over photographs that have some;
- taken for true: the share that a fixed classifier takes for a photograph with its own colours. It learned from the
  photographs of `--learn`, none of which is judged, beside spoiled ones (grey, pale, garish, smeared, of another hue,
  and of another photograph), by statistics of their colours; a line says how often it is right.
- skies: of the photographs whose upper quarter is light, blue and smooth in truth, a tenth of it at least, how many
  have that blue or grey.

`--sheet FILE` shows grey, strength 0, the default and the truth of some, for eyes; no number replaces those.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate

import gannet
from gannet.augmentation.colour_classes import STEP
from gannet.augmentation.lab import CHROMA, from_lab, to_lab
from gannet.data.sources import open_source
from gannet.data.survey import sample
from gannet.media.photograph import Photograph, read_photograph
from gannet.media.tiling import as_tensor, as_values
from gannet.metrics.restoration import chroma_error, colourfulness

SIDE, GREY, BLUE, LIGHT, SKY = 256, 5.0, 10.0, 0.0, 0.1
"""Pixels of the shorter side; from which colourfulness on a photograph has some; from which chroma on a sky is blue, in
units of a* and b*; how light it is at least, of -1 to 1; and how much of the upper quarter it is."""
NEAR, SMOOTH = 9, 0.03
"""Pixels a side within which a sky's lightness deviates by no more than that, of -1 to 1."""
ACCEPTED = 0.8
"""The share of true colours that the classifier is set to take for true."""
Features = npt.NDArray[np.float64]


def pictures(target: str, most: int) -> Iterator[Photograph]:
    """Give up to `most` photographs, small, in colour, in the order of their data."""
    for record in sample(open_source(target), most):
        picture = read_photograph(record.encoded() if record.encoded else record.read()).picture().convert("RGB")
        shrink = SIDE / min(picture.size)
        size = (max(SIDE, round(picture.width * shrink)), max(SIDE, round(picture.height * shrink)))
        yield Photograph(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))


def lab(photograph: Photograph) -> Tensor:
    """Give L*a*b* (1, 3, h, w) in [-1, 1]."""
    return to_lab(as_tensor(photograph.values))


def with_chroma(photograph: Photograph, chroma: Tensor) -> Photograph:
    """Give a photograph other colours (1, 2, h, w)."""
    return Photograph(as_values(from_lab(torch.cat([lab(photograph)[:, :1], chroma], 1)), np.uint8))


def spoiled(photograph: Photograph, other: Photograph, random: np.random.Generator) -> list[Photograph]:
    """Give a photograph in colours that it has not: none, few, too many, smeared, others of its own, and another's."""
    chroma, theirs = lab(photograph)[:, 1:], lab(other)[:, 1:]
    angle = torch.tensor(random.uniform(0.5, 2 * np.pi - 0.5))
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]).float()
    kinds = (
        0 * chroma,
        chroma * random.uniform(0.2, 0.6),
        chroma * random.uniform(1.6, 2.4),
        interpolate(adaptive_avg_pool2d(chroma, int(random.integers(2, 8))), chroma.shape[2:], mode="bicubic"),
        torch.einsum("ij,bjhw->bihw", turn, chroma),
        interpolate(theirs, chroma.shape[2:], mode="bilinear"),
    )
    return [with_chroma(photograph, kind) for kind in kinds]


def statistics(photograph: Photograph) -> Features:
    """Describe colours: their means and spreads in a grid of four by four, by lightness, and the frequency of cells."""
    values = lab(photograph)
    chroma = values[:, 1:]
    size = chroma.norm(dim=1, keepdim=True)
    grid = adaptive_avg_pool2d(torch.cat([values, size, chroma**2], 1), 4).flatten()
    by_light = [
        (chroma * near).mean((2, 3)).flatten() / near.mean().clamp_min(1e-3)
        for low in (-1.0, -0.5, 0.0, 0.5)
        for near in [((values[:, :1] >= low) & (values[:, :1] < low + 0.5)).float()]
    ]
    edges = [
        (values.diff(dim=axis).abs().mean((2, 3)) / values[:, :1].diff(dim=axis).abs().mean().clamp_min(1e-3)).flatten()
        for axis in (2, 3)
    ]
    cells = (chroma / (2 * STEP)).round().clamp(-5, 5).long() + 5
    counts = torch.bincount((11 * cells[0, 0] + cells[0, 1]).flatten(), minlength=121).float()
    found = torch.cat([grid, *by_light, *edges, (counts / counts.sum()).sqrt(), size.quantile(torch.linspace(0, 1, 9))])
    return found.double().numpy()


def learn_classifier(target: str, most: int) -> Callable[[Photograph], bool]:
    """Learn to tell true colours from others, and print how well that does on photographs kept aside."""
    reals, random = list(pictures(target, most)), np.random.default_rng(0)
    rows, true, kinds = [], [], []
    for number, real in enumerate(reals):
        for kind, one in enumerate([real, *spoiled(real, reals[number - 1], random)]):
            rows.append(statistics(one))
            true.append(kind == 0)
            kinds.append(kind)
    values, answers, sorts = np.array(rows), np.array(true), np.array(kinds)
    kept = np.arange(len(rows)) >= 0.8 * len(rows)
    model = HistGradientBoostingClassifier(max_iter=200, class_weight="balanced", random_state=0)
    model.fit(values[~kept], answers[~kept])
    likely = model.predict_proba(values)[:, 1]
    # Of true ones kept aside four of five are taken for true, whatever that lets through of others.
    bound = np.quantile(likely[kept & answers], 1 - ACCEPTED)
    names = ("true", "grey", "pale", "garish", "smeared", "another hue", "another's")
    shares = [np.mean((likely[kept & (sorts == i)] >= bound) == (i == 0)) for i in range(len(names))]
    told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in zip(names, shares, strict=True))
    print(f"the classifier is right on: {told} ({kept.sum()} kept aside)\n", flush=True)
    return lambda photograph: bool(model.predict_proba(statistics(photograph)[None])[0, 1] >= bound)


def coloured(model: Any, grey: Photograph) -> Photograph:
    """Give what a model makes of a grey photograph."""
    made: Photograph = model.improve(grey)
    return made


def sky(photograph: Photograph) -> Tensor | None:
    """Tell where the upper quarter is light, blue and smooth, (h / 4, w); None where less than a part of it is."""
    light, red, yellow = _upper(photograph)
    means = avg_pool2d(torch.stack([light, light**2])[None], NEAR, 1, NEAR // 2, count_include_pad=False)[0]
    smooth = means[1] - means[0] ** 2 < SMOOTH**2
    blue = (light > LIGHT) & (yellow < -BLUE) & (red.abs() < -yellow) & smooth
    return blue if blue.float().mean() >= SKY else None


def stays_sky(photograph: Photograph, where: Tensor) -> bool:
    """Tell whether a sky is blue or grey."""
    _, red, yellow = (float(values[where].mean()) for values in _upper(photograph))
    return bool(np.hypot(red, yellow) < BLUE) or (yellow < 0 and abs(red) < -yellow)


def _upper(photograph: Photograph) -> tuple[Tensor, Tensor, Tensor]:
    """Give lightness in [-1, 1], a* and b* of the upper quarter."""
    light, red, yellow = lab(photograph)[0, :, : photograph.values.shape[0] // 4]
    return light, CHROMA * red, CHROMA * yellow


def judge(name: str, reals: list[Photograph], taken: Callable[[Photograph], bool], sheet: str) -> None:
    """Print a row, and draw a sheet where one is asked for."""
    model: Any = gannet.load(name)
    mean = model.earlier() or model
    greys = [with_chroma(real, 0 * lab(real)[:, 1:]) for real in reals]
    sure, vivid = ([coloured(one, grey) for grey in greys] for one in (mean, model))
    errors = [
        float(np.mean([float(chroma_error(*map(_tensor, both))) for both in zip(ones, reals, strict=True)]))
        for ones in (sure, greys)
    ]
    colours = [
        (float(colourfulness(_tensor(made))), float(colourfulness(_tensor(real))))
        for made, real in zip(vivid, reals, strict=True)
    ]
    share = np.mean([made / real for made, real in colours if real > GREY])
    found = [(made, sky(real)) for made, real in zip(vivid, reals, strict=True)]
    skies = [stays_sky(made, where) for made, where in found if where is not None]
    true = np.mean([taken(made) for made in vivid])
    words = f"{100 * np.mean(skies):.0f} % of {len(skies)}" if skies else "none"
    print(
        f"| {name} | {100 * (1 - errors[0] / errors[1]):.1f} % | {share:.2f} | {100 * true:.0f} % | {words} |",
        flush=True,
    )
    if sheet:
        draw(
            list(zip(greys, sure, vivid, reals, strict=True)),
            Path(sheet).with_stem(f"{Path(sheet).stem}-{Path(name).name}"),
        )


def draw(rows: list[tuple[Photograph, ...]], path: Path, most: int = 24) -> None:
    """Draw grey, strength 0, the default and the truth side by side, of photographs from all over."""
    chosen = [rows[i] for i in np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]
    sides = [np.concatenate([one.values[:SIDE, :SIDE] for one in row], 1) for row in chosen]
    half = -(-len(sides) // 2)
    sides += [np.zeros_like(sides[0])] * (2 * half - len(sides))
    Image.fromarray(np.concatenate([np.concatenate(sides[i::half], 1) for i in range(half)])).save(path)


def _tensor(photograph: Photograph) -> Tensor:
    return as_tensor(photograph.values)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--data", default="photographs/test")
    parser.add_argument("--learn", default="photographs/train")
    parser.add_argument("--most", type=int, default=500)
    parser.add_argument("--sheet", default="")
    asked = parser.parse_args()
    taken = learn_classifier(asked.learn, asked.most)
    reals = list(pictures(asked.data, asked.most))
    print(
        "| model | chroma error, less than grey's | colourfulness, of the true | taken for true | skies blue or grey |"
    )
    print("|---|---|---|---|---|")
    print(f"| (true colours) | | 1.00 | {100 * np.mean([taken(one) for one in reals]):.0f} % | |", flush=True)
    for name in asked.models:
        judge(name, reals, taken, asked.sheet)


if __name__ == "__main__":
    main()
