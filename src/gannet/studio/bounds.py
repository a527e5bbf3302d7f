"""What the page may be given: every name, path, number and file that comes from outside is looked at here first."""

import math
import os
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PureWindowsPath

from gannet import api
from gannet.runtime.wording import short
from gannet.schema import choose
from gannet.studio.settings import Settings

MEGABYTE = 2**20
LARGEST_UPLOAD = 512 * MEGABYTE
"""Bytes of one file."""
MOST_FILES = 2000
"""Files given at once."""
MOST_UNPACKED, MOST_MEMBERS = 4096 * MEGABYTE, 200_000
"""Bytes and files of an archive once it is unpacked."""
UPLOADS, PARTIAL = "uploads", ".partial-"
"""Where uploaded data are kept, among the runs that learn from them; how a folder there begins that is being filled."""
FRESH = 1.0
"""Seconds that a list of models is good for."""
LONGEST_WORDS = 10_000
"""Characters of one option."""


def model_named(name: object, settings: Settings) -> str:
    """Give what `gannet.load` knows a model of the page by; ValueError for any other name."""
    targets = models_by_name(settings)
    return choose(_word(name, "model"), targets, "model")


def models_by_name(settings: Settings) -> dict[str, str]:
    """List the models that the page offers, by the name it shows: those of runs by the name of their run."""
    return dict(_models_at(settings.runs, int(time.monotonic() / FRESH)))


@lru_cache(maxsize=8)
def _models_at(runs: Path, moment: int) -> dict[str, str]:  # noqa: ARG001
    """Look the models up, once a moment: every request asks for them several times."""
    found = api.models(runs)
    return {Path(one.name).name if one.folder.parent.parent == runs else one.name: one.name for one in found}


def explored_names(settings: Settings) -> list[str]:
    """Name the models that can be explored: what makes pictures from nothing."""
    told = {name: api.interface(target) for name, target in models_by_name(settings).items()}
    return [name for name, one in told.items() if not one["inputs"] and [*one["outputs"].values()][:1] == ["image"]]


def run_named(name: object, settings: Settings) -> Path:
    """Give the folder of a run by its name; ValueError for any other name."""
    runs = {run.name: run for run in api.list_runs(settings.runs)}
    return choose(_word(name, "run"), runs, "run")


def recipe_named(name: object) -> str:
    """Take the name of a recipe that comes with Gannet or a package; a file's is none."""
    word = _word(name, "recipe")
    choose(word, api.recipes(), "recipe")
    return word


def new_run(name: object, recipe: str, settings: Settings) -> Path:
    """Give the folder of a run that is to be made, of the name asked for or of the recipe's."""
    word = _word(name or "", "name") if name else ""
    if word and not all(letter.isalnum() or letter in "-_" for letter in word):
        raise ValueError(f"{short(word)!r} is no name of a run; use letters, digits, - and _.")
    if word and (settings.runs / word).exists():
        raise ValueError(f"There is a run {word!r} already; choose another name.")
    if word:
        return settings.runs / word
    numbered = (settings.runs / (recipe if number == 1 else f"{recipe}-{number}") for number in range(1, 10**6))
    return next(path for path in numbered if not path.exists())


def data_named(name: object, settings: Settings) -> str:
    """Take the name of an embedded data set, or a path below the folder of data; ValueError for any other."""
    word = _word(name, "data set")
    if word in embedded():
        return word
    path = (settings.data / word).resolve()
    if word.startswith("hf:") or not path.is_relative_to(settings.data.resolve()):
        raise ValueError(
            f"{short(word)!r} lies outside of the folder of data; upload it, or start the studio with --data FOLDER."
        )
    if not path.exists():
        raise ValueError(f"There is no data called {short(word)!r} in the folder of data; upload it instead.")
    return str(path)


def embedded() -> list[str]:
    """List the data sets that come with Gannet."""
    return api.embedded_names()


def new_name(name: object) -> str:
    """Take the name of a file or folder that is to be made; ValueError for a path."""
    word = _word(name, "name")
    if not re.fullmatch(r"\w[\w-]{0,60}(\.\w{1,5})?", word):
        raise ValueError(f"{short(word)!r} is no name of a file; use letters, digits, - and _, and an ending.")
    return word


def uploaded_data(files: Sequence[str], place: Path) -> str:
    """Bring uploaded files to a folder that stays while a run learns from it; give its path, or a lone file's in it.

    Args:
        place: a folder to put them into; what is there already are the same files.

    Raises:
        ValueError: there are none, too many, or an archive would become too large.
    """
    paths = checked_files(files)
    for path in paths:
        _check_archive(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        filled = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=place.parent))
        for path in paths:
            shutil.copyfile(path, filled / path.name)
        filled.rename(place)
    os.utime(place)
    return str(place / paths[0].name if len(paths) == 1 else place)


def upload_folder() -> Path:
    """Give the folder that gradio puts uploaded files into, which is this process's own."""
    return Path(os.environ["GRADIO_TEMP_DIR"]).resolve()


def without_folders(words: str) -> str:
    """Give words that name uploaded files and results as the user knows them: by their names alone."""
    place = re.escape(str(upload_folder().parent))
    return re.sub(rf"{place}/(?:[\w.-]+/)*", "", words)


def checked_files(files: Sequence[str]) -> list[Path]:
    """Take uploaded files; ValueError where there are none, too many, or one is too large."""
    paths, own = [Path(str(file)).resolve() for file in files or ()], upload_folder()
    if not 0 < len(paths) <= MOST_FILES:
        raise ValueError(f"{len(paths):,} files were given; give 1 to {MOST_FILES:,}.")
    for path in paths:
        if not (path.is_relative_to(own) and path.is_file()):
            raise ValueError("A file is uploaded; what lies elsewhere on this machine is not read.")
        if path.stat().st_size > LARGEST_UPLOAD:
            raise ValueError(f"{short(path.name)} is larger than {LARGEST_UPLOAD // MEGABYTE} MB; give a smaller file.")
    return paths


def _check_archive(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > MOST_UNPACKED or len(members) > MOST_MEMBERS:
        raise ValueError(f"{short(path.name)} would unpack to {total / MEGABYTE:,.0f} MB; give a smaller archive.")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an uploaded archive into a folder; ValueError where it is none, or would become too large.

    Names that would lead out of the folder lead into it.
    """
    try:
        _check_archive(archive)
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, zlib.error, EOFError) as error:
        reason = "it is locked by a password" if "password" in str(error) else "it is damaged, or no archive"
        raise ValueError(f"{short(archive.name)} cannot be unpacked: {reason}.") from None


def plain_options(values: object) -> dict[str, object]:
    """Take options of a verb: names with numbers, words, or lists of them; ValueError for what names a file or a hub.

    The schema of what takes them checks everything else.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"Options are names with values, not {type(values).__name__}; give an object.")
    return {str(name): _plain(str(name), value) for name, value in values.items()}


def _plain(name: str, value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(name, one) for one in value[: MOST_FILES + 1]]
    if isinstance(value, Mapping):
        return {str(key): _plain(name, one) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{short(name)} is to be a finite number; given: {value}.")
    if isinstance(value, str):
        _check_words(name, value)
    return value


def _check_words(name: str, words: str) -> None:
    if len(words) > LONGEST_WORDS:
        raise ValueError(f"{short(name)} has {len(words):,} characters; give at most {LONGEST_WORDS:,}.")
    paths = Path(words), PureWindowsPath(words)
    outside = any(path.is_absolute() or ".." in path.parts for path in paths) or words.startswith(("~", "hf:"))
    if outside or "\0" in words or (len(words) < 256 and Path(words).is_file()):
        raise ValueError(f"{short(name)}={short(words)!r} names a file or a hub, which the page does not open.")


def _word(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_WORDS or "\0" in value:
        raise ValueError(f"A {what} is a name; given: {short(repr(value))}.")
    return value.strip()
