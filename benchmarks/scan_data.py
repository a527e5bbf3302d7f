"""Scans for benchmarks: slices and volumes of `$GANNET_DATA`, what runs learned from and held out, and disguises of
copies.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

import gannet
from gannet.adversarial.two_player import DISCRIMINATOR
from gannet.commands.train import configure, prepare, split_of
from gannet.data.loader import Samples
from gannet.recipe import Recipe
from gannet.runs.folder import read_recipe
from gannet.task import find_task
from gannet.training.checkpoint import CheckpointFolder

SLICES, VOLUMES = "brain-mri", "hippocampus"
SIDE, GRID = 64, (32, 48, 32)
"""Of slices and of volumes where no run says in which size they are looked at."""
GENERATION, VOLUME_GENERATION = "generation", "volume-generation"
ENDING = ".nii.gz"


def data(name: str) -> Path:
    """A folder of `$GANNET_DATA`."""
    if "GANNET_DATA" not in os.environ:
        raise SystemExit("These figures need data; set GANNET_DATA to the folder that holds them.")
    folder = Path(os.environ["GANNET_DATA"]) / name
    if not folder.is_dir():
        raise SystemExit(f"There is no {folder}; set GANNET_DATA to a folder that holds {name}.")
    return folder


class Labelled(NamedTuple):
    """Slices (n, 1, h, w) with their classes (n,), or volumes (n, 1, d, h, w) with label volumes (n, d, h, w)."""

    scans: Tensor
    labels: Tensor


def slice_files(part: str) -> list[Path]:
    """The slices of a part, train or test, in folders by class."""
    return _some(
        sorted((data(SLICES) / part).glob("*/*.jpg")), data(SLICES) / part, "slices (.jpg) in folders by class"
    )


def classes_of(paths: Iterable[Path]) -> tuple[str, ...]:
    """The classes that slices are in folders of."""
    return tuple(sorted({path.parent.name for path in paths}))


def read_slices(paths: list[Path], classes: tuple[str, ...], side: int = SIDE) -> Labelled:
    """Read slices in grey, in [-1, 1]."""
    levels = [np.asarray(Image.open(path).convert("L").resize((side, side), Image.Resampling.BOX)) for path in paths]
    numbers = torch.tensor([classes.index(path.parent.name) for path in paths])
    return Labelled(torch.from_numpy(np.stack(levels))[:, None].float() / 127.5 - 1, numbers)


def volume_files() -> list[Path]:
    """The volumes, whose labels are in another folder under the same names."""
    return _some(sorted((data(VOLUMES) / "images").glob(f"*{ENDING}")), data(VOLUMES) / "images", f"volumes ({ENDING})")


def _some(paths: list[Path], folder: Path, kind: str) -> list[Path]:
    """The files, where there are some."""
    if not paths:
        raise SystemExit(f"{folder} holds no {kind}; set GANNET_DATA to a folder that does.")
    return paths


def read_volumes(paths: list[Path]) -> Labelled:
    """Read volumes and labels, cropped to or padded around their middle: values in [-1, 1] between percentiles."""
    import nibabel

    scans, labels = [], []
    for path in paths:
        values = np.asarray(nibabel.load(path).dataobj, np.float32)
        ids = np.asarray(nibabel.load(path.parents[1] / "labels" / path.name).dataobj).astype(np.int64)
        low, high = np.percentile(values, (0.5, 99.5))
        scans.append(_around_the_middle(np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 2 - 1, -1))
        labels.append(_around_the_middle(ids, 0))
    return Labelled(torch.from_numpy(np.stack(scans))[:, None].float(), torch.from_numpy(np.stack(labels)))


def _around_the_middle(values: np.ndarray, outside: float) -> np.ndarray:
    """Crop or pad a volume to the grid."""
    lacking = [max(0, wanted - side) for wanted, side in zip(GRID, values.shape, strict=True)]
    padded = np.pad(values, [(gap // 2, gap - gap // 2) for gap in lacking], constant_values=outside)
    starts = [(side - wanted) // 2 for wanted, side in zip(GRID, padded.shape, strict=True)]
    return padded[tuple(slice(start, start + wanted) for start, wanted in zip(starts, GRID, strict=True))]


class ScanRun:
    """A run of a task, with what it learned from and what it held out.

    Raises:
        SystemExit: it is no run of that task.
    """

    def __init__(self, folder: Path, task: str) -> None:
        self.folder, self.recipe = folder, read_recipe(folder)
        if self.recipe.task.name != task:
            raise SystemExit(f"{folder} is a run of {self.recipe.task.name}; give one of {task}.")
        self.pipeline: Any = gannet.load(folder)

    @cached_property
    def sides(self) -> tuple[Samples, Samples]:
        """What it learned from, and what it held out."""
        split = split_of(prepare(self.recipe))
        return split.training, split.held_out

    @property
    def description(self) -> Any:
        """What its samples are."""
        return self.pipeline.settings.description

    def score(self, scans: Tensor, labels: Tensor | None) -> np.ndarray:
        """What its discriminator says of scans, (n,)."""
        checkpoint = CheckpointFolder(self.folder / "state", 1).newest()
        if checkpoint is None:
            raise SystemExit(f"{self.folder} has no checkpoint, and so no discriminator; give a whole run.")
        network: Any = find_task(self.recipe.task.name).game(self.recipe, self.description).networks[DISCRIMINATOR]
        network.load_state_dict(checkpoint["networks"][DISCRIMINATOR])
        network.eval()
        parts = torch.arange(len(scans)).split(64)
        with torch.no_grad():
            found = [network(scans[part], None if labels is None else labels[part]) for part in parts]
        return torch.cat(found).reshape(sum(map(len, found)), -1).mean(1).double().numpy()


def whole(samples: Samples) -> Mapping[str, Tensor]:
    """All samples of a side."""
    return samples.spread(len(samples))


def labelled(samples: Samples) -> Labelled:
    """All samples of a side, with classes or with label volumes."""
    found = whole(samples)
    if "labels" in found:
        return Labelled(found["volume"], found["labels"].long())
    return Labelled(found["real"], found["label"])


def as_the_run_reads(run: ScanRun, folder: Path) -> Labelled:
    """Read all scans of another folder in the way that a run has learned from its own."""
    recipe: Recipe = configure(run.recipe.name, folder, {}, "")
    split = split_of(prepare(find_task(recipe.task.name).adopt(recipe, run.pipeline.config)))
    parts = [labelled(side) for side in (split.training, split.held_out)]
    return Labelled(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def train_on(recipe: str, folder: Path, out: Path, minutes: float, seed: int) -> Path:
    """Train a recipe for so long on a folder; a run that is there already is taken as it is."""
    if out.exists():
        return out
    run = gannet.train(recipe, folder, out, {"minutes": minutes, "seed": seed})
    if run.ending == "interrupted":
        raise SystemExit(f"Broken off; remove {out} and give the same command again.")
    return out


def copied(paths: list[Path], root: Path, into: Path) -> Path:
    """Copy files, and the labels of volumes, to the same places below another folder."""
    for path in paths:
        labels = [root / "labels" / path.name] if path.name.endswith(ENDING) else []
        for one in [path, *labels]:
            target = into / one.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(one, target)
    return into


def moved(scans: Tensor, size: float, shift: float) -> Tensor:
    """Enlarge scans (n, 1, ...) in [-1, 1] and shift them along every axis, by a share of half a side."""
    axes = scans.ndim - 2
    matrix = torch.cat([torch.eye(axes) / size, torch.full((axes, 1), shift)], 1).expand(len(scans), -1, -1)
    grid = affine_grid(matrix, list(scans.shape), align_corners=False)
    return grid_sample(scans + 1, grid, padding_mode="zeros", align_corners=False) - 1


COPIERS: dict[str, Callable[[Tensor], Tensor]] = {
    "exact": torch.clone,
    "shifted": lambda scans: moved(scans, 1, 0.07),
    "mirrored": lambda scans: scans.flip(-1),
    "rescaled": lambda scans: 0.7 * moved(scans, 0.92, 0) - 0.1,
}
"""What planted copiers do to the scans that they give back; the last one changes both size and intensity."""
