"""Words of the user become sources of samples.

Files in a folder or a zip are read for any medium. A module here may open more: it names the media of a sample's parts
in `MEDIA`, what it brings along in `EMBEDDED` and what it takes in `ALLOWED`; it opens by `open_name` and `open_path`,
and may change what was opened by `finished`. Third parties use the entry point `gannet.sources`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from gannet.data.records import Counted, Record, Source, left_out_of, listed
from gannet.data.sources import texts
from gannet.data.sources.contents import is_run_folder
from gannet.data.sources.folder import FileSource, Folder, PairSource, Storage, Zip, has_ending
from gannet.data.sources.layout import is_hidden, pair_up
from gannet.data.sources.memory import is_held_name
from gannet.media import find_medium, medium_names
from gannet.media.medium import Medium
from gannet.runtime.names import at_home, file_ending
from gannet.runtime.plugins import installed
from gannet.runtime.wording import short
from gannet.schema import Section, alike

__all__ = ["Record", "Source", "embedded_names", "is_embedded", "media_of", "open_source"]


@cache
def _all_openers() -> tuple[Any, ...]:
    """Import the modules that open more than files."""
    own = [f"gannet.data.sources.{path.stem}" for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))]
    theirs = [point.value for point in installed("gannet.sources").values()]
    modules = [import_module(name) for name in [*own, *theirs]]
    return tuple(module for module in modules if hasattr(module, "MEDIA"))


def _openers(media: Mapping[str, Medium]) -> tuple[Any, ...]:
    """Give those of them that open samples of such parts."""
    wanted = tuple(medium.name for medium in media.values())
    return tuple(opener for opener in _all_openers() if wanted in opener.MEDIA)


def open_source(target: str, media: Mapping[str, Medium] | None = None, options: Section | None = None) -> Source:
    """Open what a user calls data: a path, an embedded set, `hf:owner/name`, or a name within `$GANNET_DATA`.

    Args:
        media: the parts of a sample by name; by default one picture. Several are looked for in folders beside each
            other.
        options: the other keys of `data`, for those who open it.

    Raises:
        ValueError: there is no such data, or it holds none of these media.
    """
    media = media or {"image": find_medium("image")}
    openers = _openers(media)
    source = _open(target, media, openers)
    for opener in openers:
        source = opener.finished(source, options)
    return source


def _open(target: str, media: Mapping[str, Medium], openers: tuple[Any, ...]) -> Source:
    for opener in openers:
        if (source := opener.open_name(target)) is not None:
            return source  # type: ignore[no-any-return]
    if is_embedded(target):
        raise ValueError(
            f"{target} is a set that comes with Gannet, of other samples than {_plural(media)}; what lies here by that "
            f"name is ./{target}."
        )
    if is_held_name(target):
        raise ValueError(f"What is in memory are pictures, and {_plural(media)} are wanted; give {_allowed(media)}.")
    path = _find(target, openers, media)
    if is_run_folder(path):
        raise ValueError(
            f"{target} is the folder of a run, and the pictures in it are its own; give the data to learn from by "
            "their path."
        )
    for opener in openers:
        if (source := opener.open_path(path, media)) is not None:
            return _with_samples(source, target, media)
    return _open_files(path, target, media)


def _open_files(path: Path, target: str, media: Mapping[str, Medium]) -> Source:
    """Open a folder or a zip of files."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        for one in media.values():
            if has_ending(path.name, one):
                raise ValueError(
                    f"{target} is a single {one.noun}, which is not a data set; give the folder of many {one.plural}."
                )
        raise ValueError(f"{target} is not data that Gannet reads; give {_allowed(media)}.")
    storage: Storage = Folder(path) if path.is_dir() else Zip(path)
    if len(media) > 1:
        try:
            return _with_samples(PairSource(storage, media), target, media)
        except ValueError as error:
            raise ValueError(f"{target} holds no pairs: {str(error).rstrip('.')}.") from error
    ((name, medium),) = media.items()
    return _with_samples(FileSource(storage, name, medium), target, media)


def _allowed(media: Mapping[str, Medium]) -> str:
    """Say what may be given."""
    names = list(media.values())
    if len(names) > 1:
        parts = " and ".join(f"{one.plural} ({', '.join(sorted(one.endings)[:4])}, ...)" for one in names)
        layout = f"a folder or zip with {parts} of the same names in images/ and labels/, or in inputs/ and targets/"
        embedded = [name for opener in _openers(media) for name in opener.EMBEDDED]
        return ", or ".join([layout, *embedded])
    told = [opener.ALLOWED for opener in _openers(media)]
    return told[0] if told else f"a folder or zip of {names[0].plural} ({', '.join(sorted(names[0].endings))})"


def _plural(media: Mapping[str, Medium]) -> str:
    return " with ".join(medium.plural for medium in media.values())


def _find(target: str, openers: tuple[Any, ...], media: Mapping[str, Medium]) -> Path:
    if (there := _on_disk(target)) is not None:
        if there.is_dir() or there.is_file():
            return there
        raise ValueError(f"{target} is neither a file nor a folder; give {_allowed(media)}.")
    path, shelf = at_home(target), os.environ.get("GANNET_DATA")
    embedded = [name for opener in openers for name in opener.EMBEDDED]
    near = alike(target, [*embedded, *_neighbours(path, shelf)], least=0.6)
    hint = (
        f"; did you mean {near}?"
        if near
        else "; check the spelling, give a path, or set GANNET_DATA to the folder that holds it."
    )
    raise ValueError(f"There is no data called {target!r}: give {_allowed(media)}{hint}")


def _on_disk(target: str) -> Path | None:
    """Find data by their path, or by their name within `$GANNET_DATA`; None where they are not there."""
    shelf = os.environ.get("GANNET_DATA")
    places = [at_home(target), *([Path(shelf) / target] if shelf else [])]
    return next((place for place in places if target and place.exists()), None)


def embedded_names() -> list[str]:
    """List the data sets that come with Gannet."""
    return sorted(name for opener in _all_openers() for name in opener.EMBEDDED)


def is_embedded(target: str) -> bool:
    """Tell whether data are called so that come with Gannet; a folder of that name is `./NAME`."""
    return any(target in opener.EMBEDDED for opener in _all_openers())


def _neighbours(path: Path, shelf: str | None) -> Iterator[str]:
    """Name what the user may have meant."""
    names: list[str] = []
    if shelf and Path(shelf).is_dir():
        names += [entry.name for entry in Path(shelf).iterdir()]
    if path.parent.is_dir():
        names += [str(entry) for entry in path.parent.iterdir()]
    return (name for name in sorted(names) if not is_hidden(Path(name).name))


def _with_samples(source: Any, target: str, media: Mapping[str, Medium]) -> Source:
    if _is_empty(source):
        if beside := left_out_of(source):
            none = f"{target} holds no readable {next(iter(media.values())).noun}"
            name, reason = beside[0]
            raise ValueError(
                f"{none} (first {short(name)}: {reason}); give at least two, and hundreds to learn anything."
            )
        ignored = getattr(source, "ignored", 0)
        others = f" ({ignored:,} other files were ignored)" if ignored else ""
        plural = next(iter(media.values())).plural
        raise ValueError(f"{target} holds no {plural}{others}; give {_allowed(media)}.")
    return source  # type: ignore[no-any-return]


def _is_empty(source: Source) -> bool:
    return source.count() == 0 if isinstance(source, Counted) else next(listed(source), None) is None


def holds_parts(target: str, media: Mapping[str, Medium]) -> bool:
    """Tell whether data have all of these parts: an embedded set, or folders beside each other."""
    openers = _openers(media)
    if is_embedded(target):
        return any(target in opener.EMBEDDED for opener in openers)
    path = _on_disk(target)
    if path is None or not (path.is_dir() or path.suffix.lower() == ".zip"):
        return False
    names = _names_in(path)
    with suppress(ValueError):
        return bool(pair_up(names, [(name, medium.endings) for name, medium in media.items()])[0])
    return False


PAIRED = ({"image": "image", "map": "label-map"}, {"volume": "volume", "labels": "label-volume"})
"""The media that are looked for in folders beside each other where nobody says what data are; of those whose files look
alike a single one is the first."""
FEWEST_OTHERS, SHARE_OF_OTHERS = 2, 10
"""Files that are more than strays at least, and among how many of the samples' there is one at least."""


def media_of(target: str) -> dict[str, Medium]:
    """Tell what data hold by the endings of their files: the parts of a sample, pictures where nothing is told."""
    image = {"image": find_medium("image")}
    for opener in _all_openers():
        if target in opener.EMBEDDED:
            return {name.replace("-", "_"): find_medium(name) for name in opener.MEDIA[0]}
    path = _on_disk(target)
    if path is not None and path.is_file() and path.name.lower().endswith(texts.ENDINGS):
        return {"value": find_medium("text")}
    known = {name: medium for name in medium_names() if (medium := find_medium(name)).in_data}
    if path is None or not (path.is_dir() or path.suffix.lower() == ".zip"):
        of_file = [one for one in known.values() if path is not None and has_ending(path.name, one)]
        return image if image["image"] in of_file or not of_file else {"value": of_file[0]}
    names = _names_in(path)
    for pair in PAIRED:
        paired = {name: find_medium(medium) for name, medium in pair.items()}
        if holds_parts(target, paired):
            return paired
    counts = {name: sum(_is_of(path, medium) for path in names) for name, medium in known.items()}
    firsts = [next(iter(pair.values())) for pair in reversed(PAIRED)]
    most = max(counts, key=lambda name: (counts[name], firsts.index(name) if name in firsts else -1))
    return {"value": find_medium(most)} if counts[most] > counts["image"] else image


def others_in(target: str, media: Mapping[str, Medium]) -> Iterator[tuple[Medium, int]]:
    """Give the media that data hold beside those of their samples, where they are more than strays, each with the
    number of its files: two at least, and a tenth of those of the samples."""
    path = _on_disk(target)
    if path is None or not (path.is_dir() or path.suffix.lower() == ".zip"):
        return
    names = _names_in(path)
    others = [name for name in names if not any(_is_of(name, medium) for medium in media.values())]
    for name in medium_names():
        if (medium := find_medium(name)).in_data:
            count = sum(_is_of(other, medium) for other in others)
            if count >= FEWEST_OTHERS and SHARE_OF_OTHERS * count >= len(names) - len(others):
                yield medium, count


def _names_in(path: Path) -> list[str]:
    """List the files of a folder or a zip."""
    return (Folder(path) if path.is_dir() else Zip(path)).names()


def _is_of(path: str, medium: Medium) -> bool:
    """Tell whether a file is a value of a medium, or a piece of one."""
    return has_ending(path, medium) or file_ending(path) in medium.pieces
