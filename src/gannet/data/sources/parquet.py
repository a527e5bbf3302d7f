"""Sources in the Hugging Face image layout: parquet files, and data sets of its hub."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from gannet.data.records import VALUE, Record, digest, file_stamp, unread
from gannet.data.sources.labels import ClassTable
from gannet.data.sources.layout import SPLITS
from gannet.media.pixels import open_picture
from gannet.runtime.addresses import Address
from gannet.runtime.reading import read_file, refuse_huge
from gannet.runtime.wording import sentence

if TYPE_CHECKING:
    import pyarrow.parquet as parquet

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels")
MOST_ROWS = 8  # in a byte of a file: less than a bit for a picture is a claim
ROWS = 64  # read at once; a row holds one encoded picture
GROUPS = 16  # row groups that a sample looks into


class ParquetFiles:
    """Parquet files with a column `image` or `img` of encoded pictures and, perhaps, one called `label`."""

    def __init__(self, name: str, paths: list[Path]) -> None:
        self.name = name
        self._paths = paths
        home = os.path.commonpath([path.parent for path in paths])
        self._named = {path: path.relative_to(home).as_posix() for path in paths}
        self._columns: dict[Path, tuple[str, str | None]] = {}
        self._rows = 0
        names: tuple[str, ...] = ()
        for path in paths:
            with _open_parquet(path) as file:
                self._columns[path] = _find_columns(file.schema_arrow.names, str(path))
                _check_types(file, path, self._columns[path])
                self._rows += file.metadata.num_rows
                names = names or _class_names(file, self._columns[path][1])
        self._table = ClassTable(self._labels(), name, names)
        self.classes = self._table.names

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        blank = ["an empty word is no class"] if self._table.blank else []
        return digest(["parquet", *(file_stamp(path, path.name) for path in self._paths), *blank])

    def count(self) -> int:
        """Give the number of samples."""
        return self._rows

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        for path in self._paths:
            with _open_parquet(path) as file:
                yield from self._rows_of(path, file.iter_batches(ROWS, columns=self._wanted(path)), 0)

    def listed(self) -> Iterator[Record]:
        """Read the small label column alone."""
        for path in self._paths:
            with _open_parquet(path) as file:
                values = _column(file, self._columns[path][1])
                for position, value in enumerate(values):
                    yield unread(f"{self._named[path]}[{position}]", self._table.number(value), _split_of(path.stem))

    def sample(self, most: int) -> Iterator[Record]:
        """Look into a few row groups, evenly spread: a parquet file cannot be read by the row."""
        groups = []
        for path in self._paths:
            with _open_parquet(path) as file:
                groups += [(path, group) for group in range(file.num_row_groups)]
        chosen = groups[:: -(-len(groups) // GROUPS)] if groups else []
        for path, group in chosen:
            with _open_parquet(path) as file:
                batches = file.iter_batches(-(-most // len(chosen)), row_groups=[group], columns=self._wanted(path))
                yield from self._rows_of(path, [batch for _, batch in zip(range(1), batches, strict=False)], 0)

    def _wanted(self, path: Path) -> list[str]:
        return [column for column in self._columns[path] if column]

    def _rows_of(self, path: Path, batches: Iterable[Any], position: int) -> Iterator[Record]:
        split = _split_of(path.stem)
        image, label = self._columns[path]
        for batch in batches:
            cells = batch.column(image).to_pylist()
            labels = batch.column(label).to_pylist() if label else [None] * len(cells)
            for cell, value in zip(cells, labels, strict=True):
                read, size = partial(_read_cell, cell, (path.parent,)), partial(_held, cell)
                name = f"{self._named[path]}[{position}]"
                yield Record(name, {VALUE: read}, self._table.number(value), split, size=size)
                position += 1

    def _labels(self) -> Iterator[Any]:
        """Read the small label column alone, each label once a batch."""
        for path in self._paths:
            if label := self._columns[path][1]:
                with _open_parquet(path, [label]) as file:
                    for batch in file.iter_batches(65_536, columns=[label]):
                        yield from batch.column(label).unique().to_pylist()


def _open_parquet(path: Path, words: Sequence[str] = ()) -> parquet.ParquetFile:
    """Open a file; of columns of words each word is held once, so that repeating a long one takes no memory."""
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ValueError(f"Reading {path} needs pyarrow; run: pip install 'gannet[parquet]'") from error
    try:
        return parquet.ParquetFile(path, read_dictionary=list(words))
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path} is cut short or no parquet file; copy or download it again.") from error


def _column(file: parquet.ParquetFile, name: str | None) -> Iterator[Any]:
    """Give the values of a small column, None for every row where there is none."""
    if name is None:
        yield from repeat(None, file.metadata.num_rows)
        return
    for batch in file.iter_batches(65_536, columns=[name]):
        yield from batch.column(name).to_pylist()


def _check_types(file: parquet.ParquetFile, path: Path, columns: tuple[str, str | None]) -> None:
    """Refuse columns of other types, and more than a file of its size can hold, before anything is read."""
    size, rows = path.stat().st_size, file.metadata.num_rows
    if rows > MOST_ROWS * size:
        raise ValueError(f"{path} claims {rows:,} rows in {size:,} bytes; it is damaged, copy or write it again.")
    image, label = (str(file.schema_arrow.field(name).type) if name else "" for name in columns)
    if not re.match(r"(large_|fixed_size_)?binary|struct<|null", image):
        raise ValueError(
            f"{path} holds pictures as {image}; give encoded pictures, as bytes or as the library datasets writes them."
        )
    if label and not re.match(
        r"u?int\d+$|bool$|(half)?float$|double$|(large_)?string|null|dictionary<values=.*", label
    ):
        raise ValueError(
            f"{path} holds labels that are no classes ({label}); give one whole number or word for each picture."
        )


def _find_columns(names: list[str], where: str) -> tuple[str, str | None]:
    image = next((name for name in IMAGE_COLUMNS if name in names), None)
    if image is None:
        raise ValueError(
            f"{where} has the columns {', '.join(names)}, but pictures are looked for in 'image' or 'img'; "
            "rename the column of pictures."
        )
    return image, next((name for name in LABEL_COLUMNS if name in names), None)


def _class_names(file: parquet.ParquetFile, label: str | None) -> tuple[str, ...]:
    """Read the names that the `datasets` library leaves in the schema."""
    try:
        features = json.loads((file.schema_arrow.metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features[label]["names"])
    except (KeyError, TypeError, ValueError, RecursionError):  # none there, or written by something else
        return ()


def _split_of(name: str) -> str:
    words = name.lower().replace("_", "-").replace(".", "-").split("-")
    return next((SPLITS[word] for word in words if word in SPLITS), "")


def _read_cell(cell: object, folders: tuple[Path, ...]) -> Image.Image:
    """Read a row's picture, from its bytes or from the file that it names in one of these folders."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    path = cell.get("path") if isinstance(cell, dict) else None
    if content is None and path:
        content = _read_named(str(path), folders)
    if not isinstance(content, bytes):
        raise ValueError("its row holds no picture")
    refuse_huge(len(content))
    return open_picture(content)


def _held(cell: object) -> int:
    """Give the bytes of a row's picture that are in memory."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    return len(content) if isinstance(content, bytes) else 0


def _read_named(path: str, folders: tuple[Path, ...]) -> bytes | None:
    """Read the file that a row names; None where there is none. Whoever made the table may not look around here."""
    found = [(folder / path).resolve() for folder in folders]
    inside = [file for file, folder in zip(found, folders, strict=True) if file.is_relative_to(folder.resolve())]
    if not inside:
        raise ValueError(f"its row names {path}, which lies outside of the table's folder")
    file = next((file for file in inside if file.is_file()), None)
    return None if file is None else read_file(file)


class HubDataset:
    """A data set of the Hugging Face hub, downloaded once into the cache of `datasets` and read from there.

    Its name may end in `@` and a revision: a branch, a tag or a commit.

    It is not streamed: the survey, the cache and a second run would each download it again.
    """

    def __init__(self, name: str) -> None:
        address = Address.of(name)
        self.name, self._revision = address.name, address.revision
        self._splits: dict[str, Any] = _load_from_hub(address)
        self._columns = {key: _find_columns(list(part.features), name) for key, part in self._splits.items()}
        key, part = next(iter(self._splits.items()))
        label = self._columns[key][1]
        names = getattr(part.features[label], "names", None) if label else None
        self._table = ClassTable(self._labels(), f"hf:{self.name}", tuple(map(str, names or ())))
        self.classes = self._table.names

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        revision = [self._revision] if self._revision else []  # Entries from before there were any stay.
        parts = (f"{key} {part._fingerprint}" for key, part in self._splits.items())
        blank = ["an empty word is no class"] if self._table.blank else []
        return digest(["hub", self.name, *revision, *parts, *blank])

    def count(self) -> int:
        """Give the number of samples."""
        return sum(len(part) for part in self._splits.values())

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        for key in self._splits:
            yield from self._rows_of(key, range(len(self._splits[key])))

    def listed(self) -> Iterator[Record]:
        """Give the same records, whose parts cannot be read."""
        for key, part in self._splits.items():
            label = self._columns[key][1]
            values = (row[label] for row in part.select_columns([label])) if label else repeat(None, len(part))
            for position, value in enumerate(values):
                yield unread(f"{key}[{position}]", self._table.number(value), _split_of(key))

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        for key, part in self._splits.items():
            wanted = -(-most * len(part) // max(1, self.count()))
            yield from self._rows_of(key, range(0, len(part), max(1, len(part) // max(1, wanted))))

    def _rows_of(self, key: str, positions: range) -> Iterator[Record]:
        import datasets

        image, label = self._columns[key]
        encoded = self._splits[key].cast_column(image, datasets.Image(decode=False))
        folders = _hub_folders(datasets)
        for position in positions:
            row = encoded[position]
            number = self._table.number(row[label] if label else None)
            read = partial(_read_cell, row[image], folders)
            yield Record(f"{key}[{position}]", {VALUE: read}, number, _split_of(key), size=partial(_held, row[image]))

    def _labels(self) -> Iterator[Any]:
        for key, part in self._splits.items():
            if label := self._columns[key][1]:
                try:
                    yield from part.unique(label)
                except Exception as error:  # The library compares no lists, and raises of them what it likes.
                    raise ValueError(
                        f"hf:{self.name} holds labels that are no classes ({part.features[label]}); give one whole "
                        "number or word for each picture."
                    ) from error


def _hub_folders(datasets: Any) -> tuple[Path, ...]:
    """Give the folders that files of data sets are downloaded to, which rows may name."""
    from huggingface_hub.constants import HF_HUB_CACHE

    names = ("HF_DATASETS_CACHE", "DOWNLOADED_DATASETS_PATH", "EXTRACTED_DATASETS_PATH")
    known = (getattr(getattr(datasets, "config", None), name, None) for name in names)
    return tuple(Path(place) for place in (HF_HUB_CACHE, *known) if place)


def _load_from_hub(address: Address) -> dict[str, Any]:
    try:
        import datasets
    except ImportError as error:
        raise ValueError(
            f"Reading hf:{address.name} needs the library datasets; run: pip install 'gannet[hub]'"
        ) from error
    try:
        splits = dict(datasets.load_dataset(address.name, revision=address.revision))
    except Exception as error:  # the network, a missing or private name, a script it will not run: all the user's
        place = f"hf:{address.name} at {address.revision}" if address.revision else f"hf:{address.name}"
        said = sentence((str(error).splitlines() or [""])[0])  # Traces of their own come below.
        raise ValueError(
            f"The data set {place} cannot be loaded ({type(error).__name__}: {said}); check its name on "
            "huggingface.co and the network, or download it as parquet."
        ) from error
    if address.revision and address.is_fixed:
        _refuse_another(splits, address.name, address.revision)
    return splits


def _refuse_another(splits: dict[str, Any], name: str, commit: str) -> None:
    """Without network the library takes whatever copy it has, of any commit; where files came from tells which."""
    infos = (getattr(part, "info", None) for part in splits.values())
    places = (place for info in infos for place in getattr(info, "download_checksums", None) or ())
    found = {word for place in places for word in re.findall("@([0-9a-f]{40})/", str(place))}
    if found and commit not in found:
        raise ValueError(
            f"The data set hf:{name} is here as of commit {min(found)}, but {commit} is wanted and cannot be reached; "
            "check the network."
        )
