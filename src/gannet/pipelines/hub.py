"""Finding and loading models: by path, by the name of a shipped one, or from a hub."""

import os
import re
from difflib import get_close_matches
from pathlib import Path

from gannet.pipelines.pipeline import CONFIG, Pipeline, fetch

PACKAGE = Path(__file__).parents[1]
SHIPPED, RECIPES = PACKAGE / "models", PACKAGE / "recipes"


def load(target: str | Path, weights: str = "model") -> Pipeline:
    """Load a model for use: a run, a model's folder, a shipped model's name, or `hf:owner/name`.

    Args:
        weights: `model` for the last, `best` for the best judged, or a stage's name.

    Raises:
        ValueError: nothing is there, or it is damaged; one sentence.
    """
    return Pipeline.from_pretrained(model_folder(str(target)), weights)


def model_folder(target: str) -> Path:
    """Where a model's files lie: an existing path comes first, then a shipped model, then a hub.

    `name` is the newest version of a shipped model or of one in $GANNET_MODELS, `name-v1` that one.
    """
    if target.startswith("hf:"):
        return fetch(target)
    folder = Path(target)
    shipped = None if folder.exists() else _newest(target)
    if shipped:
        return shipped
    if not folder.is_dir():
        if target in {file.stem for file in RECIPES.glob("*.yaml")}:
            raise ValueError(
                f"{target} is a recipe, and no model of it comes with Gannet; make one (gannet train {target}), and "
                "give the folder that it wrote."
            )
        raise ValueError(
            f"There is no run or model at {target!r}; {_hint(target)}give the folder that `gannet train` wrote"
            f"{_shipped_names()}."
        )
    if (folder / "recipe.yaml").is_file() and not (folder / "model").is_dir():
        raise ValueError(f"{target} has no model yet: it was stopped before its first checkpoint.")
    return folder / "model" if (folder / "model").is_dir() else folder


def shipped_models() -> dict[str, Path]:
    """The models that come with Gannet, by their full name."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob(f"*/{CONFIG}"))}


def known_models() -> dict[str, Path]:
    """The models that are known by name: those that come with Gannet, then those in the folders of $GANNET_MODELS.

    Each folder is a model's own or holds such folders.
    """
    places = [Path(place) for place in os.environ.get("GANNET_MODELS", "").split(os.pathsep) if place]
    found = [file.parent for place in places for file in sorted([*place.glob(CONFIG), *place.glob(f"*/{CONFIG}")])]
    return {**{folder.resolve().name: folder for folder in reversed(found)}, **shipped_models()}


def _newest(name: str) -> Path | None:
    known = known_models()
    versions = {
        int(found[1]): folder
        for full, folder in known.items()
        if (found := re.fullmatch(rf"{re.escape(name)}-v(\d+)", full))
    }
    return known.get(name) or (versions[max(versions)] if versions else None)


def _hint(target: str) -> str:
    names = {short for full in known_models() for short in (full, full.rpartition("-v")[0])}
    alike = get_close_matches(target, sorted(names), n=1)
    return f"did you mean {alike[0]!r}? Else " if alike else ""


def _shipped_names() -> str:
    names = ", ".join(known_models())
    return f", or a shipped model ({names})" if names else ""


def absolute(place: str) -> str:
    """The full path of what exists; a name of something else as it is. So a folder comes before an embedded set."""
    return str(Path(place).resolve()) if place and Path(place).exists() else place
