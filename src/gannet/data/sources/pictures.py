"""Pictures that are no plain files: embedded sets, idx files, .npz, parquet and data sets of a hub."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gannet.data.records import Source
from gannet.data.sources.embedded import Digits, Garments
from gannet.data.sources.folder import FileSource, Folder, Zip
from gannet.data.sources.idx import IDX_FILE, IDX_NAME, IdxFolder, StackedDigits
from gannet.data.sources.layout import in_utf8
from gannet.data.sources.memory import open_held
from gannet.data.sources.npy import open_npy
from gannet.data.sources.npz import NpzFile
from gannet.data.sources.parquet import HubDataset, ParquetFiles
from gannet.media.image import Options
from gannet.media.medium import Medium
from gannet.schema import Section

MEDIA = (("image",),)
SETS: dict[str, Callable[[], Source]] = {"digits": Digits, "garments": Garments}
EMBEDDED = tuple(SETS)
ALLOWED = "a folder or zip of pictures, a folder of idx files, .npz, .npy, .parquet, hf:owner/name, digits or garments"


def open_name(target: str) -> Source | None:
    """Open what is no path."""
    if target in SETS:
        return SETS[target]()
    return HubDataset(target.removeprefix("hf:")) if target.startswith("hf:") else open_held(target)


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open a file or a folder; None where it is neither of these kinds."""
    if path.is_dir():
        ((name, medium),) = media.items()
        return _open_folder(path, name, medium)
    match path.suffix.lower():
        case ".parquet":
            return ParquetFiles(in_utf8(path.name), [path])
        case ".npz":
            return NpzFile(path)
        case ".npy":
            return open_npy(path)
    return None


def _open_folder(folder: Path, name: str, medium: Medium) -> Source | None:
    storage = Folder(folder)
    if any(IDX_NAME.fullmatch(file) for file in storage.names()):
        return IdxFolder(folder, _own(storage, folder, lambda path: bool(IDX_FILE.fullmatch(path))))
    if tables := _own(storage, folder, lambda path: path.endswith(".parquet") and "/" not in path):
        return ParquetFiles(storage.name, tables)
    source = FileSource(storage, name, medium)
    if source.count():
        return source
    if tables := _own(storage, folder, lambda path: path.endswith(".parquet")):
        return ParquetFiles(storage.name, tables)
    packed = _own(storage, folder, lambda path: path.lower().endswith((".zip", ".npz", ".npy")) and "/" not in path)
    if len(packed) != 1:
        return None
    return open_path(packed[0], {name: medium}) or FileSource(Zip(packed[0]), name, medium)


def _own(storage: Folder, folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Give the files of a folder that are wanted; ValueError where one of them only seems to lie in it."""
    for path, reason in storage.left_out():
        if wanted(path):
            raise ValueError(f"{folder / path} is not read: {reason}.")
    return sorted(folder / path for path in storage.names() if wanted(path))


def finished(source: Source, options: Section | None) -> Source:
    """Stack digits where that is asked for."""
    return StackedDigits(source) if isinstance(options, Options) and options.stack == 3 else source
