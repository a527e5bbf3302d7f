"""Make the golden fixtures: what commit a93b08a made of tiny data, which later code opens for good.

Run it with the code of that commit, and Pillow 12.3.0:

    git worktree add ../golden a93b08a
    PYTHONPATH=../golden/src OMP_NUM_THREADS=1 python tests/golden/make.py

`pictures/` is the data set, `photograph.png` and `mask.png` are what photographs are made better of. For each task
`middle/` is a run stopped in the middle, `end/` what is kept of the same run at its end, and `made/` what was made with
that. `cache/` holds an entry of the cache, `decoded/` what other entries held, `batches.json` what was learned from.
"""

import hashlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import gannet
from gannet.api import Photographs, Query, Request, prepare
from gannet.data.cache import build_dataset
from gannet.data.sources import open_source
from gannet.recipe import Recipe, dump_yaml, load_recipe
from gannet.task import find_task, task_names

HERE = Path(__file__).parent
STAMP = 1_700_000_000
"""Seconds, the time of change of every picture: fingerprints of folders go by it."""
STOPPED_AT, BATCHES = 320, 3
SMALLER = {
    "colorization": {"task.police": 2, "network.width": 2},
    "inpainting": {"task.police": 2, "network.width": 2},
    "recognition": {"network.width": 4},
    "restoration": {"task.police": 2, "task.detector": 2, "network.width": 2},
    "super-resolution": {"task.police": 2, "network.width": 4},
}
"""What makes an example still smaller."""
JUDGED = {"generation": 120, "flow-matching": 120, "recognition": 0}
"""How many are judged; of photographs four."""
DECODED = {
    "crop": {"channels": 3},
    "pad": {"channels": 4, "fit": "pad"},
    "stretch": {"channels": 1, "fit": "stretch"},
    "middle": {"channels": 3, "fit": "middle"},
    "grouped": {"channels": 1, "group": "/(p[0-9]+)"},
}
"""Ways to decode the pictures, to 12 rows and columns."""
VARIANTS: dict[str, dict[str, Any]] = {
    "limited": {"data.limit": 100, "seed": 3},
    "pictures": {"data.source": "PICTURES", "data.size": 12, "data.channels": 3, "batch": 8},
    "grouped": {
        "data.source": "PICTURES",
        "data.size": 12,
        "data.channels": 1,
        "data.group": "/(p[0-9]+)",
        "data.limit": 12,
        "batch": 8,
    },
}
"""Other batches than those of the examples: what is changed of the recipe of generation."""


class Stop:
    """A display that interrupts the run after so many images."""

    def show(self, status: Any, verdict: str) -> None:  # noqa: ARG002
        """Send what Ctrl-C sends."""
        if status.images == STOPPED_AT:
            os.kill(os.getpid(), signal.SIGINT)

    def say(self, words: str) -> None:
        """Pass it on."""
        print(words)

    def close(self) -> None:
        """Nothing to stop."""


def make_pictures(folder: Path) -> None:
    """Draw 24 pictures of three classes and six persons, of many modes and formats."""
    modes = ["RGB", "L", "P", "RGBA", "LA", "1", "I;16", "RGB"]
    random = np.random.default_rng(0)
    for number in range(24):
        name, ending = ("cats", "dogs", "eels")[number % 3], "jpg" if number % 8 == 7 else "png"
        size = (64, 48) if number in (7, 12) else (20, 24)
        path = folder / name / f"p{number // 4}-{number:02d}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        _drawn(random, size, modes[number % 8], number).save(path)
    shutil.copy(folder / "cats" / "p0-00.png", folder / "cats" / "p5-copy.png")


def _drawn(random: np.random.Generator, size: tuple[int, int], mode: str, number: int) -> Image.Image:
    """Waves and a little noise."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    wave = 127 + 90 * np.sin((rows * (1 + number % 5) + columns * (1 + number % 3)) / 6)
    values = np.stack([np.roll(wave, 3 * shift, 1) + random.normal(0, 12, wave.shape) for shift in range(4)], 2)
    levels = values.clip(0, 255).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray((levels[..., 0].astype(np.uint16) << 8) + levels[..., 1])
    if mode == "LA":
        return Image.merge("LA", [Image.fromarray(levels[..., channel]) for channel in (0, 3)])
    if mode == "RGBA":
        return Image.fromarray(levels)
    picture = Image.fromarray(levels[..., :3])
    return picture if mode == "RGB" else picture.convert(mode)


def make_photograph(folder: Path) -> None:
    """Draw a photograph to make better, and where something of it is lost."""
    _drawn(np.random.default_rng(1), (40, 36), "RGB", 4).save(folder / "photograph.png")
    lost = np.zeros((36, 40), np.uint8)
    lost[8:17, 5:30] = 255
    Image.fromarray(lost).save(folder / "mask.png")


def stamped(folder: Path) -> Path:
    """A copy of the pictures whose times of change are fixed."""
    copy = Path(shutil.copytree(HERE / "pictures", folder / "pictures"))
    for path in copy.rglob("*.*"):
        os.utime(path, (STAMP, STAMP))
    return copy


def make_run(name: str) -> None:
    """Train a task's example, once to the middle and on from there to the end, and use it."""
    with tempfile.TemporaryDirectory() as folder:
        recipe, run = Path(folder) / "golden.yaml", Path(folder) / "middle"
        recipe.write_text(dump_yaml(find_task(name).example()), encoding="utf-8")
        gannet.train(str(recipe), out=run, set=SMALLER.get(name, {}), display=Stop())
        keep(run, HERE / name / "middle")
        (HERE / name / "middle" / "model" / "model.safetensors").unlink()  # The state holds the same.
        gannet.train(resume=run)
        run = run.rename(Path(folder) / "end")
        fewer = JUDGED.get(name, 4)
        gannet.judge(run, query=Query(num=fewer))
        keep(run, HERE / name / "end")
        shutil.rmtree(HERE / name / "end" / "state")
        make_use(name, run, HERE / name / "made")


def keep(run: Path, out: Path) -> None:
    """Copy a run without what it does not need to go on and to be looked at."""
    shutil.copytree(run, out, ignore=shutil.ignore_patterns("report.html", "best.safetensors", "game.safetensors"))
    for pattern in ("state/*", "samples/*"):
        for path in sorted(out.glob(pattern))[:-1]:
            path.unlink()


def make_use(name: str, run: Path, out: Path) -> None:
    """Draw three samples, make a photograph better, or recognize four pictures."""
    if name in ("generation", "flow-matching"):
        gannet.apply(run, out, Request(num=3, seed=0))
        return
    out.mkdir()
    if name == "recognition":
        pictures = torch.linspace(-1, 1, 256).sin().view(4, 1, 8, 8)
        np.save(out / "probabilities.npy", gannet.load(run)(pictures).numpy())
        return
    mask = HERE / "mask.png" if name == "inpainting" else ""
    for strength in (None, 0.5):
        asked = Photographs((HERE / "photograph.png",), strength, mask=mask)
        gannet.apply(run, out / ("usual.png" if strength is None else "half.png"), asked)


def batches_of(recipe: Recipe) -> dict[str, Any]:
    """What the first batches hold, and what is held out."""
    prepared = prepare(recipe)
    loaders = prepared.task.samples(prepared.recipe, prepared.source, prepared.description)
    training, held_out = loaders
    found = []
    for start in range(0, BATCHES * recipe.batch, recipe.batch):
        rows = training.chosen[training.order(start, recipe.batch)]
        found.append({"rows": rows.tolist(), "tensors": digests(training.gather(start, recipe.batch))})
    sides = {"training": as_digest(training.chosen), "held_out": as_digest(held_out.chosen)}
    return {**sides, "shown": digests(held_out.spread(32)), "batches": found}


def digests(batch: dict[str, Tensor]) -> dict[str, Any]:
    """A digest of each tensor."""
    return {name: as_digest(tensor.contiguous().numpy()) for name, tensor in batch.items()}


def as_digest(array: np.ndarray) -> list[Any]:
    """The type, the shape and a digest of an array."""
    return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]


def recipes(pictures: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, task and changes of all recipes whose batches are kept."""
    for name in task_names():
        yield name, name, SMALLER.get(name, {})
    for name, changes in VARIANTS.items():
        whole = {key: str(pictures) if value == "PICTURES" else value for key, value in changes.items()}
        yield name, "generation", whole


def make_batches(folder: Path, pictures: Path) -> None:
    """Write `batches.json`."""
    found = {}
    for name, task, changes in recipes(pictures):
        path = folder / f"{name}.yaml"
        path.write_text(dump_yaml(find_task(task).example()), encoding="utf-8")
        changed = {key: VARIANTS[name][key] for key in changes} if name in VARIANTS else changes
        found[name] = {"task": task, "changes": changed, **batches_of(load_recipe(str(path), changes))}
    (HERE / "batches.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


def make_decoded(pictures: Path) -> None:
    """Write what the cache holds of the pictures, decoded in several ways."""
    (HERE / "decoded").mkdir()
    for name, options in DECODED.items():
        channels, fit, group = (options.get(key, "") for key in ("channels", "fit", "group"))
        data = build_dataset(open_source(str(pictures)), 12, 12, int(channels), str(fit or "crop"), str(group))
        arrays = {part: getattr(data, part) for part in ("images", "labels", "held_out", "digests", "groups")}
        told = {"fingerprint": data.fingerprint, "classes": data.classes, "sizes": data.sizes, "modes": data.modes}
        np.savez_compressed(HERE / "decoded" / f"{name}.npz", **arrays, told=np.array(json.dumps(told)))


def main() -> None:
    """Make all of it anew."""
    for path in HERE.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    make_pictures(HERE / "pictures")
    make_photograph(HERE)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["GANNET_CACHE"] = str(folder / "cache")
        for name in task_names():
            make_run(name)
        entry = build_dataset(open_source("digits"), 8, 8, 1, folder=folder / "entries").fingerprint
        shutil.copytree(folder / "entries" / f"data-{entry}", HERE / "cache" / f"data-{entry}")
        pictures = stamped(folder)
        make_batches(folder, pictures)
        make_decoded(pictures)


if __name__ == "__main__":
    main()
