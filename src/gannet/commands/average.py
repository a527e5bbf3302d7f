"""Averaging: weights of a run, averaged as widely as is asked or as the judge likes best, once the run is over."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gannet.commands.judge import brief_exam
from gannet.commands.options import AverageOptions
from gannet.metrics.measure import Measure
from gannet.metrics.options import JudgeOptions
from gannet.pipelines.hub import load, untrained
from gannet.pipelines.pipeline import Pipeline
from gannet.runs.folder import read_recipe
from gannet.runtime.files import load_tree
from gannet.runtime.progress import Watch
from gannet.task import find_task
from gannet.training.checkpoint import CheckpointFolder
from gannet.training.power_averages import ROUNDING, SNAPSHOTS, snapshots
from gannet.training.profiles import Profile, combine

FAKES = 2_000
"""How many samples the judge looks at of each width, of what makes samples from nothing."""
OWN = "model"
"""The weights beside which those of other widths are judged: the run's own average."""


@dataclass(frozen=True)
class Averaged:
    """What came of averaging.

    Attributes:
        run: whose weights they are.
        path: of the file, whose stem is the weights' name.
        width: of the average.
        count: of how many averages it was made.
        distance: how far its profile is from the one of that width, as a share of its norm.
        judged: where the judge picked, its first measure of each of the weights that it looked at, by width or name.
    """

    run: Path
    path: Path
    width: float
    count: int
    distance: float
    judged: Mapping[str, Measure] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        told = {**vars(self), "run": str(self.run), "path": str(self.path), "weights": self.path.stem}
        return told | {"judged": {name: asdict(found) for name, found in self.judged.items()}}

    def lines(self) -> list[str]:
        """Say it in words."""
        picked = [f"{name:6} {one.value:.4g}  ({one.low:.4g} to {one.high:.4g})" for name, one in self.judged.items()]
        if picked:
            measured = next(iter(self.judged.values())).name
            picked.insert(0, f"{measured} of the run's own average ({OWN}), and by width:")
        made = f"the average of width {self.width:g}, from {self.count} kept ones (profile {self.distance:.2%} off)"
        return [*picked, f"Saved {self.path}: {made}.", f"It goes by --weights {self.path.stem}."]


def average(run: Path, options: AverageOptions, watch: Watch) -> Averaged:
    """Write an average of a run's weights; see `gannet.api.average`."""
    watch.step(0, 0, "Averaging")
    kept = KeptAverages(run)
    width, judged = (options.width, {}) if options.width else _pick(kept, watch)
    tensors, distance = kept.of_width(width)
    pipeline, name = kept.pipeline(tensors), f"average-{width:g}"
    path = pipeline.save_pretrained(run / "model", name) / f"{name}.safetensors"
    return Averaged(run, path, width, len(kept.profiles), distance, judged)


class KeptAverages:
    """What a run kept: the averages of its newest checkpoint, and snapshots of earlier ones.

    Args:
        run: the run's folder.

    Attributes:
        profiles: of all averages, in the order in which they are read; those of the checkpoint come last.
        widths: the different ones, in order.

    Raises:
        ValueError: the folder is no run, or one that kept no averages; one sentence.
    """

    def __init__(self, run: Path) -> None:
        self.run, self.recipe = run, read_recipe(run)
        state = CheckpointFolder(run / "state", 1).newest() or {}
        self.last = state.get("observers", {}).get("averages", {"images": 0})
        if not self.last["images"]:
            raise ValueError(
                f"{run} kept no averages to make one of, as its recipe has no average.widths or it saw no images; "
                "train a new run with --set average.widths=[0.05,0.1,0.2]."
            )
        self.widths = sorted(self.last["averages"])
        found = [(images, path) for images, path in snapshots(run / SNAPSHOTS) if images < self.last["images"]]
        self.files = [path for _, path in found]
        self.profiles = [Profile(images, width, ROUNDING) for images, _ in found for width in self.widths]
        self.profiles += [Profile(self.last["images"], width) for width in self.widths]

    def of_width(self, width: float) -> tuple[dict[str, Tensor], float]:
        """Give the weights of an average by name, and how far its profile is off; ValueError beyond those kept."""
        least, most = self.widths[0], self.widths[-1]
        if not least <= width <= most:
            raise ValueError(
                f"{self.run} kept averages of widths from {least:g} to {most:g}, and one of {width:g} cannot be made "
                "of them; give a width between, or train with others (average.widths)."
            )
        shares, distance = combine(self.profiles, Profile(self.last["images"], width))
        return add_up(zip(shares, self._averages(), strict=True)), distance

    def pipeline(self, tensors: Mapping[str, Tensor]) -> Pipeline:
        """Give the run's model with other weights."""
        pipeline = untrained(self.run)
        pipeline.fill(tensors)
        return pipeline

    def _averages(self) -> Iterator[dict[str, Tensor]]:
        """One file at a time, for all are large together."""
        for path in self.files:
            if not path.is_file():  # A run that trains lets every second one go from time to time.
                raise ValueError(f"{self.run} trains on and has thinned out its snapshots; ask again.")
            yield from _ordered(load_tree(path), self.widths)
        yield from _ordered(self.last, self.widths)


def _ordered(kept: Mapping[str, Any], widths: list[float]) -> Iterator[dict[str, Tensor]]:
    return (kept["averages"][width] for width in widths)


def add_up(shared: Iterable[tuple[float, Mapping[str, Tensor]]]) -> dict[str, Tensor]:
    """Add up tensors by name, each in its share and all in double precision; what only counts is as in the last.

    What is negative in none does not become so, since a variance must not.
    """
    total, least, last = dict[str, Tensor](), dict[str, Tensor](), dict[str, Tensor]()
    for share, tensors in shared:
        last = dict(tensors)
        for name, tensor in tensors.items():
            value = tensor.double()
            total[name] = share * value + total.get(name, 0)
            least[name] = torch.minimum(value, least.get(name, value))
    return {
        name: torch.where(least[name] >= 0, total[name].clamp(min=0), total[name]).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in last.items()
    }


def _pick(kept: KeptAverages, watch: Watch) -> tuple[float, dict[str, Measure]]:
    """Have widths judged by what the run held out, and the run's own average beside them; give the best, and all.

    Raises:
        ValueError: there is too little to judge by.
        Stopped: whoever watches wants it to stop.
    """
    widths, own = candidates(kept.widths), load(kept.run)
    exam = brief_exam(own, kept.recipe, JudgeOptions(num=0 if own.inputs else FAKES), watch)
    judged = dict[str, Measure]()
    for number, name in enumerate([OWN, *map(str, widths)]):
        watch.step(number, len(widths) + 1, f"Judging averages: {name}")
        pipeline = own if name == OWN else kept.pipeline(kept.of_width(float(name))[0])
        found = find_task(pipeline.task).evaluate(pipeline, exam)
        if not found.measures:
            why = "; ".join(f"{what}: {reason}" for what, reason in found.left_out.items())
            raise ValueError(f"The judge cannot pick a width ({why}); give one as --width.")
        judged[name] = found.measures[0]
    return min(widths, key=lambda width: _badness(judged[str(width)])), judged


def candidates(widths: list[float]) -> list[float]:
    """Give widths to choose from: those kept, and one between each two of them."""
    between = [float(f"{np.sqrt(one * other):.2g}") for one, other in pairwise(widths)]
    return sorted({*widths, *between})


def _badness(found: Measure) -> float:
    signs = {"low": 1, "high": -1}
    return signs[found.best] * found.value if isinstance(found.best, str) else abs(found.value - found.best)
