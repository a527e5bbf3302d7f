"""A light judgement: a few hundred fakes beside as many held-out reals, by their pixels, cheap enough for every sheet.

What reals themselves score is told by training samples, which stand in for fakes once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gannet.metrics.fidelity import fidelity
from gannet.monitoring.data_checks import rows
from gannet.monitoring.energy import energy_figures

FEWEST = 50
"""Reals that it takes: neighbours among fewer tell nothing."""
TAKEN = ("precision", "coverage")


@dataclass(frozen=True)
class LightJudge:
    """Says how near fakes are to reals, as measures in plain data.

    Attributes:
        draw: gives as many fakes (n, ...) as there are held-out reals, from the same noise each time.
        held_out, training: reals (n, ...) and (m, ...).
    """

    draw: Callable[[], Tensor]
    held_out: Tensor
    training: Tensor

    @property
    def able(self) -> bool:
        """Whether there are reals enough."""
        return min(len(self.held_out), len(self.training)) >= FEWEST

    @torch.no_grad()
    def __call__(self) -> list[dict[str, Any]]:
        """Judge: name, value and floor of each measure, as a judgement's measures have them."""
        found = self._figures(rows(self.draw().float().cpu()))
        return [{"name": name, "value": value, "floor": self._floor[name]} for name, value in found.items()]

    def _figures(self, fake: Tensor) -> dict[str, float]:
        near, apart = fidelity(self._real, fake), energy_figures(self._real, fake)
        return {name: near[name] for name in TAKEN} | {"energy distance": apart["energy_distance"]}

    @cached_property
    def _real(self) -> Tensor:
        return rows(self.held_out)

    @cached_property
    def _floor(self) -> dict[str, float]:
        return self._figures(rows(self.training))
