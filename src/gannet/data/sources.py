"""Words of the user become sources of pictures."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from gannet.data.arrays import IDX_NAME, Digits, IdxFolder, StackedDigits
from gannet.data.files import PictureFolder, PictureZip
from gannet.data.layout import is_hidden, is_picture
from gannet.data.npz import NpzFile
from gannet.data.records import Record, Source
from gannet.data.tables import HubDataset, ParquetFiles

__all__ = ["Record", "Source", "open_source"]

ALLOWED = "a folder or zip of pictures, a folder of idx files, .npz, .parquet, hf:owner/name, or digits"


def open_source(target: str, stack: int = 1) -> Source:
    """Open what a user calls data: a path, `digits`, `hf:owner/name`, or a name within `$GANNET_DATA`.

    `stack=3` joins three digits at random as the channels of one picture (Stacked MNIST).
    Raises ValueError when there is no such data or it holds no pictures.
    """
    if stack not in (1, 3):
        raise ValueError(f"data.stack is {stack}; choose 1 (pictures as they are) or 3 (three digits as channels).")
    source = _open(target)
    return source if stack == 1 else StackedDigits(source)


def _open(target: str) -> Source:
    if target == "digits":
        return Digits()
    if target.startswith("hf:"):
        return HubDataset(target.removeprefix("hf:"))
    path = _find(target)
    if path.is_dir():
        return _open_folder(path)
    return _open_file(path, target)


def _open_file(path: Path, target: str) -> Source:
    match path.suffix.lower():
        case ".parquet":
            return ParquetFiles(path.name, [path])
        case ".npz":
            return _with_pictures(NpzFile(path), target)
        case ".zip":
            return _with_pictures(PictureZip(path), target)
    if is_picture(path.name):
        raise ValueError(f"{target} is a single picture, which is not a data set; give the folder of many pictures.")
    raise ValueError(f"{target} is not data that Gannet reads; give {ALLOWED}.")


def _find(target: str) -> Path:
    path = Path(target).expanduser()
    if target and path.exists():
        return path
    shelf = os.environ.get("GANNET_DATA")
    if target and shelf and (Path(shelf) / target).exists():
        return Path(shelf) / target
    near = difflib.get_close_matches(target, _neighbours(path, shelf), n=1)
    hint = (
        f"; did you mean {near[0]}?"
        if near
        else "; check the spelling, give a path, or set GANNET_DATA to the folder that holds it."
    )
    raise ValueError(f"There is no data called {target!r}: give {ALLOWED}{hint}")


def _neighbours(path: Path, shelf: str | None) -> list[str]:
    """Name what the user may have meant."""
    names = ["digits"]
    if shelf and Path(shelf).is_dir():
        names += [entry.name for entry in Path(shelf).iterdir()]
    if path.parent.is_dir():
        names += [str(entry) for entry in path.parent.iterdir()]
    return sorted(name for name in names if not is_hidden(Path(name).name))


def _open_folder(folder: Path) -> Source:
    if any(IDX_NAME.fullmatch(path.name) for path in folder.iterdir()):
        return IdxFolder(folder)
    name = folder.resolve().name
    if tables := sorted(folder.glob("*.parquet")):
        return ParquetFiles(name, tables)
    pictures = PictureFolder(folder)
    if pictures.count():
        return pictures
    if tables := sorted(folder.rglob("*.parquet")):
        return ParquetFiles(name, tables)
    packed = [path for path in folder.iterdir() if path.suffix.lower() in (".zip", ".npz")]
    return _open_file(packed[0], str(packed[0])) if len(packed) == 1 else _with_pictures(pictures, str(folder))


def _with_pictures(source: PictureFolder | PictureZip | NpzFile, target: str) -> Source:
    if source.count() == 0:
        ignored = getattr(source, "ignored", 0)
        others = f" ({ignored:,} other files were ignored)" if ignored else ""
        raise ValueError(f"{target} holds no pictures{others}; give {ALLOWED}.")
    return source
