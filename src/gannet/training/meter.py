"""Means of the losses between two lines of the log."""

import torch
from lightning_fabric import Fabric
from torch import Tensor

from gannet.adversarial.game import Seen, State


class Meter:
    """An observer that averages each loss since it was last read; without a wait for the device in between."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def observe(self, seen: Seen) -> None:
        """Add a round's losses."""
        for name, loss in seen.losses.items():
            self.sums[name] = self.sums[name] + loss if name in self.sums else loss
            self.counts[name] = self.counts.get(name, 0) + 1

    def measures(self) -> dict[str, float]:
        """Give the mean of each loss over all processes since the last call."""
        self.share()
        means = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means

    def share(self) -> None:
        """Average the sums over all processes, after which each holds the same."""
        if self.sums and self.fabric.world_size > 1:
            shared = self.fabric.all_reduce(torch.stack(list(self.sums.values())), reduce_op="mean")
            assert isinstance(shared, Tensor)
            self.sums = dict(zip(self.sums, shared.unbind(), strict=True))

    @property
    def finite(self) -> bool:
        """Whether no loss since the last reading was NaN or infinite."""
        return not self.sums or bool(torch.stack(list(self.sums.values())).isfinite().all())

    def state_dict(self) -> State:
        """Give sums and counts."""
        return {"sums": self.sums, "counts": self.counts}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.sums = {name: tensor.to(self.fabric.device) for name, tensor in state["sums"].items()}
        self.counts = dict(state["counts"])
