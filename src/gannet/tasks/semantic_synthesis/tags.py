"""Tags that data have of themselves: the styles of each label, clustered, in a file whose names people change."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import torch
from PIL import ImageColor
from pydantic import Field
from torch import Tensor

from gannet.augmentation.lab import to_lab
from gannet.augmentation.levels import from_levels
from gannet.networks.painting import COLOURS
from gannet.runtime.plain_data import parse_yaml
from gannet.schema import Section, Share, check, nearest
from gannet.tasks.semantic_synthesis.drawing import as_levels, text_of
from gannet.tasks.semantic_synthesis.words import is_word, plain

MOST, FEWEST, ENOUGH = 4, 8, 0.03
"""Clusters of a label, styles that a label needs for one each, and the root mean square of their differences from
which on they are worth parting."""
ROUNDED = 0.0005
"""By how much a share is rounded in a file, at most."""
NAME = re.compile(r"[^\s:,;.!?،؛؟]{1,40}")
HEAD = """\
# The styles of each label, as they were seen in pictures, clustered. A name is a tag, here that of its mean colour:
# change it (`stormy`), say it in words (`--words "sky: stormy"`), and give this file as the option `tags`.
"""


class Style(Section):
    """What a file says of a cluster."""

    share: Share
    """The part of the label's pictures that are so."""
    style: tuple[Annotated[float, Field(ge=-1, le=1)], ...]
    """The middle of its styles."""


@dataclass(frozen=True)
class LabelTags:
    """The clusters of one label, named.

    Attributes:
        names: of the clusters.
        middles: of their styles, (c, s).
        shares: the part of the label's pictures that each has.
    """

    names: tuple[str, ...]
    middles: Tensor
    shares: tuple[float, ...]

    def of(self, styles: Tensor, names: Iterable[str]) -> Tensor:
        """Tell which of the styles of a label (k, s) are of clusters of some names, (k,).

        Each is of the nearest one, and none has more than its share, the nearest ones: what was of clusters that a file
        leaves out is nobody's.
        """
        apart = torch.cdist(styles, self.middles, compute_mode="donot_use_mm_for_euclid_dist")
        inside, nearest = torch.zeros(len(styles), dtype=torch.bool), apart == apart.amin(1, keepdim=True)
        for number in map(self.names.index, names):
            those = nearest[:, number].nonzero()[:, 0]
            most = max(1, math.floor((self.shares[number] + ROUNDED) * len(styles) + 1e-6))
            inside[those[apart[those, number].argsort(stable=True)[:most]]] = True
        return inside


StyleTags: TypeAlias = Mapping[str, LabelTags]
"""Clusters by label."""


def cluster_styles(styles: Tensor, there: Tensor, classes: Sequence[str]) -> StyleTags:
    """Cluster the styles (k, n, s) that each label was seen in, where it is there (k, n), by k-means (Lloyd, 1982)."""
    found = {}
    for number, label in enumerate(classes):
        seen = styles[there[:, number], number]
        if len(seen):
            middles, shares = _clusters(seen)
            found[label] = LabelTags(_colour_names(middles[:, :COLOURS], classes), middles, shares)
    return found


def _clusters(seen: Tensor) -> tuple[Tensor, tuple[float, ...]]:
    """Give the middles (c, s) of clusters of styles (k, s), and their shares, the commonest first."""
    count = min(MOST, max(1, len(seen) // FEWEST)) if seen.var(0, correction=0).sum() > ENOUGH**2 else 1
    if count == 1:
        return seen.mean(0, keepdim=True), (1.0,)
    from sklearn.cluster import KMeans  # It takes a second to import, and words are rare.

    fitted = KMeans(count, n_init=4, random_state=0).fit(seen.numpy())
    counts = torch.from_numpy(fitted.labels_).bincount(minlength=count)
    order = counts.argsort(descending=True, stable=True)
    shares = (counts[order] / len(seen)).tolist()
    return torch.from_numpy(fitted.cluster_centers_).float()[order], tuple(round(share, 3) for share in shares)


def _colour_names(colours: Tensor, classes: Sequence[str]) -> tuple[str, ...]:
    """Name mean colours (c, 3) in [-1, 1] by CSS's nearest names in CIELAB, each by another, none by a known word.

    Where a colour has two spellings (dimgray, dimgrey), the second is the first with a number (dimgray-2).
    """
    free = sorted(name for name in ImageColor.colormap if not is_word(name, classes))
    colours_of = ["#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(name)[:3]) for name in free]
    names, levels = list[str](), as_levels(colours_of)
    for number, colour in enumerate(colours_of):
        first, earlier = free[colours_of.index(colour)], colours_of[:number].count(colour)
        names.append(f"{first}-{earlier + 1}" if earlier else first)
    known, given = (
        to_lab(one.float().T[None, :, :, None])[0, :, :, 0].T
        for one in (torch.from_numpy(from_levels(levels)), colours)
    )
    apart, found = torch.cdist(given, known), list[str]()
    for row in apart:
        row[[names.index(name) for name in found]] = torch.inf
        found.append(names[int(row.argmin())])
    return tuple(found)


def tags_file(tags: StyleTags) -> str:
    """Write tags as a file."""
    lines = [HEAD]
    for label, of_label in tags.items():
        lines.append(f"{json.dumps(label, ensure_ascii=False)}:\n")
        for name, middle, share in zip(of_label.names, of_label.middles.tolist(), of_label.shares, strict=True):
            numbers = ", ".join(f"{one:.3f}" for one in middle)
            lines.append(f"  {name}: {{share: {share}, style: [{numbers}]}}\n")
    return "".join(lines)


def read_tags(path: Path, classes: Sequence[str], size: int) -> StyleTags:
    """Read a file of tags.

    Args:
        size: numbers of a style.

    Raises:
        ValueError: it cannot be read, names no label of the model, one tag twice, or one that is a word already; one
            sentence.
    """
    given = parse_yaml(text_of(path, "tags"), str(path))
    if not isinstance(given, dict) or not all(isinstance(one, dict) and one for one in given.values()):
        raise ValueError(f"The tags {path.name} hold no styles by label; give an edited copy of the model's tags.yaml.")
    found = {}
    for label, styles in given.items():
        if label not in classes:
            raise ValueError(f"The tags {path.name} name a label {label!r}; {nearest(str(label), classes)}")
        found[label] = _checked(path.name, label, styles, size)
        _refuse_words(path.name, label, found[label].names, classes)
    return found


def _checked(file: str, label: str, given: Mapping[object, object], size: int) -> LabelTags:
    read = list[Style]()
    for name, style in given.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"The tags {file} call a style of {label} {name!r}; give it one word.")
        if not isinstance(style, dict):
            raise ValueError(f"The tags {file} hold no style of {label}, {name}; give an edited copy of tags.yaml.")
        try:
            read.append(check(Style, style, f"{label}.{name}"))
        except ValueError as error:
            raise ValueError(f"The tags {file} are wrong at {error}") from None
        if len(read[-1].style) != size:
            raise ValueError(
                f"The tags {file} give {len(read[-1].style)} numbers for {label}, {name}; the model's styles have "
                f"{size}."
            )
    middles = torch.tensor([one.style for one in read])
    return LabelTags(tuple(plain(str(name)) for name in given), middles, tuple(one.share for one in read))


def _refuse_words(file: str, label: str, names: Sequence[str], classes: Sequence[str]) -> None:
    """Raise ValueError where tags of a label are called as another or by a word that means something else."""
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(
                f"The tags {file} call two styles of {label} {name!r}, and capitals do not tell them apart; give each "
                "a word of its own."
            )
        if is_word(name, classes):
            raise ValueError(
                f"The tags {file} call a style of {label} {name!r}; give it one word that is not in the dictionary "
                "yet, and means no label of the model."
            )
