"""Write what `judge-clips-v1` learns from: clips of 16 frames of 64x64 by how they move, or what was done to them.

    GANNET_DATA=... python shipping/judge_clips_data.py --out judge-clips.npz

Drawn by rule: the camera stands, pans, zooms or turns over a ground of fractal noise or of a photograph
(`$GANNET_DATA/photographs`; `CREDITS.tsv` there names each one's author and licence), and shapes, digits and cut-out
textures glide, bounce, swing, fall, turn or grow over it. Half of the clips are spoilt, most of them in time, which is
then their class; that of the others is what moves, how fast and where to. So the features see motion and damage alike.
"""

import argparse
import os
from collections.abc import Callable
from math import pi
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d, grid_sample, interpolate

from gannet.augmentation.distortions import DISTORTIONS
from gannet.augmentation.levels import from_levels, to_levels
from gannet.augmentation.time_faults import FAULTS
from gannet.data.sources.moving_digits import FIRST_TESTED

LENGTH, SIDE, GROUND, SPRITE, PART, ALIKE = 16, 64, 128, 32, 20, 5
"""Frames; pixels a side of clips, grounds and sprites; clips drawn at once, and those of them spoilt in one way."""
CLIPS, NOISES = 8_000, 400
SPEEDS = {"slow": (0.3, 1.0), "even": (1.0, 2.0), "fast": (2.0, 4.0)}
"""Pixels a frame."""
DIRECTIONS = ("right", "down", "left", "up")
Path_ = tuple[Tensor, Tensor, Tensor]
"""Where the middle is in each frame (t, 2) in pixels, how large it is there (t,), and how it is turned (t,)."""


def uniform(low: float, high: float, generator: Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def one_of(count: int, generator: Generator) -> int:
    return int(torch.randint(count, (), generator=generator))


def fractal(count: int, generator: Generator) -> Tensor:
    """Grounds (n, 3, 128, 128) of noise whose amplitude falls with frequency, between two colours."""
    spectrum = torch.fft.rfft2(torch.randn(count, 1, GROUND, GROUND, generator=generator))
    frequency = (torch.fft.fftfreq(GROUND)[:, None].square() + torch.fft.rfftfreq(GROUND).square()).sqrt()
    fall = 0.6 + 1.2 * torch.rand(count, 1, 1, 1, generator=generator)
    drawn = torch.fft.irfft2(spectrum / frequency.clamp_min(1 / GROUND) ** fall)
    share = (drawn / drawn.std((1, 2, 3), keepdim=True) / 2 + 0.5).clamp(0, 1)
    colours = torch.empty(count, 2, 3, 1, 1).uniform_(-1, 1, generator=generator)
    return colours[:, 0] + share * (colours[:, 1] - colours[:, 0])


def photographs(folder: Path) -> Tensor:
    """The middles of the training photographs, (n, 3, 128, 128)."""
    found = []
    for path in sorted((folder / "train").iterdir()):
        with Image.open(path) as opened:
            opened.draft("RGB", (GROUND, GROUND))
            photo = opened.convert("RGB")
        side = min(photo.size)
        left, top = ((extent - side) // 2 for extent in photo.size)
        small = photo.resize((GROUND, GROUND), Image.Resampling.BOX, box=(left, top, left + side, top + side))
        found.append(torch.from_numpy(np.array(small)).permute(2, 0, 1))
    return from_levels(torch.stack(found).float())


def outlines() -> Tensor:
    """What sprites look like (n, 1, 32, 32): discs, squares, bars, triangles, rings, and digits twice as often."""
    down, across = torch.meshgrid(*[(torch.arange(4 * SPRITE) - 2 * SPRITE + 0.5) / (2 * SPRITE)] * 2, indexing="ij")
    radius = (down.square() + across.square()).sqrt()
    drawn = [
        radius < 0.9,
        torch.maximum(down.abs(), across.abs()) < 0.8,
        (down.abs() < 0.3) & (across.abs() < 0.95),
        (down < 0.7) & (across.abs() < (down + 0.8) / 1.6),
        (radius < 0.9) & (radius > 0.5),
    ]
    shapes = avg_pool2d(torch.stack(drawn)[:, None].float(), 4)
    digits = torch.from_numpy(load_digits().images[:FIRST_TESTED] / 16).float()[:, None]
    large = interpolate(digits, (SPRITE, SPRITE), mode="bicubic").clamp(0, 1)
    return torch.cat([shapes.repeat_interleave(len(digits) // (2 * len(shapes)), 0), large])


def heading(speed: float, direction: int, generator: Generator) -> Tensor:
    """Pixels a frame (2,), across and down, within 45 degrees of a direction."""
    angle = torch.tensor(pi / 2 * direction + uniform(-pi / 5, pi / 5, generator))
    return speed * torch.stack([angle.cos(), angle.sin()])


def walled(path: Tensor, reach: float) -> Tensor:
    """Turn a path (t, 2) back at walls."""
    return ((path + reach) % (4 * reach) - 2 * reach).abs() - reach


def fallen(length: int, generator: Generator) -> Tensor:
    """Fall onto a floor and spring back, lower each time: (t, 2)."""
    place, speed = torch.tensor([uniform(-20, 20, generator), -24.0]), torch.zeros(2)
    speed[0] = uniform(-1, 1, generator)
    pull, kept, path = uniform(0.3, 0.9, generator), uniform(0.5, 0.8, generator), []
    for _ in range(length):
        path.append(place.clone())
        speed[1] += pull
        place += speed
        if place[1] > 22:
            place[1], speed[1] = 22.0, -kept * float(speed[1])
    return torch.stack(path)


def moved(kind: str, speed: float, direction: int, generator: Generator) -> Path_:
    """Where something is, how large and how turned, frame by frame."""
    time = torch.arange(LENGTH).float()
    start = torch.tensor([uniform(-16, 16, generator) for _ in range(2)])
    place, size, turn = start.repeat(LENGTH, 1), torch.ones(LENGTH), torch.zeros(LENGTH)
    along = heading(speed, direction, generator)
    if kind == "glides":
        place = time[:, None] * along + start - LENGTH / 2 * along
    elif kind == "bounces":
        place = walled(start + time[:, None] * along, 18)
    elif kind == "swings":
        pace = uniform(0.4, 0.9, generator)
        place = start + (pace * time + uniform(0, 6, generator)).sin()[:, None] * along / pace
    elif kind == "falls":
        place = fallen(LENGTH, generator)
    elif kind == "starts":
        place = start + (time / LENGTH).square()[:, None] * along * LENGTH / 1.5
    elif kind == "stops":
        place = start + (1 - (1 - time / LENGTH).square())[:, None] * along * LENGTH / 1.5
    elif kind == "turns":
        turn = time * speed / 12 * (1 if direction < 2 else -1)
    elif kind in ("grows", "shrinks"):
        size = (time - LENGTH / 2) * speed / 40
        size = (size if kind == "grows" else -size).exp()
    return place, size, turn


def seen(pictures: Tensor, paths: list[Path_], extent: float, padding: str) -> Tensor:
    """Pictures (b, c, s, s) of `extent` pixels a side as they are seen along paths: (b, c, t, 64, 64)."""
    place, size, turn = (torch.stack(values) for values in zip(*paths, strict=True))
    down, across = torch.meshgrid(*[torch.arange(SIDE) - SIDE / 2 + 0.5] * 2, indexing="ij")
    offset = torch.stack([across, down], -1)[None, None] - place[:, :, None, None]
    cos, sin = (one[:, :, None, None] for one in (turn.cos(), turn.sin()))
    turned = torch.stack([cos * offset[..., 0] + sin * offset[..., 1], cos * offset[..., 1] - sin * offset[..., 0]], -1)
    grid = turned / size[:, :, None, None, None] / (extent / 2)
    found = grid_sample(pictures, grid.flatten(1, 2), padding_mode=padding, align_corners=False)
    return found.unflatten(2, (LENGTH, SIDE))


KINDS = ("glides", "bounces", "swings", "falls", "starts", "stops", "turns", "grows", "shrinks", "stands")
NO_SPEED = {"falls", "stands"}
WHERE_TO = {"glides", "starts", "stops"}


def chosen(generator: Generator) -> tuple[str, Path_]:
    """A path, and what it is called: what it does, how fast, and where to."""
    kind, pace, direction = (
        KINDS[one_of(len(KINDS), generator)],
        list(SPEEDS)[one_of(3, generator)],
        one_of(4, generator),
    )
    speed = uniform(*SPEEDS[pace], generator)
    words = [kind, *([] if kind in NO_SPEED else [pace]), *([DIRECTIONS[direction]] if kind == "glides" else [])]
    return " ".join(words), moved(kind, speed, direction, generator)


def draw(grounds: Tensor, sprites: Tensor, count: int, generator: Generator) -> tuple[Tensor, list[str]]:
    """Clips (n, 3, 16, 64, 64) in [-1, 1], and what moves in them how."""
    still = moved("stands", 0, 0, generator)
    still = torch.zeros_like(still[0]), still[1], still[2]
    camera = [chosen(generator) if one_of(3, generator) == 0 else ("stands", still) for _ in range(count)]
    behind = grounds[torch.randint(len(grounds), (count,), generator=generator)]
    clips = seen(behind, [path for _, path in camera], uniform(GROUND, 1.5 * GROUND, generator), "reflection")
    empty = torch.rand(count, generator=generator) < 0.2
    told: list[list[str]] = [[] for _ in range(count)]
    for layer in range(2):
        paths = [chosen(generator) for _ in range(count)]
        there = ~empty if layer == 0 else ~empty & (torch.rand(count, generator=generator) < 0.25)
        shapes = sprites[torch.randint(len(sprites), (count,), generator=generator)]
        plain = torch.empty(count, 3, 1, 1).uniform_(-1, 1, generator=generator)
        woven = grounds[torch.randint(len(grounds), (count,), generator=generator)][:, :, :SPRITE, :SPRITE]
        coloured = torch.where(torch.rand(count, 1, 1, 1, generator=generator) < 0.6, plain, woven)
        extent = uniform(14, 34, generator)
        sprite = seen(torch.cat([coloured + 1, shapes], 1), [path for _, path in paths], extent, "zeros")
        cover = sprite[:, 3:] * there.view(-1, 1, 1, 1, 1)
        # Near its edge a colour is blended with what pads it, which is nothing: coverage of the plate takes it out.
        clips = clips + cover * (sprite[:, :3] - 1 - clips)
        for number in there.nonzero()[:, 0].tolist():
            told[number].append(paths[number][0])
    grey = torch.rand(count, 1, 1, 1, 1, generator=generator) < 0.15
    clips = torch.where(grey, clips.mean(1, keepdim=True), clips)
    return clips.clamp(-1, 1), [_named(camera[number][0], told[number]) for number in range(count)]


def _named(camera: str, told: list[str]) -> str:
    if camera != "stands" and told:
        return "both"
    if len(told) > 1:
        return "several"
    return f"shape {told[0]}" if told else f"camera {camera}"


def drift(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Grow lighter or darker from beginning to end."""
    slope = torch.where(torch.rand(len(clips), 1, 1, 1, 1, generator=generator) < 0.5, -1.0, 1.0)
    return (clips + strength * slope * torch.linspace(-0.5, 0.5, LENGTH).view(1, 1, -1, 1, 1)).clamp(-1, 1)


def trail(clips: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Leave traces of what was there before."""
    kept, frames = 0.85 * strength, [clips[:, :, 0]]
    for frame in clips.unbind(2)[1:]:
        frames.append(kept * frames[-1] + (1 - kept) * frame)
    return torch.stack(frames, 2)


def tear(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Show the lower part as it was some frames ago."""
    late, row = round(1 + 4 * strength), SIDE // 4 + one_of(SIDE // 2, generator)
    return torch.cat([clips[..., :row, :], clips.roll(late, 2)[..., row:, :]], 3)


def vanish(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Show now and then what is there on the whole instead of what is there at that time."""
    gone = torch.rand(len(clips), 1, LENGTH, 1, 1, generator=generator) < 0.2 + 0.3 * strength
    return torch.where(gone, clips.median(2, keepdim=True).values, clips)


def wobble(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Warp every frame in another way."""
    return _by_frame(DISTORTIONS["warp"])(clips, 0.4 * strength, generator)


def blend(clips: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Fade over to another clip."""
    share = strength * torch.linspace(0, 1, LENGTH).view(1, 1, -1, 1, 1)
    return clips + share * (clips.roll(1, 0) - clips)


def cut(clips: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Go on with another clip from some frame on."""
    at = 2 + one_of(LENGTH - 4, generator)
    return torch.cat([clips[:, :, :at], clips.roll(1, 0)[:, :, at:]], 2)


Change = Callable[[Tensor, float, Generator], Tensor]


def _by_frame(change: Change) -> Change:
    """A change of pictures, drawn for every frame anew."""

    def changed(clips: Tensor, strength: float, generator: Generator) -> Tensor:
        frames = change(clips.transpose(1, 2).flatten(0, 1), strength, generator)
        return frames.unflatten(0, (len(clips), LENGTH)).transpose(1, 2)

    return changed


def _still(change: Change) -> Change:
    """A change of pictures that is the same for all frames."""

    def changed(clips: Tensor, strength: float, generator: Generator) -> Tensor:
        frames = change(clips.flatten(1, 2), strength, generator)
        return frames.unflatten(1, (3, LENGTH))

    return changed


CHANGES: dict[str, Change] = {
    **{name: FAULTS[name] for name in ("shuffled", "frozen", "half speed", "jittering", "flickering")},
    "drifting": drift,
    "trailing": trail,
    "torn": tear,
    "vanishing": vanish,
    "wobbling": wobble,
    "blended": blend,
    "cut": cut,
    "noisy": _by_frame(DISTORTIONS["noise"]),
    "blurred": _still(DISTORTIONS["blur"]),
    "warped": _still(DISTORTIONS["warp"]),
    "reduced": _still(DISTORTIONS["reduction"]),
    "pale": _still(DISTORTIONS["contrast"]),
}
ONLY_IN_MOTION = {"shuffled", "frozen", "half speed", "trailing", "torn", "vanishing"}
STILL = {"camera stands", "shape stands"}
"""Changes that are seen where something moves, and clips in which nothing does."""
STRENGTHS = ((0.25, 0.6), (0.6, 1.0))


def spoilt(clips: Tensor, told: list[str], generator: Generator) -> tuple[Tensor, list[str]]:
    """Spoil a part of the clips, all in one way, or play what falls backwards, and say so."""
    names = [*CHANGES, "reversed"]
    name, level = names[one_of(len(names), generator)], one_of(len(STRENGTHS), generator)
    if name == "reversed":
        falls = torch.tensor([words == "shape falls" for words in told])
        clips = torch.where(falls.view(-1, 1, 1, 1, 1), clips.flip(2), clips)
        return clips, ["reversed" if words == "shape falls" else words for words in told]
    changed = CHANGES[name](clips, uniform(*STRENGTHS[level], generator), generator)
    unseen = STILL if name in ONLY_IN_MOTION else set()
    return changed, [words if words in unseen else f"{name} {level}" for words in told]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(options.seed)
    photos = photographs(Path(os.environ["GANNET_DATA"]) / "photographs")
    grounds, sprites = torch.cat([photos, fractal(NOISES, generator)]), outlines()
    images, labels = np.empty((options.clips, LENGTH, SIDE, SIDE, 3), np.uint8), []
    for start in range(0, options.clips, PART):
        clips, told = draw(grounds, sprites, PART, generator)
        kept, kept_told = clips[: PART // 2], told[: PART // 2]
        changed: list[tuple[Tensor, list[str]]] = [(kept, kept_told)]
        for at in range(PART // 2, PART, ALIKE):
            changed.append(spoilt(clips[at : at + ALIKE], told[at : at + ALIKE], generator))
        whole = torch.cat([part for part, _ in changed])
        images[start : start + PART] = to_levels(whole).byte().permute(0, 2, 3, 4, 1).numpy()
        labels += [words for _, some in changed for words in some]
    np.savez(options.out, images=images, labels=np.array(labels))
    print(f"{len(images):,} clips of {len(set(labels))} classes: {options.out}")


if __name__ == "__main__":
    main()
