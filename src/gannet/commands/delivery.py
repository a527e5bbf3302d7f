"""Files made of many others: to a folder, or into a .zip."""

from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from gannet.commands.conversion import Conversion
from gannet.commands.filling import fill
from gannet.commands.inputs import Item, stamps_of
from gannet.pipelines.packing import FORMATS, Entry
from gannet.pipelines.writer import Order, deliver
from gannet.runtime.names import format_ending, whole_suffix
from gannet.runtime.signals import finishing


def deliver_all(work: Conversion, path: Path) -> None:
    """Make something of all items, into a folder or a .zip."""
    if not work.items:
        raise ValueError(f"All that was given lies in {path}, where results go; choose another place for them.")
    made = work.names.made
    ending = format_ending(path, made.saved)
    if ending in made.saved and ending not in FORMATS:
        raise ValueError(f"{path.name}: {_given(work)} to a folder or a .zip; name one of these.")
    if ending not in FORMATS or ending == ".parquet":
        raise ValueError(
            f"{path.name}: {made.plural} go to a folder or a .zip, one alone also to a file "
            f"({', '.join(made.saved)}); name one of these."
        )
    work.left_out |= work.names.refuse_twins(work.items)
    with finishing() as work.interruption:
        if not ending:
            fill(work, path)
            return
        deliver(path, Order(order_of(work), [partial(_part, work, one) for one in work.items]))
    _tell_of_earlier(work, path)


def _given(work: Conversion) -> str:
    """Say what of what was given keeps results from going to a file."""
    count, plural = len(work.items), work.names.medium.plural
    return f"{count:,} {plural} were given, whose results go" if count > 1 else "what is made of a folder goes"


def order_of(work: Conversion) -> dict[str, Any]:
    """Tell this delivery from any other: what is asked, and of each file as it is now."""
    pages = {"pages": [one.page for one in work.items]} if any(one.page is not None for one in work.items) else {}
    return {**work.asked(), **stamps_of(work.items), **pages}


def _part(work: Conversion, item: Item) -> list[Entry]:
    """Make something of an item as a part of a delivery; what cannot be read is left out."""
    result = Path(work.names.result(item))
    work.step(item)
    try:
        contents = work.make(item, whole_suffix(result))
    except ValueError as error:
        work.leave_out(item, error)
        return []
    work.note_name(item, result)
    return [Entry(place.as_posix(), contents[name]) for name, place in work.names.places(result).items()]


def _tell_of_earlier(work: Conversion, path: Path) -> None:
    """Name also what was left out before the delivery was broken off; nothing at all is no delivery."""
    with ZipFile(path) as archive:
        made = set(archive.namelist())
    for one in work.items:
        if str(work.names.result(one)) not in made:
            work.left_out.setdefault(one.name, f"{one.name} was left out before.")
        elif work.begun < len(work.items):  # It may have been made before.
            work.note_unused(one)
    if len(work.left_out) == len(work.items):
        path.unlink()
    work.refuse_nothing()
