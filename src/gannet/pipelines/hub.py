"""Finding and loading models: by path, by the name of a shipped one, or from a hub."""

import os
import re
from contextlib import suppress
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gannet.pipelines.keeping import keeper, stamp_of
from gannet.runtime.addresses import Address
from gannet.runtime.digests import digest
from gannet.runtime.plain_data import Json, read_json
from gannet.runtime.wording import reason
from gannet.schema import Section, alike, check

if TYPE_CHECKING:
    from gannet.pipelines.pipeline import Pipeline

CONFIG, FORMAT = "config.json", 1
OF_TASKS = {"text-restoration": "lost-words"}
"""Tasks whose name stands for a model that is called otherwise; recipes go by these names, too."""
LEARNED_FROM = "learned_from.json"
"""What a model learned from, in numbers, beside it where its task keeps any."""
CORPORA = "corpora.xz"
"""The lines that a restorer of texts learned from, where it keeps them."""
PACKAGE = Path(__file__).parents[1]
SHIPPED = PACKAGE / "models"
RESEARCH = PACKAGE.parents[1] / "models-research"
"""Of a checkout: models of data whose licences keep them out of the package."""
LARGEST = {CONFIG: 2**24, LEARNED_FROM: 2**24, CORPORA: 2**26, "*.safetensors": 2**32, "README.md": 2**24}
"""What is fetched of a model, and how many bytes of each at most: a generator has a few hundred megabytes, and what
lies on a hub may fill a disk.
"""
NETWORKS = (".safetensors", ".pth", ".pt", ".ckpt")
"""The endings of files of weights that others share networks as."""
PATIENCE = 20
"""Seconds that a hub may take to answer before what was fetched earlier is used."""
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class InputTold(Section):
    """What `config.json` tells of an input."""

    medium: str
    what: str
    about: str
    required: bool
    many: bool
    endings: tuple[str, ...] = ()


class Interface(Section):
    """What `config.json` tells of what a model is given, makes, and may be asked (a JSON schema)."""

    inputs: dict[Name, InputTold]
    outputs: dict[Name, str]
    always: tuple[str, ...] = ()
    options: dict[str, Any]


class Saved(Section):
    """What `config.json` holds, sealed: the format, what rebuilds the pipeline, and what it is given."""

    gannet: int
    task: str
    name: str
    config: dict[str, Any]
    interface: Interface | None = None


def load(target: str | Path, weights: str = "model") -> "Pipeline":
    """Load a model for use: a run, a model's folder, a shipped one's name, `hf:owner/name[@revision]`, or a file.

    A file holds the weights of a community network.

    Args:
        weights: `model` for the last, `best` for the best judged, or the name of a stage or an average.

    Raises:
        ValueError: nothing is there, or it is damaged; one sentence.
    """
    if not is_network(target):
        return load_trained(target, weights)
    from gannet.pipelines.community import load_network

    if weights != "model":
        raise ValueError(f"{target} is one file of weights, so there are none called {weights!r}; leave weights out.")
    return load_network(Path(target))


def load_trained(target: str | Path, weights: str = "model") -> "Pipeline":
    """Load a model that Gannet trained, as `load` does; ValueError for a community network, which is only applied."""
    from gannet.task import find_task

    if is_network(target):
        raise ValueError(f"{target} is not a model that Gannet trained; networks of others are applied, and no more.")
    folder = model_folder(str(target))
    if kept := keeper.find(folder, weights):
        return kept
    stamp = stamp_of(folder)
    loaded = find_task(read_config(folder)["task"]).pipeline_class.from_pretrained(folder, weights)
    keeper.keep(folder, weights, stamp, loaded)
    return loaded


def interface(target: str | Path) -> Json:
    """Describe a model's inputs, outputs and options by its `config.json` alone; see `Pipeline.interface`."""
    told = None if is_network(target) else read_config(_config_folder(target))["interface"]
    # What was saved before there were any tells it by its task.
    return untrained(target).interface() if told is None else dict(told)


def untrained(target: str | Path) -> "Pipeline":
    """Build a model's pipeline by its `config.json` alone: it knows what it is given, makes and may be asked.

    A community network has none, and tells it by its weights.
    """
    from gannet.task import find_task

    if is_network(target):
        from gannet.pipelines.community import network_told

        return network_told(Path(target))
    folder = _config_folder(target)
    if kept := keeper.find(folder, "model"):  # It knows that as well.
        return kept
    return find_task(read_config(folder)["task"]).pipeline_class.untrained(folder)


def is_network(target: str | Path) -> bool:
    """Tell the file of a community network by its ending."""
    return Path(target).suffix.lower() in NETWORKS and Path(target).is_file()


def _config_folder(target: str | Path) -> Path:
    place = str(target)
    return fetch(place, (CONFIG,)) if place.startswith("hf:") else model_folder(place)


def model_folder(target: str) -> Path:
    """Find where a model's files lie: an existing path comes first, then a shipped model, then a hub.

    `name` is the newest version of a known model, `name-v1` that one.
    """
    if target.startswith("hf:"):
        return fetch(target)
    folder = Path(target)
    shipped = None if folder.exists() else _newest(target)
    if shipped:
        return shipped
    if not folder.is_dir():
        if folder.suffix.lower() in NETWORKS:
            raise ValueError(f"There is no file at {target}; give the file of a network.")
        from gannet.recipe import is_preset

        if is_preset(target):
            raise ValueError(
                f"{target} is a recipe, and no model of it comes with Gannet; make one (gannet train {target}), and "
                "give the folder that it wrote."
            )
        raise ValueError(
            f"There is no run or model at {target!r}; {_hint(target)}give the folder that `gannet train` wrote"
            f"{_shipped_names()}."
        )
    run = folder.resolve().parent if folder.name == "model" else folder
    if (run / "recipe.yaml").is_file() and not has_learned(run):
        raise ValueError(f"{target} has not learned yet; {goes_on(run)}")
    return folder / "model" if (folder / "model").is_dir() else folder


def has_learned(run: Path) -> bool:
    """Tell whether a run has a model that has seen a sample; where its checkpoints were taken away it is thought to."""
    state, log = run / "state", run / "log.jsonl"
    further = any(path.stem.isdigit() and int(path.stem) for path in state.glob("*.safetensors"))
    logged = log.is_file() and log.stat().st_size > 0
    return (run / "model").is_dir() and (further or logged or not state.is_dir())


def goes_on(run: Path) -> str:
    """Say how to go on with a run."""
    return f"go on with: gannet train --resume {run}"


def shipped_models() -> dict[str, Path]:
    """List the models that come with Gannet, by their full name."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob(f"*/{CONFIG}"))}


def known_models() -> dict[str, Path]:
    """List the models known by name: those that come with Gannet, those in the folders of $GANNET_MODELS, and those of
    a checkout that are for research.

    Each folder is a model's own or holds such folders.
    """
    places = [Path(place) for place in os.environ.get("GANNET_MODELS", "").split(os.pathsep) if place]
    if RESEARCH.with_name("pyproject.toml").is_file():  # Else it lies beside an installed package, and is another's.
        places.append(RESEARCH)
    found = [file.parent for place in places for file in sorted([*place.glob(CONFIG), *place.glob(f"*/{CONFIG}")])]
    return {**{folder.resolve().name: folder for folder in reversed(found)}, **shipped_models()}


def _newest(name: str) -> Path | None:
    from gannet.recipe import current_name

    known, name = known_models(), current_name(name)
    versions = {
        int(found[1]): folder
        for full, folder in known.items()
        if (found := re.fullmatch(rf"{re.escape(name)}-v(\d+)", full))
    }
    folder = known.get(name) or (versions[max(versions)] if versions else None)
    return _newest(OF_TASKS[name]) if folder is None and name in OF_TASKS else folder


def _hint(target: str) -> str:
    names = {short for full in known_models() for short in (full, full.rpartition("-v")[0])}
    near = alike(target, names, least=0.6)
    return f"did you mean {near!r}? Else " if near else ""


def _shipped_names() -> str:
    names = ", ".join(known_models())
    return f", or a shipped model ({names})" if names else ""


def absolute(place: str, kind: Literal["model", "dataset"] = "dataset") -> str:
    """Give the full path of what exists, and of a hub the commit.

    A name of something else is as it is.
    """
    if place and Path(place).exists():
        return str(Path(place).resolve())
    return _at_commit(place, kind) if place.startswith("hf:") else place


def _at_commit(address: str, kind: str) -> str:
    """The commit that an address on a hub stands for now, so that it stands for the same for good.

    As it is where the hub cannot be asked: whoever opens it says what is wrong.
    """
    from huggingface_hub import HfApi

    asked = Address.of(address)
    if asked.is_fixed:
        return address
    try:
        found = (
            fetch(address).name if kind == "model" else HfApi().dataset_info(asked.name, revision=asked.revision).sha
        )
    except Exception:  # No network, a missing or private name raise anything.
        return address
    fixed = Address(asked.name, found)
    return str(fixed) if fixed.is_fixed else address


def read_config(folder: Path) -> dict[str, Any]:
    """Read and verify `config.json`; ValueError when it is missing, damaged or of a newer format."""
    path = folder / CONFIG
    if not path.is_file():
        raise ValueError(f"There is no model in {folder}: it has no {CONFIG}.")
    config = read_sealed(path)
    if config.get("gannet") != FORMAT:
        raise ValueError(f"{path} is of format {config.get('gannet')}, this Gannet reads {FORMAT}; update Gannet.")
    return check(Saved, config, str(path)).model_dump()


def fetch(address: str, wanted: tuple[str, ...] = tuple(LARGEST)) -> Path:
    """Download `hf:owner/name[@revision]` from a hub: plain files only; returns the folder, which its commit names.

    Where the hub cannot be asked, what was fetched earlier is enough.

    Raises:
        ValueError: it is not there, or larger than `LARGEST` allows; one sentence.
    """
    from huggingface_hub import HfApi, snapshot_download

    asked = Address.of(address)
    download = partial(snapshot_download, asked.name, allow_patterns=list(wanted))
    try:
        known = HfApi().model_info(asked.name, revision=asked.revision, files_metadata=True, timeout=PATIENCE)
    except Exception as error:  # What a server answers may make the client raise anything.
        with suppress(Exception):
            return Path(download(revision=asked.revision, local_files_only=True))
        raise _not_fetched(address, error) from None
    sizes = {file.rfilename: file.size for file in known.siblings or ()}
    for pattern in wanted:
        _refuse_large(address, pattern, [size for file, size in sizes.items() if fnmatch(file, pattern)])
    try:
        folder = Path(download(revision=known.sha))  # Of a later commit the sizes are not known.
    except Exception as error:
        raise _not_fetched(address, error) from None
    _remember(folder, asked)
    return folder


def _remember(folder: Path, asked: Address) -> None:
    """Note in the cache of hubs which commit a name stood for, as the client does when it is not asked for a commit.

    So what was fetched is found by its name where the hub cannot be asked.
    """
    from gannet.runtime.files import is_inside, write_text

    names, revision = folder.parents[1] / "refs", asked.revision or "main"
    if asked.is_fixed or folder.parent.name != "snapshots" or not is_inside(revision):
        return
    with suppress(OSError, ValueError):  # Another user's cache is still of use.
        (names / revision).parent.mkdir(parents=True, exist_ok=True)
        write_text(names / revision, folder.name)


def _refuse_large(address: str, files: str, sizes: list[int | None]) -> None:
    """Raise ValueError where files of those sizes (None: the hub does not say) are more than is fetched unasked."""
    total, most = sum(size or 0 for size in sizes), LARGEST[files]
    if total > most or None in sizes:
        told = "of a size that the hub does not say" if None in sizes else f"of {total / 2**20:,.0f} MiB"
        raise ValueError(
            f"{address} has {files} {told}, and at most {most / 2**20:,.0f} MiB are fetched; if you trust it, run "
            f"`hf download {Address.of(address).name} --local-dir FOLDER`, and give that folder."
        )


def _not_fetched(address: str, error: Exception) -> ValueError:
    return ValueError(f"{address} could not be fetched: {reason(error)}")


def seal(facts: dict[str, Any]) -> dict[str, Any]:
    """Add the digest of it all."""
    return {**facts, "digest": digest(facts)}


def read_sealed(path: Path) -> dict[str, Any]:
    """Read what was sealed, without its digest; ValueError where it is damaged or of somebody else."""
    try:
        facts = read_json(path)
        whole = facts.pop("digest") == digest(facts)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise ValueError(f"{path} is damaged or was not written by Gannet; nothing was loaded.")
    return dict(facts)
