"""Averages of the kept networks by powers of the images seen, of several widths, and snapshots of them.

Of both any average of a width between can be made once the run is over; see `gannet.training.profiles`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from gannet.adversarial.game import Seen, State
from gannet.runtime.files import save_tree
from gannet.training.profiles import decay, exponent

SNAPSHOTS = "averages"
"""The folder of the snapshots, in a run's."""
PER_WIDTH = 16
"""Updates while the images seen grow by the narrowest width; more would say the same again."""
MOST_SNAPSHOTS = 16
"""Of one run; when there would be more, every second one goes."""
FIRST_ROUNDS = 4
"""Rounds from one snapshot to the next as a run begins."""
ROUNDING = 2.0**-11
"""By how much a number is off in half precision, as a share of it."""


class PowerAverages:
    """An observer that keeps averages and, evenly over the run so far, 8 to 16 snapshots of them in half precision.

    Which snapshots there are follows from the images seen alone, so that a killed run comes to the same.

    Args:
        networks: whose weights and buffers are averaged.
        widths: of the averages, each a share of the images seen.
        batch: images in a round.
        folder: of the snapshots.

    Attributes:
        images: how many the averages are of.
        averages: by width, then by name as a model's weights are.
    """

    def __init__(self, networks: Mapping[str, nn.Module], widths: Sequence[float], batch: int, folder: Path) -> None:
        self.networks, self.folder = networks, folder
        self.spacing, self.first = min(widths) / PER_WIDTH, FIRST_ROUNDS * batch
        self.powers = {width: exponent(width) for width in widths}
        self.averages = {width: {name: now.clone() for name, now in self._now().items()} for width in widths}
        self.images = 0

    def _now(self) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": tensor
            for name, network in self.networks.items()
            for key, tensor in network.state_dict().items()
        }

    def observe(self, seen: Seen) -> None:
        """Average where enough images were seen since the last time, and take the snapshot that is due."""
        is_due = seen.images % snapshot_interval(seen.images, self.first) == 0
        if is_due or seen.images - self.images >= self.spacing * seen.images:
            self.update(seen.images)
        if is_due:
            self._snap()

    @torch.no_grad()
    def update(self, images: int) -> None:
        """Let the weights as they are stand for all images since the last time; what only counts is as it is now."""
        now = self._now()
        floats = [name for name, tensor in now.items() if tensor.is_floating_point()]
        for width, average in self.averages.items():
            step = 1 - decay(self.powers[width], self.images, images)
            torch._foreach_lerp_([average[name] for name in floats], [now[name] for name in floats], step)
            for name in now.keys() - set(floats):
                average[name].copy_(now[name])
        self.images = images

    def _snap(self) -> None:
        rounded = {
            width: {name: _halved(tensor) for name, tensor in average.items()}
            for width, average in self.averages.items()
        }
        self.folder.mkdir(exist_ok=True)
        save_tree(self.folder / f"{self.images:012d}.safetensors", {"images": self.images, "averages": rounded})
        self._let_go()

    def _let_go(self) -> None:
        """Remove the snapshots that a run after so many images has none of."""
        interval = snapshot_interval(self.images, self.first)
        for images, path in snapshots(self.folder):
            if images > self.images or images % interval:
                path.unlink()

    def measures(self) -> dict[str, float]:
        """Give nothing to log."""
        return {}

    def state_dict(self) -> State:
        """Give the averages."""
        return {"images": self.images, "averages": self.averages}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`, and forget the snapshots of what came later."""
        self.images = state.get("images", 0)
        for width, average in state.get("averages", {}).items():
            for name, tensor in average.items():
                self.averages[width][name].copy_(tensor)
        self._let_go()


def snapshot_interval(images: int, first: int) -> int:
    """Give the images from one snapshot to the next in a run that has seen so many: `first`, as often as needed twice.

    Those that are due after more images are among those that were due before.
    """
    interval = first
    while images > MOST_SNAPSHOTS * interval:
        interval *= 2
    return interval


def snapshots(folder: Path) -> Iterator[tuple[int, Path]]:
    """Give the snapshots in a folder, oldest first, each with the images that it is of."""
    for path in sorted(folder.glob("*.safetensors")):
        if path.stem.isdigit():
            yield int(path.stem), path


def _halved(tensor: Tensor) -> Tensor:
    """Give numbers in half precision, where that holds them."""
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    return half if half.isfinite().all() else tensor
