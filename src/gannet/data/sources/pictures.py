"""Pictures that are no plain files: embedded digits, idx files, .npz, parquet and data sets of a hub."""

from collections.abc import Mapping
from pathlib import Path

from gannet.data.records import Source
from gannet.data.sources.folder import FileSource, Folder, Zip
from gannet.data.sources.idx import IDX_NAME, Digits, IdxFolder, StackedDigits
from gannet.data.sources.npz import NpzFile
from gannet.data.sources.parquet import HubDataset, ParquetFiles
from gannet.media.image import Options
from gannet.media.medium import Medium
from gannet.schema import Section

MEDIA = (("image",),)
EMBEDDED = ("digits",)
ALLOWED = "a folder or zip of pictures, a folder of idx files, .npz, .parquet, hf:owner/name, or digits"


def open_name(target: str) -> Source | None:
    """Open what is no path."""
    if target == "digits":
        return Digits()
    return HubDataset(target.removeprefix("hf:")) if target.startswith("hf:") else None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open a file or a folder; None where it is neither of these kinds."""
    if path.is_dir():
        ((name, medium),) = media.items()
        return _open_folder(path, name, medium)
    match path.suffix.lower():
        case ".parquet":
            return ParquetFiles(path.name, [path])
        case ".npz":
            return NpzFile(path)
    return None


def _open_folder(folder: Path, name: str, medium: Medium) -> Source | None:
    if any(IDX_NAME.fullmatch(path.name) for path in folder.iterdir()):
        return IdxFolder(folder)
    called = folder.resolve().name
    if tables := sorted(folder.glob("*.parquet")):
        return ParquetFiles(called, tables)
    if FileSource(Folder(folder), name, medium).count():
        return None
    if tables := sorted(folder.rglob("*.parquet")):
        return ParquetFiles(called, tables)
    packed = [path for path in folder.iterdir() if path.suffix.lower() in (".zip", ".npz")]
    if len(packed) != 1:
        return None
    return NpzFile(packed[0]) if packed[0].suffix.lower() == ".npz" else FileSource(Zip(packed[0]), name, medium)


def finished(source: Source, options: Section | None) -> Source:
    """Stack digits where that is asked for."""
    return StackedDigits(source) if isinstance(options, Options) and options.stack == 3 else source
