"""Drawings of label maps: the colours that any program paints become numbers of classes."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import minimum_filter

from gannet.media.label_map import NOTHING, colour_table
from gannet.media.pixels import Picture, Pixels, upright
from gannet.schema import alike

NEAR = 24
"""Levels up to which a colour counts as another's: what a JPEG does to flat areas."""
AREA = 0.005
"""The share of a drawing from which on a colour that nobody knows is meant, and no edge between two others."""
MOST_BLENDED = 0.35
"""The share of pixels of colours that nobody knows from which on a drawing is none."""
MOST_NUMBERED = 64
"""Levels below which a grey picture holds numbers, and no shades."""
MOST_SHADES, LEVEL, BROADLY = 16, 2, 32
"""Shades of grey from which on a picture in grey may be a drawing in pencil; levels up to which an area is level; and
which part of the shorter side the areas of a map are wide, as no lines are."""
LARGEST_TEXT = 1 << 20
"""Bytes of a palette or of tags, at most."""
HEX = re.compile(r"#?([0-9a-fA-F]{6})\s+(.+)")
GIMP = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S.*)")


def as_levels(colours: Sequence[str]) -> Pixels:
    """Give colours like #87ceeb as levels (n, 3)."""
    return np.array([[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in colours], np.uint8)


def voc_palette(count: int) -> tuple[str, ...]:
    """Give the colours that label maps are saved in."""
    return tuple("#" + bytes(one.tolist()).hex() for one in colour_table(count))


def read_palette(path: Path, classes: Sequence[str]) -> list[tuple[str, int]]:
    """Read a palette: each colour with the number of its class, in which several may share.

    Lines are `#87ceeb sky`, or `135 206 235 sky` as GIMP, Krita and Inkscape save palettes.

    Raises:
        ValueError: it cannot be read, or a line names no class of the model.
    """
    lines = text_of(path, "palette").splitlines()
    found = []
    for line in lines:
        if named := HEX.fullmatch(line.strip()):
            colour, name = "#" + named[1].lower(), named[2].strip()
        elif named := GIMP.fullmatch(line):
            levels = [min(255, int(named[part])) for part in (1, 2, 3)]
            colour, name = "#" + bytes(levels).hex(), named[4].strip()
        else:
            continue
        if name not in classes:
            hint = (
                f"did you mean {alike(name, classes)!r}?" if alike(name, classes) else f"it has {', '.join(classes)}."
            )
            raise ValueError(f"The palette {path.name} names {name!r}, which the model does not know; {hint}")
        found.append((colour, list(classes).index(name)))
    if not found:
        raise ValueError(f"The palette {path.name} has no line such as '#87ceeb {classes[0]}'; give one a class.")
    return found


def text_of(path: Path, what: str) -> str:
    """Read a small file of text that a person names; ValueError, which says `what` it is to be, where it is none."""
    try:
        place = path.expanduser()
        if place.is_file() and place.stat().st_size <= LARGEST_TEXT:
            return place.read_text("utf-8")
        problem = f"it is larger than {LARGEST_TEXT >> 20} MiB" if place.is_file() else "there is no such file"
    except RuntimeError:
        problem = "there is no such file"  # In a home of nobody.
    except (OSError, ValueError) as error:  # A name that is none; no text.
        problem = getattr(error, "strerror", "") or "no text"
    raise ValueError(f"The {what} {path} cannot be read: {problem}.")


def gimp_palette(name: str, colours: Sequence[str], classes: Sequence[str]) -> str:
    """Write a palette that painting programs open."""
    rows = [f"{r:3d} {g:3d} {b:3d}\t{one}" for (r, g, b), one in zip(as_levels(colours), classes, strict=True)]
    return "\n".join(["GIMP Palette", f"Name: {name}", "Columns: 4", "#", *rows, ""])


def read_drawing(
    picture: Picture, palette: Sequence[tuple[str, int]], classes: Sequence[str], nobodys: Sequence[int] = (NOTHING,)
) -> tuple[Pixels, tuple[str, ...]]:
    """Give the numbers of a drawing's classes (h, w), and words on what had to be guessed.

    Numbers in grey are taken as they are, and so are the colours of saved label maps. Smooth edges and what a JPEG
    spoils become the nearest colour.

    Args:
        palette: colours, each with the number of its class.
        nobodys: numbers of what belongs to no class.

    Raises:
        ValueError: a colour that nobody knows covers an area (the nearest one is named), or it is no map at all, such
            as a drawing in pencil.
    """
    levels = _levels(picture)
    if levels.ndim == 2:
        wrong = levels[~np.isin(levels, (*range(len(classes)), *nobodys))]
        if len(wrong) == 0:
            return levels, ()
        if wrong.max() < MOST_NUMBERED:
            raise ValueError(
                f"The map holds the number {wrong.max()}, and the model knows {len(classes)} classes, from 0 "
                f"({classes[0]}) to {len(classes) - 1} ({classes[-1]}); give a map of these."
            )
        levels = np.repeat(levels[..., None], 3, 2)
    packed = levels.astype(np.int64) @ np.array([65536, 256, 1])
    colours, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    known, numbers = as_levels([one for one, _ in palette]), np.array([number for _, number in palette])
    seen = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], 1)
    apart, nearest = _nearest(seen, known)
    if apart.max() > 0:
        saved = np.array([*range(len(classes)), *nobodys])
        theirs, which = _nearest(seen, colour_table()[saved])
        if (counts * (theirs == 0)).sum() > (counts * (apart == 0)).sum():
            apart, nearest, numbers, known = theirs, which, saved, colour_table()[saved]
    share = counts / counts.sum()
    levelled = np.where(apart <= LEVEL, numbers[nearest], -1)
    _refuse_shades(seen, share, levelled[where.reshape(packed.shape)], classes)
    called = [classes[one] if one < len(classes) else "nobody's" for one in numbers[nearest]]
    meant = [one for one in np.flatnonzero((apart > NEAR) & (share >= AREA)) if _fills(packed == colours[one])]
    _refuse_unknown(seen[meant], share[meant], known[nearest[meant]], [called[one] for one in meant])
    blended = float(share[apart > NEAR].sum())
    if blended > MOST_BLENDED:
        raise ValueError(
            f"{blended:.0%} of the drawing has none of the palette's colours, as in a photograph; give a map whose "
            "areas are filled with these colours."
        )
    told = numbers[nearest][where.reshape(packed.shape)].astype(np.uint8)
    guessed = float(share[apart > 0].sum())
    words = (f"{guessed:.1%} of the drawing has colours that are not in the palette; the nearest were taken",)
    return told, words if guessed else ()


def _levels(picture: Picture) -> Pixels:
    """Give numbers (h, w) of a grey picture, or colours (h, w, 3)."""
    if isinstance(picture, Image.Image):
        straight = upright(picture)
        if straight.mode in ("L", "1"):
            return np.array(straight, np.uint8)
        return np.array(straight.convert("RGB"))
    values: Pixels = picture
    return (
        values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values[..., :3] if values.ndim == 3 else values
    )


def _nearest(seen: npt.NDArray[np.int64], known: Pixels) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give how far colours (k, 3) are from the nearest known one, by their largest level, and which that is."""
    apart = np.full(len(seen), 256)
    which = np.zeros(len(seen), np.int64)
    for number, one in enumerate(known.astype(np.int64)):
        distance = np.abs(seen - one).max(1)
        nearer = distance < apart
        apart[nearer], which[nearer] = distance[nearer], number
    return apart, which


def _fills(mask: npt.NDArray[np.bool_]) -> bool:
    """Tell whether a mask (h, w) holds a square of three pixels a side, as smooth edges do not."""
    rows = mask[2:] & mask[1:-1] & mask[:-2]
    return bool((rows[:, 2:] & rows[:, 1:-1] & rows[:, :-2]).any())


def _refuse_shades(
    seen: npt.NDArray[np.int64], share: npt.NDArray[np.float64], told: npt.NDArray[np.int64], classes: Sequence[str]
) -> None:
    """Raise ValueError where colours (k, 3) are many shades of grey, and no areas of two classes lie in a map.

    Args:
        told: the number of the class whose colour each pixel has, (h, w), -1 for none.
    """
    shades, side = len(np.unique(seen.sum(1) // 3)), max(3, min(told.shape) // BROADLY)
    if share[np.ptp(seen, 1) > NEAR].sum() > AREA or shades <= MOST_SHADES:
        return
    broad = [one for one in np.unique(told[told >= 0]) if minimum_filter(told == one, side, mode="constant").any()]
    if len(broad) < 2 or (told < 0).mean() > MOST_BLENDED:
        raise ValueError(
            f"The map has {shades} shades of grey, as a drawing in pencil or a photograph has; in a map, each area is "
            f"filled evenly with the palette's colour of its class, or with its number, from 0 ({classes[0]}) to "
            f"{len(classes) - 1} ({classes[-1]})."
        )


def _refuse_unknown(
    seen: npt.NDArray[np.int64], share: npt.NDArray[np.float64], nearest: Pixels, names: Sequence[str]
) -> None:
    """Raise ValueError where a drawing has areas of colours (k, 3) that nobody knows, naming the largest."""
    if len(seen) == 0:
        return
    named = [["#" + bytes(one.tolist()).hex() for one in colours] for colours in (seen, nearest)]
    told = [
        f"{named[0][one]} on {share[one]:.0%} (the nearest is {named[1][one]}, {names[one]})"
        for one in np.argsort(-share)[:3]
    ]
    raise ValueError(
        f"The drawing has colours that the palette does not know: {', '.join(told)}; paint in the palette's colours, "
        "or name these in a file for the option palette."
    )
