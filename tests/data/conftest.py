"""Small data sets on disk."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Writer = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("GANNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GANNET_CACHE_GIB", raising=False)
    return tmp_path / "cache"


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def write_pictures(tmp_path: Path) -> Writer:
    """Write a PNG of noise at each relative path, no two alike, into one folder."""

    def write(*paths: str, size: tuple[int, int] = (8, 8), folder: str = "pictures") -> Path:
        for seed, path in enumerate(paths):
            file = tmp_path / folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise(seed, *size, 3)).save(file, "PNG")
        return tmp_path / folder

    return write


@pytest.fixture
def write_idx(tmp_path: Path) -> Writer:
    """Write a pair of idx files by hand."""

    def write(split: str, images: np.ndarray, labels: np.ndarray | None, ending: str = "") -> Path:
        folder = tmp_path / "idx"
        folder.mkdir(exist_ok=True)
        opener = gzip.open if ending else open
        parts = [("images-idx3", images)] + ([] if labels is None else [("labels-idx1", labels)])
        for name, values in parts:
            header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
            with opener(folder / f"{split}-{name}-ubyte{ending}", "wb") as file:
                file.write(header + values.astype(np.uint8).tobytes())
        return folder

    return write


@pytest.fixture
def shelf() -> Path:
    """The folder of real data, where there is one."""
    given = os.environ.get("GANNET_DATA")
    if not given or not (Path(given) / "mnist").is_dir():
        pytest.skip("needs GANNET_DATA with mnist, cifar10, lfw, ... in it")
    return Path(given)
