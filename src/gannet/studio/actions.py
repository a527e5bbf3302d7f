"""What the page and its API do alike: names and files that were looked at become calls of the verbs."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gannet import api
from gannet.runtime.names import whole_stem
from gannet.studio import bounds
from gannet.studio.said import Said
from gannet.studio.settings import Settings

MOST_SAMPLES, MOST_JUDGED = 4096, 50_000
"""That a page draws at once, and that it judges by."""
MOST_SECONDS = 300.0
"""That a page looks for a picture."""
KEPT = "the files to keep"
"""What the page calls the folder of results, which is gone once they are taken."""
FILM = "samples.gif"
"""The one file of a walk from sample to sample."""
FRAMES = "frames"
"""The option of generators that asks for one."""
ALL = "results.zip"
"""The one file of all results, where there are several."""
MANIFEST = "gannet-manifest.jsonl"
"""What tells of each file of a folder whether something was made of it."""
Result = Mapping[str, Path]
"""The files of one result by the names of the model's outputs, what the model is for first."""


@dataclass(frozen=True)
class Made:
    """What came of applying a model.

    Attributes:
        files: to keep, with their marks; of several results first the one file that holds all.
        lines: what is said of them.
        results: the same files, without that one.
    """

    files: tuple[Path, ...]
    lines: tuple[str, ...]
    results: tuple[Result, ...]


@contextmanager
def workplace(settings: Settings) -> Iterator[Path]:
    """Give a folder of its own to some work, which is gone once its results are taken."""
    place = Path(tempfile.mkdtemp(dir=settings.work))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def apply(
    model: str,
    inputs: Mapping[str, Sequence[Path]],
    options: Mapping[str, object],
    place: Path,
    settings: Settings,
    save: Sequence[str] = (),
) -> tuple[Said, Callable[[api.OnProgress, api.ShouldStop], Made]]:
    """Prepare applying a model by its name on the page; what was made before somebody stops it is kept.

    Args:
        inputs: files by the input's name; of the first also archives of some.
        options: the model's own.
        place: where results go.
        save: further outputs that are wanted beside the first, by name.

    Returns:
        how it is said elsewhere, and the call.

    Raises:
        ValueError: there is no such model, or an option is none that the page may take.
    """
    target, asked = bounds.model_named(model, settings), bounds.plain_options(options)
    if isinstance(count := asked.get("num"), int | float) and count > MOST_SAMPLES:
        raise ValueError(f"num={count:,} samples are more than a page draws; ask for at most {MOST_SAMPLES:,}.")
    first, further = _parted(target, inputs)
    frames = asked.get(FRAMES)
    animated = not inputs and isinstance(frames, int) and frames > 1
    out = place / FILM if animated else place / "results"

    def call(tell: api.OnProgress, stopping: api.ShouldStop) -> Made:
        given: dict[str, Any] = {**asked, **further, "save": tuple(save)}
        paths = _unpacked(first, place / "given")
        try:
            applied = api.apply(target, *paths, out=out, should_stop=stopping, on_progress=tell, **given)
            saved, *more = applied.lines()
            lines = [saved if animated else saved.replace(str(out), KEPT), *more]
        except api.Stopped as stopped:
            if not (out.exists() and _files(out)):
                raise
            lines = [str(stopped)]
        return made(target, out, tuple(map(bounds.without_folders, lines)))

    named = {name: Path(str(path)).name for name, path in further.items()}
    also = {"save": list(save)} if save else {}
    said = Said(
        "apply", [target, *(Path(str(path)).name for path in first)], {**named, **asked, **also, "out": out.name}
    )
    return said, call


def _unpacked(files: Sequence[Path], place: Path) -> list[Path]:
    """Give files, and for each archive among them a folder of what it holds."""
    archives = [path for path in files if path.suffix.lower() == ".zip"]
    for path in archives:
        bounds.unpack(path, place / whole_stem(path))
    return [place / whole_stem(path) if path in archives else path for path in files]


def made(target: str, out: Path, lines: tuple[str, ...]) -> Made:
    """Take the results; of several also one archive of all, with what tells of each."""
    files, names = _files(out), list(api.interface(target)["outputs"])
    results = grouped(files, names)
    if len(results) < 2:
        return Made(files, lines, results)
    archive = out.with_name(ALL)
    with zipfile.ZipFile(archive, "w") as packed:
        for path in (*files, *out.glob(MANIFEST)):
            packed.write(path, path.relative_to(out).as_posix())
    return Made((archive, *files), lines, results)


def grouped(files: Sequence[Path], names: Sequence[str]) -> tuple[Result, ...]:
    """Group files by result: a further output lies beside what it belongs to, as `stem.name.ending`.

    Args:
        names: of the outputs, what the model is for first.
    """
    primary, *further = names
    stems = {path.parent / whole_stem(path) for path in files}
    found: dict[Path, dict[str, Path]] = {}
    for path in sorted(files, key=lambda path: len(whole_stem(path))):
        stem = path.parent / whole_stem(path)
        whole = {name: stem.with_name(stem.name.removesuffix(f".{name}")) for name in further}
        of = next((name for name, one in whole.items() if one != stem and one in stems), primary)
        found.setdefault(whole.get(of, stem), {})[of] = path
    return tuple({name: found[stem][name] for name in names if name in found[stem]} for stem in sorted(found))


def _parted(target: str, inputs: Mapping[str, Sequence[Path]]) -> tuple[list[Path], dict[str, Path]]:
    """The files of the first input, and of each further one the file or the folder of several."""
    names = list(api.interface(target)["inputs"])
    if unknown := set(inputs) - set(names):
        raise ValueError(f"{target} has no input {min(unknown)!r}; it has: {', '.join(names) or 'none'}.")
    given = {name: list(inputs[name]) for name in names if inputs.get(name)}
    first = given.pop(names[0], []) if names else []
    return first, {name: files[0] for name, files in given.items()}


def _files(out: Path) -> tuple[Path, ...]:
    """The results, without the manifest that lies beside them."""
    if out.is_file():
        return (out,)
    found = sorted(path for path in out.rglob("*") if path.is_file() and not path.name.startswith("."))
    return tuple(path for path in found if path.name != MANIFEST)


def judge(
    model: str, data: str, options: Mapping[str, object], place: Path, settings: Settings
) -> tuple[Said, Callable[[api.OnProgress, api.ShouldStop], tuple["api.Judgement", Path]]]:
    """Prepare judging a model by its name on the page.

    Args:
        data: a path that was looked at; empty: what the run held out.

    Returns:
        how it is said elsewhere, and the call, which gives what came out and a file of its figures.
    """
    target, asked = bounds.model_named(model, settings), bounds.plain_options(options)
    query = api.JudgeOptions(**asked)
    if query.num > MOST_JUDGED:
        raise ValueError(f"num={query.num:,} samples are more than a page judges by; ask for at most {MOST_JUDGED:,}.")

    def call(tell: api.OnProgress, stopping: api.ShouldStop) -> tuple["api.Judgement", Path]:
        from gannet.runtime.files import write_json  # With torch, which the page is not kept waiting for.

        found = api.judge(target, data, query, should_stop=stopping, on_progress=tell)
        write_json(place / "judgement.json", found.to_json())
        return found, place / "judgement.json"

    return Said("judge", [target, *([data] if data else [])], asked, schema="JudgeOptions"), call


def explore(
    model: str, options: Mapping[str, object], picture: Path | None, out: Path, settings: Settings
) -> tuple[Said, Callable[[api.OnProgress, api.ShouldStop], Made]]:
    """Prepare exploring a model by its name on the page.

    Args:
        options: those of `ExploreOptions`, but for the picture.
        picture: to start from; None: a seed is.
        out: where the pictures go, in a folder of its own.

    Returns:
        how it is said elsewhere, and the call.

    Raises:
        ValueError: there is no such model, or an option is none that the page may take.
    """
    target, asked = bounds.model_named(model, settings), bounds.plain_options(options)
    if "picture" in asked:
        raise ValueError("A picture to start from is uploaded; leave it out of the options.")
    query = api.ExploreOptions(**asked, **({"picture": picture} if picture else {}))
    if query.seconds > MOST_SECONDS:
        raise ValueError(f"seconds={query.seconds:g} are more than a page waits; give at most {MOST_SECONDS:g}.")

    def call(tell: api.OnProgress, stopping: api.ShouldStop) -> Made:
        explored = api.explore(target, out, query, should_stop=stopping, on_progress=tell)
        return made(target, out, tuple(map(bounds.without_folders, explored.lines())))

    named = {"picture": picture.name} if picture else {}
    return Said("explore", [target], {**asked, **named, "out": out.name}, schema="ExploreOptions"), call


def examine(data: str) -> tuple[Said, Callable[[api.OnProgress, api.ShouldStop], "api.Report"]]:
    """Prepare the doctor's look at data, a path that was looked at."""

    def call(tell: api.OnProgress, stopping: api.ShouldStop) -> "api.Report":
        return api.doctor(data, should_stop=stopping, on_progress=tell)

    return Said("doctor", [data]), call


def view(run: str, settings: Settings, language: str = "en") -> "api.View":
    """Give what there is to see of a run by its name."""
    return api.view_run(bounds.run_named(run, settings), language)


def view_json(found: "api.View", trouble: str = "") -> dict[str, Any]:
    """Give what there is to see of a run as plain data."""
    return {
        "run": found.folder.name,
        "task": found.task,
        "training": bool(found.process),
        "images": found.images,
        "total": found.total,
        "finished": found.finished,
        "seconds_left": found.seconds_left,
        "near": found.near,
        "verdict": list(found.verdict),
        "trouble": trouble,
    }
