"""What third parties offer by entry points. Names are looked up among the installed ones and never imported as given,
so a file cannot choose code to run."""

from collections.abc import Mapping
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from gannet.runtime.wording import reason
from gannet.schema import nearest

Part = TypeVar("Part")


def installed(group: str) -> dict[str, EntryPoint]:
    """List the entry points of a group by name, such as those of `gannet.losses`."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def find_part(name: str, own: Mapping[str, Part], group: str, what: str) -> Part:
    """Give the part of that name: one of our own, else an installed one of a third party, which is imported now.

    Raises:
        ValueError: there is none, or it cannot be imported; the sentence names the nearest, or what must be installed.
    """
    if name in own:
        return own[name]
    theirs = installed(group)
    if name in theirs:
        return _imported(theirs[name], what)
    raise ValueError(
        f"There is no {what} {name!r}; {nearest(name, [*own, *theirs])} A third party's is found once the package is "
        f"installed that offers {name!r} among the entry points of {group}."
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
