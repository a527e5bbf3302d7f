"""The styles that were seen, of which one is drawn, taken for what words ask, or chosen for a region painted anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from gannet.networks.painting import COLOURS
from gannet.networks.style import StyleBank, completed
from gannet.runtime.randomness import generator
from gannet.tasks.semantic_synthesis.tags import LabelTags
from gannet.tasks.semantic_synthesis.words import most_of

LIKELY, UNLIKE = 8, 0.5
"""From among how many of the likeliest styles one is drawn, and which part of all is taken for unlike one."""


@dataclass(frozen=True)
class SeenStyles:
    """The styles of pictures that were seen; those of one picture go together: a night has no bright grass.

    Attributes:
        kept: (k, n, s), of each of n classes.
        there: (k, n), which classes a picture had.
    """

    kept: Tensor
    there: Tensor

    @classmethod
    def of(cls, bank: StyleBank) -> Self:
        """Take what a bank holds now: in training it changes."""
        return cls(*(one.cpu() for one in bank.kept()))

    @cached_property
    def whole(self) -> Tensor:
        """The styles with those of classes that a picture lacked, (k, n, s)."""
        return completed(self.kept, self.there)

    def drawn(self, seed: int) -> Tensor:
        """Draw a style of all classes that go together, (1, n, s)."""
        number = int(torch.randint(len(self.kept), (), generator=generator(seed, "style")))
        return self.whole[number : number + 1]

    def completed(self, style: Tensor, there: Tensor) -> Tensor:
        """Give the style of a picture, (1, n, s), with that of classes that are not there (1, n)."""
        return completed(torch.cat([style, self.kept]), torch.cat([there, self.there]))[:1]

    def anew(self, style: Tensor, which: Tensor, seed: int) -> Tensor:
        """Draw the style of some classes (n,) anew, unlike theirs in a style (1, n, s) and likely beside the others."""
        return self._with(style, which, seed, self.unlike(style, which))

    def unlike(self, style: Tensor, which: Tensor) -> Tensor:
        """Give the numbers of the styles in which some classes (n,) have colours unlike theirs in a style (1, n, s)."""
        apart = (self.whole - style)[:, which, :COLOURS].square().mean((1, 2))
        return apart.argsort(descending=True)[: max(1, round(UNLIKE * len(apart)))]

    def has(self, label: int, name: str, own: LabelTags | None) -> bool:
        """Tell whether a label was seen in styles that are as a tag says, its own or the dictionary's."""
        seen = self.kept[self.there[:, label], label]
        return len(seen) > 0 and (own is None or name not in own.names or bool(own.of(seen, [name]).any()))

    def tagged(self, style: Tensor, label: int, names: Sequence[str], own: LabelTags | None, seed: int) -> Tensor:
        """Take for one label a style that is as tags say, each of which it `has`; others stay, (1, n, s)."""
        those = self.there[:, label].nonzero()[:, 0]
        among = those[_meant(self.kept[those, label], names, own)]
        return self._with(style, torch.arange(style.shape[1]) == label, seed, among)

    def _with(self, style: Tensor, which: Tensor, seed: int, among: Tensor) -> Tensor:
        """Take some classes (n,) from one of the styles of some numbers whose other classes are likest to a style."""
        whole = self.whole[among]
        others = (whole - style)[:, ~which]
        apart = others.square().mean((1, 2)) if others.shape[1] else torch.zeros(len(whole))
        near = apart.argsort()[:LIKELY]
        taken = whole[near[torch.randint(len(near), (), generator=generator(seed, "likely"))]]
        return torch.where(which[None, :, None], taken[None], style)


def _meant(styles: Tensor, names: Sequence[str], own: LabelTags | None) -> Tensor:
    """Give the numbers of the styles (k, s) of a label that are as some tags say, its own and the dictionary's."""
    clusters = [name for name in names if own is not None and name in own.names]
    among = torch.arange(len(styles))
    if own is not None and clusters:
        among = among[own.of(styles, clusters)]
    others = [name for name in names if name not in clusters]
    return among[most_of(styles[among, :COLOURS], others)] if others else among
