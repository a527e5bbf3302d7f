"""What lies in a folder: its own regular files, and what is passed over because it is something else."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from gannet.data.records import LeftOut
from gannet.data.sources.layout import is_hidden
from gannet.runtime.reading import SPECIAL

OUTSIDE = "it leads out of the data, and is not followed; copy what it names into them"
NOWHERE = "it is a link to nothing that can be read; remove it, or bring back what it named"
RUN_HOLDS = {"state", "model", "log.jsonl", "data.json"}
"""What tells a run's folder, beside its recipe; the last is there before the run has drawn anything."""


@dataclass
class Contents:
    """What lies in a folder, by paths relative to it with slashes.

    Attributes:
        files: regular ones.
        left_out: everything else, with reasons.
    """

    files: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def contents(folder: Path) -> Contents:
    """Walk a folder, however deep.

    Hidden names and the folders of runs are no data, and nothing is said of them. Links are followed within the folder,
    to each of its folders once. ValueError when the folder itself cannot be listed.
    """
    found, walk = Contents(), _Walk(os.path.realpath(folder))
    walk.own.append(("", str(folder)))
    while walk.own or walk.linked:
        inside, place = (walk.own or walk.linked).pop()  # A folder's own name goes before a link's.
        try:
            entries = walk.enter(inside, place)
        except OSError as error:
            if not inside:
                raise ValueError(f"{folder} cannot be listed ({error.strerror}); check its rights.") from error
            found.left_out.append((inside, f"it cannot be listed ({error.strerror})"))
            continue
        for entry in entries:
            walk.sort_in(entry, inside + entry.name, found)
    return found


@dataclass
class _Walk:
    """A walk through a folder, without recursion: folders lie deeper than Python calls.

    Attributes:
        root: where it really lies.
        own, linked: folders that are still to be listed, (path with a slash at its end, place on the disk).
        entered: those that are listed, by device and number.
    """

    root: str
    own: list[tuple[str, str]] = field(default_factory=list)
    linked: list[tuple[str, str]] = field(default_factory=list)
    entered: set[tuple[int, int]] = field(default_factory=set)

    def enter(self, inside: str, place: str) -> list[os.DirEntry[str]]:
        """List a folder, the last name first; nothing where it was listed before or is a run's."""
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in self.entered:
            return []
        self.entered.add((status.st_dev, status.st_ino))
        with os.scandir(place) as listed:
            entries = sorted(listed, key=lambda entry: entry.name, reverse=True)
        if inside and _is_run({entry.name for entry in entries}):
            return []
        return [entry for entry in entries if not is_hidden(entry.name)]

    def sort_in(self, entry: os.DirEntry[str], inside: str, found: Contents) -> None:
        """Put an entry among the files, what is left out, or the folders that are still to be listed."""
        is_link = entry.is_symlink() or getattr(entry, "is_junction", bool)()
        outside = is_link and not Path(os.path.realpath(entry.path)).is_relative_to(self.root)
        is_folder, is_file = _kind(entry)
        inside += "/" if is_folder else ""
        if outside:
            found.left_out.append((inside, OUTSIDE))
        elif is_folder:
            (self.linked if is_link else self.own).append((inside, entry.path))
        elif is_file:
            found.files.append(inside)
        else:
            found.left_out.append((inside, NOWHERE if is_link else SPECIAL))


def _kind(entry: os.DirEntry[str]) -> tuple[bool, bool]:
    """Tell whether an entry is, or a link leads to, a folder or a regular file."""
    try:
        return entry.is_dir(), entry.is_file()
    except OSError:  # A link that leads to itself.
        return False, False


def _is_run(names: set[str]) -> bool:
    return "recipe.yaml" in names and not RUN_HOLDS.isdisjoint(names)


def is_run_folder(folder: Path) -> bool:
    """Tell a run's folder by the names in it; what it holds are a game's own products, and no data."""
    return folder.is_dir() and _is_run({path.name for path in folder.iterdir()})
