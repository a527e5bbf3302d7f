"""Files made of many others: to a folder, or into a .zip."""

from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from gannet import __version__
from gannet.commands.conversion import Conversion
from gannet.commands.inputs import Item, files_of
from gannet.data.records import file_stamp
from gannet.pipelines.writer import FORMATS, Entry, Order, deliver
from gannet.runtime.files import digest


def deliver_all(work: Conversion, path: Path) -> None:
    """Make something of all items, into a folder or a .zip."""
    if not work.items:
        raise ValueError(f"All that was given lies in {path}, where results go; choose another place for them.")
    made = work.names.made
    if path.suffix.lower() not in FORMATS or path.suffix.lower() == ".parquet":
        raise ValueError(
            f"{path.name}: {made.plural} go to a folder or a .zip, one alone also to a file "
            f"({', '.join(made.saved)}); name one of these."
        )
    work.names.refuse_twins(work.items)
    deliver(path, Order(_order(work), [partial(_part, work, one) for one in work.items]))
    _tell_of_earlier(work, path)


def _order(work: Conversion) -> dict[str, Any]:
    """Tell this delivery from any other: the model, what is asked of it, and each file as it is now."""
    stamps = {
        name: [file_stamp(file, str(file.resolve())) for file in files if file.is_file()]
        for name, files in files_of(work.items).items()
    }
    asked = {"options": work.options.model_dump(mode="json"), "save": list(work.wanted.save)}
    weights = digest(work.ready.tensors(), {})
    pages = {"pages": [one.page for one in work.items]} if any(one.page is not None for one in work.items) else {}
    return {**work.facts, **asked, **stamps, **pages, "digest": weights, "gannet": __version__}


def _part(work: Conversion, item: Item) -> list[Entry]:
    """Make something of an item as a part of a delivery; what cannot be read is left out."""
    result = Path(work.names.result(item))
    work.wanted.watch.step(work.done, len(work.items), f"Applying the model to {item.name}")
    try:
        contents = work.make(item, result.suffix)
    except ValueError as error:
        work.leave_out(item, error)
        return []
    work.note_name(item, result)
    return [Entry(place.as_posix(), contents[name]) for name, place in work.names.places(result).items()]


def _tell_of_earlier(work: Conversion, path: Path) -> None:
    """Name also what was left out before the delivery was broken off; nothing at all is no delivery."""
    if path.is_dir():
        made = {file.relative_to(path).as_posix() for file in path.rglob("*")}
    else:
        with ZipFile(path) as archive:
            made = set(archive.namelist())
    for one in work.items:
        if str(work.names.result(one)) not in made:
            work.left_out.setdefault(work.names.result(one), f"{one.name} was left out before.")
        elif work.done < len(work.items):  # It may have been made before.
            work.note_unused(one)
    if len(work.left_out) == len(work.items):
        _remove(path)
        first, others = next(iter(work.left_out.values())), len(work.items) - 1
        raise ValueError(f"{first} So it is with the other {others:,}; nothing was made." if others else first)


def _remove(path: Path) -> None:
    """Take away a delivery that holds nothing."""
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
