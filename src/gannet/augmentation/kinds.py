"""Kinds of augmentation, by name: what each does, in which unit its strength is given, and which are fit for what.

The same kinds serve data that are kept and the discriminator's view in a game; `draws` gives them what is random.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log, pi
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor

from gannet.augmentation import colours, filters, geometry
from gannet.augmentation.draws import Draws
from gannet.schema import nearest

SMOOTHED = 0.81
"""The deviation of normal numbers on a grid of five by five, once it is interpolated to a picture."""
Sort = Literal["geometry", "colour", "pixels"]


@dataclass(frozen=True)
class Kind:
    """A kind of augmentation.

    Attributes:
        name: its own.
        sort: what `change` returns for pictures (b, c, h, w), a strength and draws: matrices (b, 3, 3) of places,
            matrices (b, 4, 4) of colours, or the changed pictures. Matrices of neighbours are applied in one go.
        change: draws the change.
        usual, lowest, highest: strengths.
        unit: of the strength.
        mirrors: whether it shows what data of a preferred side never show.
        coloured: whether it means something for colour pictures only.
        smooth: whether a generator can learn through it.
    """

    name: str
    sort: Sort
    change: Callable[[Tensor, float, Draws], Tensor]
    usual: float
    lowest: float
    highest: float
    unit: str
    mirrors: bool = False
    coloured: bool = False
    smooth: bool = True


Chosen: TypeAlias = Sequence[tuple[Kind, float]]
Strengths: TypeAlias = dict[str, float]


def augment(pictures: Tensor, chosen: Chosen, share: float, draws: Draws) -> Tensor:
    """Apply each of the kinds, at its strength, to each picture (b, c, h, w) with probability `share`."""
    if share <= 0 or not chosen:
        return pictures
    # In bf16 places would be off by pixels.
    with torch.autocast(pictures.device.type, enabled=False):
        pictures = pictures.float()
        for sort, group in groupby(chosen, key=lambda one: one[0].sort):
            pictures = SORTS[sort](pictures, group, share, draws)
    return pictures


class Aligned(Protocol):
    """What lies over pictures pixel by pixel, or is the pictures: a medium does."""

    def move(self, values: Tensor, places: Tensor) -> Tensor:
        """Resample values (b, ...) as matrices of places (b, 3, 3) say."""

    def recolour(self, values: Tensor, colours: Tensor) -> Tensor:
        """Change colours by matrices (b, 4, 4), where values have any."""


def augment_aligned(
    sample: Mapping[str, Tensor], kinds: Mapping[str, Aligned], chosen: Chosen, share: float, draws: Draws
) -> dict[str, Tensor]:
    """Apply each of the kinds to all parts of a sample alike: places to all, colours and pixels to pictures only.

    Args:
        sample: by name; the first are pictures (b, c, h, w), the others lie over them.
        kinds: what each part is.

    Raises:
        ValueError: a kind that hides or bends parts of pictures, which nothing that lies over them could follow.
    """
    first, changed = next(iter(sample)), dict(sample)
    if share <= 0 or not chosen:
        return changed
    with torch.autocast(sample[first].device.type, enabled=False):
        changed[first] = changed[first].float()
        for sort, group in groupby(chosen, key=lambda one: one[0].sort):
            pictures = changed[first]
            if sort == "geometry":
                places = _places(pictures, group, share, draws)
                changed = {name: kinds[name].move(values, places) for name, values in changed.items()}
            elif sort == "colour":
                matrices = _colours(pictures, group, share, draws)
                changed = {name: kinds[name].recolour(values, matrices) for name, values in changed.items()}
            else:
                changed[first] = _changed(pictures, followed(group), share, draws)
    return changed


def followed(group: Iterable[tuple[Kind, float]]) -> Iterator[tuple[Kind, float]]:
    """Refuse kinds that what lies over pictures cannot follow."""
    for kind, strength in group:
        if kind.name in UNFOLLOWED:
            raise ValueError(f"{kind.name} changes pictures where nothing that lies over them follows; leave it out.")
        yield kind, strength


def _moved(pictures: Tensor, group: Iterable[tuple[Kind, float]], share: float, draws: Draws) -> Tensor:
    return geometry.warp(pictures, _places(pictures, group, share, draws))


def _places(pictures: Tensor, group: Iterable[tuple[Kind, float]], share: float, draws: Draws) -> Tensor:
    plain = product = geometry.unmoved(len(pictures))
    for drawn in _matrices(plain, pictures, group, share, draws):
        product = product @ drawn  # They lead from the result back to the picture, so the first stands outside.
    return product.to(pictures.device)


def _recoloured(pictures: Tensor, group: Iterable[tuple[Kind, float]], share: float, draws: Draws) -> Tensor:
    return colours.recolour(pictures, _colours(pictures, group, share, draws))


def _colours(pictures: Tensor, group: Iterable[tuple[Kind, float]], share: float, draws: Draws) -> Tensor:
    plain = product = colours.unchanged(len(pictures))
    for drawn in _matrices(plain, pictures, group, share, draws):
        product = drawn @ product
    return product.to(pictures.device)


def _matrices(
    plain: Tensor, pictures: Tensor, group: Iterable[tuple[Kind, float]], share: float, draws: Draws
) -> Iterator[Tensor]:
    """The matrices of the kinds in turn, on the processor, `plain` where a kind does not hit a picture."""
    near = draws.on_processor()
    for kind, strength in group:
        drawn = kind.change(pictures, strength, near)
        yield torch.where(_hit(share, near)[:, None, None], drawn, plain)


def _changed(pictures: Tensor, group: Iterable[tuple[Kind, float]], share: float, draws: Draws) -> Tensor:
    for kind, strength in group:
        drawn = kind.change(pictures, strength, draws)
        if kind.name not in SPREADING:
            drawn = torch.cat([drawn[:, :3], pictures[:, 3:]], 1)  # Transparency is no colour.
        pictures = torch.where(_hit(share, draws)[:, None, None, None], drawn, pictures)
    return pictures


def _hit(share: float, draws: Draws) -> Tensor:
    return draws.uniform() < share


UNFOLLOWED = {"elastic", "cutout"}
"""Kinds that hide or bend parts of pictures."""
SPREADING = {"elastic", "blur"}
"""Of the kinds that change pixels, those that carry them elsewhere, and transparency with them."""
SORTS = {"geometry": _moved, "colour": _recoloured, "pixels": _changed}


def _either_way(draws: Draws, most: float) -> Tensor:
    return (2 * draws.uniform() - 1) * most


def _factor(draws: Draws, most: float) -> Tensor:
    """Between one over `most` and `most`, as often below one as above."""
    return torch.exp(_either_way(draws, log(most)))


def _sometimes(draws: Draws, share: float) -> Tensor:
    """Minus one with that probability, else one."""
    return torch.where(draws.uniform() < share, -1.0, 1.0)


def _rotation(_: Tensor, degrees: float, draws: Draws) -> Tensor:
    return geometry.turn(_either_way(draws, degrees * pi / 180))


def _quarter_turn(_: Tensor, share: float, draws: Draws) -> Tensor:
    turns = torch.floor(1 + 3 * draws.uniform()) * (draws.uniform() < share)
    return geometry.turn(turns * (pi / 2))


def _flip(_: Tensor, share: float, draws: Draws) -> Tensor:
    sign = _sometimes(draws, share)
    return geometry.scale(sign, torch.ones_like(sign))


def _vertical_flip(_: Tensor, share: float, draws: Draws) -> Tensor:
    sign = _sometimes(draws, share)
    return geometry.scale(torch.ones_like(sign), sign)


def _shift(pictures: Tensor, share: float, draws: Draws) -> Tensor:
    """By whole pixels, so that nothing is blurred."""
    longest = max(pictures.shape[2:])
    across, down = ((_either_way(draws, share) * longest).round() / longest for _ in range(2))
    return geometry.shift(across, down)


def _zoom(_: Tensor, factor: float, draws: Draws) -> Tensor:
    drawn = _factor(draws, factor)
    return geometry.scale(drawn, drawn)


def _stretch(_: Tensor, factor: float, draws: Draws) -> Tensor:
    drawn = _factor(draws, factor)
    return geometry.scale(drawn, 1 / drawn)


def _shear(_: Tensor, degrees: float, draws: Draws) -> Tensor:
    return geometry.shear(torch.tan(_either_way(draws, degrees * pi / 180)))


def _perspective(_: Tensor, share: float, draws: Draws) -> Tensor:
    return geometry.tilt(_either_way(draws, share), _either_way(draws, share))


def _crop(pictures: Tensor, least: float, draws: Draws) -> Tensor:
    side = torch.sqrt(least + (1 - least) * draws.uniform())
    height, width = (length / max(pictures.shape[2:]) for length in pictures.shape[2:])
    across, down = (_either_way(draws, extent / 2) * (1 - side) for extent in (width, height))
    return geometry.shift(across, down) @ geometry.scale(side, side)


def _elastic(pictures: Tensor, share: float, draws: Draws) -> Tensor:
    return geometry.bend(pictures, 2 * share / SMOOTHED * draws.normal(2, 5, 5))


def _brightness(_: Tensor, share: float, draws: Draws) -> Tensor:
    return colours.brighten(_either_way(draws, 2 * share))


def _contrast(_: Tensor, factor: float, draws: Draws) -> Tensor:
    return colours.contrast(_factor(draws, factor))


def _saturation(_: Tensor, factor: float, draws: Draws) -> Tensor:
    return colours.saturate(_factor(draws, factor))


def _hue(_: Tensor, degrees: float, draws: Draws) -> Tensor:
    return colours.shift_hue(_either_way(draws, degrees * pi / 180))


def _gamma(pictures: Tensor, factor: float, draws: Draws) -> Tensor:
    return filters.gamma(pictures, _factor(draws, factor))


def _noise(pictures: Tensor, deviation: float, draws: Draws) -> Tensor:
    return filters.add_noise(pictures, draws.normal(*pictures.shape[1:]), deviation)


def _speckle(pictures: Tensor, deviation: float, draws: Draws) -> Tensor:
    return filters.speckle(pictures, draws.normal(*pictures.shape[1:]), deviation)


def _salt_and_pepper(pictures: Tensor, share: float, draws: Draws) -> Tensor:
    return filters.salt_and_pepper(pictures, draws.uniform(1, *pictures.shape[2:]), share)


def _blur(pictures: Tensor, pixels: float, draws: Draws) -> Tensor:
    return filters.blur(pictures, pixels * draws.uniform(), pixels)


def _sharpen(pictures: Tensor, amount: float, draws: Draws) -> Tensor:
    return filters.sharpen(pictures, amount * draws.uniform())


def _cutout(pictures: Tensor, share: float, draws: Draws) -> Tensor:
    return filters.cut_out(pictures, draws.uniform(2), share)


def _jpeg(pictures: Tensor, quality: float, draws: Draws) -> Tensor:  # noqa: ARG001
    return filters.compress(pictures, torch.full((len(pictures),), quality))


ALL = (
    Kind("rotation", "geometry", _rotation, 15, 0, 180, "degrees either way"),
    Kind(
        "quarter-turn",
        "geometry",
        _quarter_turn,
        0.75,
        0,
        1,
        "the share turned by 90, 180 or 270 degrees",
        mirrors=True,
    ),
    Kind("flip", "geometry", _flip, 0.5, 0, 1, "the share mirrored left to right", mirrors=True),
    Kind("vertical-flip", "geometry", _vertical_flip, 0.5, 0, 1, "the share mirrored top to bottom", mirrors=True),
    Kind("shift", "geometry", _shift, 0.1, 0, 0.5, "of the longer side, either way"),
    Kind("zoom", "geometry", _zoom, 1.2, 1, 4, "times larger or smaller"),
    Kind("stretch", "geometry", _stretch, 1.15, 1, 4, "times wider and lower, or the reverse"),
    Kind("shear", "geometry", _shear, 10, 0, 60, "degrees either way"),
    Kind("perspective", "geometry", _perspective, 0.15, 0, 0.5, "that one edge is nearer than the middle"),
    Kind("crop", "geometry", _crop, 0.8, 0.05, 1, "of the area kept, at least"),
    Kind("elastic", "pixels", _elastic, 0.02, 0, 0.2, "of the longer side, the displacement's deviation"),
    Kind("brightness", "colour", _brightness, 0.15, 0, 1, "of the range, either way"),
    Kind("contrast", "colour", _contrast, 1.3, 1, 10, "times stronger or weaker"),
    Kind("saturation", "colour", _saturation, 1.5, 1, 10, "times stronger or weaker", coloured=True),
    Kind("hue", "colour", _hue, 20, 0, 180, "degrees either way", coloured=True),
    Kind("gamma", "pixels", _gamma, 1.3, 1, 5, "the exponent or one over it, at most"),
    Kind("noise", "pixels", _noise, 0.05, 0, 1, "of the range, the deviation"),
    Kind("speckle", "pixels", _speckle, 0.1, 0, 1, "of the light, the deviation"),
    Kind("salt-and-pepper", "pixels", _salt_and_pepper, 0.02, 0, 1, "of the pixels"),
    Kind("blur", "pixels", _blur, 1, 0, 50, "pixels, the largest deviation"),
    Kind("sharpen", "pixels", _sharpen, 1, 0, 10, "times the detail added, at most"),
    Kind("cutout", "pixels", _cutout, 0.3, 0, 1, "of the sides"),
    Kind("jpeg", "pixels", _jpeg, 40, 1, 95, "the quality", smooth=False),
)
KINDS = {kind.name: kind for kind in ALL}
"""By name; strengths from `lowest` to `highest`, and what each measures."""


def suited(strengths: Strengths, channels: int) -> Strengths:
    """Give those of the kinds that mean something for pictures of so many channels."""
    return {name: strength for name, strength in strengths.items() if channels >= 3 or not KINDS[name].coloured}


def choose_kinds(asked: Mapping[str, float | None] | Sequence[str], channels: int = 3) -> Chosen:
    """Give the kinds by name, with the strengths asked for or their usual ones.

    Args:
        asked: names with strengths, or names alone.
        channels: of the pictures.

    Raises:
        ValueError: an unknown name, or a strength out of range; one sentence.
    """
    given = asked if isinstance(asked, Mapping) else dict.fromkeys(asked)
    return [_checked(name, strength, channels) for name, strength in given.items()]


def _checked(name: str, strength: float | None, channels: int) -> tuple[Kind, float]:
    if name not in KINDS:
        raise ValueError(f"There is no augmentation {name!r}; {nearest(name, KINDS)}")
    kind = KINDS[name]
    if kind.coloured and channels < 3:
        raise ValueError(f"{name} changes colours, and these pictures are grey; leave it out.")
    strength = kind.usual if strength is None else strength
    if not kind.lowest <= strength <= kind.highest:
        raise ValueError(
            f"The strength of {name} is {strength:g}; it goes from {kind.lowest:g} to {kind.highest:g} ({kind.unit})."
        )
    return kind, strength


def named_strengths(words: str, sign: str = ",") -> dict[str, float | None]:
    """Read names with or without strengths: `rotation=15,noise`.

    Raises:
        ValueError: a strength that is no number; one sentence.
    """
    return dict(_named(word) for word in words.split(sign))


def _named(word: str) -> tuple[str, float | None]:
    name, equals, strength = word.strip().partition("=")
    try:
        return name, float(strength) if equals else None
    except ValueError:
        raise ValueError(f"The strength of {name} is {strength!r}, which is no number; give {name}=NUMBER.") from None
