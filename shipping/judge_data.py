"""Write what `judge-v1` and `loss-v1` learn from: pictures of 32x32 by what they show or what was done to them.

    GANNET_DATA=... python shipping/judge_data.py --out judge.npz

Digits (MNIST), garments (Fashion-MNIST, MIT; photographs, CC0) and drawn textures; half of them spoilt in one of
twelve ways at one of three strengths, which is then their class. So the features see content and damage alike.
"""

import argparse
import gzip
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation.distortions import DISTORTIONS
from gannet.augmentation.levels import from_levels, to_levels
from gannet.data.sources.idx import IdxFolder

SIDE, CROPS, DIGITS, GARMENTS, TEXTURES = 32, 24, 20_000, 36_000, 16_000
STRENGTHS = ((0.12, 0.35), (0.35, 0.65), (0.65, 1.0))
GROUP = 50
Labelled = tuple[Tensor, list[str]]


def read_idx(path: Path) -> np.ndarray:
    """The array of an idx.gz file of bytes."""
    content = gzip.decompress(path.read_bytes())
    sizes = np.frombuffer(content, ">i4", content[3], 4)
    return np.frombuffer(content, np.uint8, -1, 4 + 4 * content[3]).reshape(sizes)


def small_pictures(folder: Path, count: int) -> Labelled:
    """Pictures of an idx data set, brought from 28 to 32 pixels, as three equal channels."""
    names = [" ".join(dict.fromkeys([str(number), name])) for number, name in enumerate(IdxFolder(folder).classes)]
    pictures = read_idx(folder / "train-images-idx3-ubyte.gz")[:count]
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz")[:count]
    tensor = from_levels(torch.from_numpy(pictures.copy())[:, None].float())
    large = interpolate(tensor, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(-1, 1)
    return large.expand(-1, 3, -1, -1), [f"{folder.name} {names[label]}" for label in labels]


def photographs(folder: Path, random: np.random.Generator) -> Labelled:
    """Crops of the photographs, from the whole down to a fifth of the side, half of them mirrored."""
    found, labels = [], []
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as opened:
            photo = opened.convert("RGB")
        for _ in range(CROPS):
            side = round(min(photo.size) * random.uniform(0.2, 1))
            left, top = (int(random.integers(0, extent - side + 1)) for extent in photo.size)
            box = (left, top, left + side, top + side)
            crop = np.asarray(photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))
            found.append(crop[:, ::-1] if random.random() < 0.5 else crop)
            labels.append(f"clothing {path.parent.name}")
    tensor = torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2)
    return from_levels(tensor.float()), labels


def textures(count: int, generator: torch.Generator) -> Labelled:
    """Clouds (noise whose amplitude falls with frequency), stripes, and leaves (discs over discs)."""
    third = count // 3
    kinds = {"clouds": clouds, "stripes": stripes, "leaves": leaves}
    parts = [draw(third, generator) for draw in kinds.values()]
    return torch.cat(parts).clamp(-1, 1), [f"texture {kind}" for kind in kinds for _ in range(third)]


def clouds(count: int, generator: torch.Generator) -> Tensor:
    spectrum = torch.fft.rfft2(torch.randn(count, 3, SIDE, SIDE, generator=generator))
    frequency = (torch.fft.fftfreq(SIDE)[:, None].square() + torch.fft.rfftfreq(SIDE).square()).sqrt()
    fall = 0.5 + torch.rand(count, 1, 1, 1, generator=generator)
    drawn = torch.fft.irfft2(spectrum / frequency.clamp_min(1 / SIDE) ** fall)
    return drawn / drawn.std((1, 2, 3), keepdim=True) / 2


def stripes(count: int, generator: torch.Generator) -> Tensor:
    angle, pitch, start = (torch.rand(count, 1, 1, 1, generator=generator) for _ in range(3))
    down, across = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    place = across * (np.pi * angle).cos() + down * (np.pi * angle).sin()
    wave = torch.sin(place * (0.2 + 1.5 * pitch) + 6.28 * start)
    colours = torch.empty(count, 2, 3, 1, 1).uniform_(-1, 1, generator=generator)
    return colours[:, 0] + (wave + 1) / 2 * (colours[:, 1] - colours[:, 0])


def leaves(count: int, generator: torch.Generator) -> Tensor:
    pictures = torch.empty(count, 3, 1, 1).uniform_(-1, 1, generator=generator).expand(-1, -1, SIDE, SIDE)
    down, across = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    for _ in range(24):
        top, left = (SIDE * torch.rand(2, count, 1, 1, generator=generator)).unbind()
        reach = 2 + 8 * torch.rand(count, 1, 1, generator=generator).square()
        inside = ((down - top).square() + (across - left).square() < reach.square())[:, None]
        colour = torch.empty(count, 3, 1, 1).uniform_(-1, 1, generator=generator)
        pictures = torch.where(inside, colour, pictures)
    return pictures


def spoil(pictures: Tensor, labels: list[str], random: np.random.Generator, generator: torch.Generator) -> Labelled:
    """Spoil every second group of pictures in a random way; its name becomes their label."""
    names, changed, told = list(DISTORTIONS), [], list(labels)
    for number, part in enumerate(pictures.split(GROUP)):
        if number % 2:
            name, level = names[random.integers(len(names))], int(random.integers(len(STRENGTHS)))
            part = DISTORTIONS[name](part, random.uniform(*STRENGTHS[level]), generator)
            told[number * GROUP : number * GROUP + len(part)] = [f"{name} {level}"] * len(part)
        changed.append(part)
    return torch.cat(changed), told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(os.environ["GANNET_DATA"])
    random, generator = np.random.default_rng(options.seed), torch.Generator().manual_seed(options.seed)
    parts = [
        small_pictures(folder / "mnist", DIGITS),
        small_pictures(folder / "fashion-mnist", GARMENTS),
        photographs(folder / "clothing" / "train", random),
        textures(TEXTURES, generator),
    ]
    pictures, names = torch.cat([part for part, _ in parts]), np.array([name for _, told in parts for name in told])
    order = random.permutation(len(pictures))
    changed, told = spoil(pictures[torch.from_numpy(order)], list(names[order]), random, generator)
    images = to_levels(changed).byte().permute(0, 2, 3, 1).numpy()
    np.savez(options.out, images=images, labels=np.array(told))
    print(f"{len(images):,} pictures of {len(set(told))} classes: {options.out}")


if __name__ == "__main__":
    main()
