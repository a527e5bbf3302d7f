"""What third parties offer by entry points, and what this process was given besides. Names are looked up among these
and never imported as given, so a file cannot choose code to run."""

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeVar, cast

from gannet.runtime.wording import reason
from gannet.schema import nearest, shown

Part = TypeVar("Part")
_REGISTERED: dict[str, dict[str, object]] = {}
"""By group and name, what `register` was given; gone with the process."""


def register(group: str, name: str, part: object, own: Mapping[str, object]) -> None:
    """Offer a part under a name for as long as this process lasts, as an installed package does by an entry point.

    A name that was registered before then means the new part, so that a cell of a notebook can be run again.

    Args:
        group: the entry points it would be among, such as `gannet.losses`.
        name: letters, digits, spaces, - and _, a letter first.
        part: what an entry point would name.
        own: the parts of ours, whose names are taken.

    Raises:
        ValueError: the name is none, or taken by another.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9 _-]*", name):
        raise ValueError(f"{shown(name)} is no name; one is of letters, digits, spaces, - and _, a letter first.")
    if name in own or name in installed(group):
        raise ValueError(f"The name {name!r} is taken by {'Gannet' if name in own else 'a package'}; choose another.")
    _REGISTERED.setdefault(group, {})[name] = part


def names_of(group: str) -> list[str]:
    """List the names of a group: registered and installed."""
    return sorted({*_REGISTERED.get(group, {}), *installed(group)})


def installed(group: str) -> dict[str, EntryPoint]:
    """List the entry points of a group by name, such as those of `gannet.losses`."""
    return dict(_installed(group, tuple(sys.path), tuple(map(_changed, sys.path))))


@lru_cache(maxsize=64)
def _installed(group: str, places: tuple[str, ...], changed: tuple[int, ...]) -> dict[str, EntryPoint]:  # noqa: ARG001
    """Read the entry points of what lies at some places, anew once something was installed or removed there."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def _changed(place: str) -> int:
    """When a folder was changed last, in nanoseconds; 0 where there is none."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def find_part(name: str, own: Mapping[str, Part], group: str, what: str) -> Part:
    """Give the part of that name: one of our own, a registered one, or an installed one, which is imported now.

    Raises:
        ValueError: there is none, or it cannot be imported; the sentence names the nearest, or what must be installed.
    """
    if name in own:
        return own[name]
    if name in (registered := _REGISTERED.get(group, {})):
        return cast(Part, registered[name])
    if name in (theirs := installed(group)):
        return _imported(theirs[name], what)
    raise ValueError(
        f"There is no {what} {name!r}; {nearest(name, [*own, *names_of(group)])} A third party's is found once the "
        f"package is installed that offers {name!r} among the entry points of {group}, and one of your own once this "
        "process has registered it."
    )


def origin(point: EntryPoint) -> str:
    """Name the package that offers an entry point."""
    return point.dist.name if point.dist else point.value


def read_packaged(point: EntryPoint, what: str) -> bytes:
    """Read the file that an entry point names as `package:file`; the package is imported, and nothing of it called.

    Raises:
        ValueError: there is no such package, or no such file in it; one sentence.
    """
    package, _, name = point.value.partition(":")
    try:
        return (resources.files(package) / name).read_bytes()
    except (ImportError, OSError, TypeError, ValueError) as error:
        words = f"there is no file {name} in {package}" if isinstance(error, OSError) else reason(error)
        raise ValueError(f"The {what} {point.name!r} of {origin(point)} cannot be read: {words}.") from None


def _imported(point: EntryPoint, what: str) -> Part:  # type: ignore[type-var]
    try:
        found: Part = point.load()
    except (ImportError, AttributeError) as error:
        words = " ".join(str(error).split()).rstrip(".")
        raise ValueError(f"The {what} {point.name!r} of {origin(point)} cannot be imported: {words}.") from None
    return found
