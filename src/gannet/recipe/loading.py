"""Recipes by name or from files, with changes, and what is said of keys that there are not."""

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from gannet.recipe.sections import USUAL, Recipe
from gannet.runtime.other_names import called_here
from gannet.runtime.plain_data import parse_yaml
from gannet.runtime.plugins import installed, origin, read_packaged
from gannet.schema import check, dotted, nearest, shown

RECIPES, TASKS = "gannet.recipes", "gannet.tasks"
"""Groups of entry points: of recipes, `name = package:file.yaml`, a file in the package's folder; and of tasks."""


ALIASES = {"super-resolution-world": "super-resolution"}
"""What recipes that ship were once called, and are called today: former names are understood for good."""


def preset_names() -> list[str]:
    """Give the recipes that ship with the package."""
    folder = resources.files("gannet") / "recipes"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def is_preset(name: str) -> bool:
    """Tell whether a recipe that ships goes by a name, or did so once."""
    return current_name(name) in preset_names()


def current_name(name: str) -> str:
    """Give the current name of a recipe or model by that, or by a former one."""
    return ALIASES.get(name, name)


def recipe_origins() -> dict[str, str]:
    """Give the recipes that go by a name, each with the third party's package that it ships with; empty for ours."""
    ours = dict.fromkeys(preset_names(), "")
    return {**{name: origin(point) for name, point in installed(RECIPES).items()}, **ours}


def load_recipe(target: str, changes: Mapping[str, object] | None = None) -> Recipe:
    """Load a shipped or installed recipe by name, a third party's task by its own, or a YAML file; apply `changes`.

    Those are dotted key -> value.

    Raises:
        ValueError: no such recipe, an unknown key or a value that is not allowed.
    """
    values = _read_yaml(target)
    changes = _named_alone(changes or {})
    for section, usual in USUAL.items():
        _name_choice(values, section, usual)
        chosen = changes.get(f"{section}.name")
        if chosen is not None and chosen != values[section]["name"]:
            values[section] = {"name": chosen}  # The options of what was chosen before do not belong to it.
    if "stages" in changes and "images" not in changes:
        values.pop("images", None)
    for key, value in changes.items():
        _put(values, key, value)
    _check_names(values)
    return check(Recipe, values)


def _named_alone(changes: Mapping[str, object]) -> dict[str, object]:
    """Let a change be just a name: `network=mlp` is `network.name=mlp`."""
    sections = {*USUAL, "loss"}
    return {f"{key}.name" if key in sections and isinstance(of, str) else key: of for key, of in changes.items()}


def _check_names(values: Mapping[str, Any]) -> None:
    """Refuse keys by which other programs call what is here called otherwise, and name that."""
    own, optimizer = Recipe.model_fields, values.get("optimizer")
    players = optimizer.items() if isinstance(optimizer, dict) else ()
    unknown = {str(key): "" for key in values if key not in own}
    unknown |= {str(key): "optimizer" for key, of in players if not isinstance(of, dict)}
    for key, section in unknown.items():
        if hint := called_here(key, own):
            raise ValueError(f"Unknown key {dotted(section, key)!r}; {hint}")


def _name_choice(values: dict[str, Any], section: str, usual: str) -> None:
    """Let a section be left out, or be just a name: `network: mlp`."""
    given = values.get(section) or {}
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, dict):
        raise ValueError(f"{section} takes a name or keys, as in `{section}: {usual}`; given: {shown(given)}.")
    values[section] = {"name": usual, **given}


def _read_yaml(target: str) -> dict[str, Any]:
    path = Path(target)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise ValueError(f"There is no recipe file {target!r}; `gannet recipes` lists those that ship.")
        content, name = path.read_bytes(), re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-.") or "recipe"
    elif is_preset(target):
        file = resources.files("gannet") / "recipes" / f"{current_name(target)}.yaml"
        content, name = file.read_bytes(), target
    elif target in (theirs := installed(RECIPES)):
        content, name = read_packaged(theirs[target], "recipe"), target
    elif target in installed(TASKS):
        return {"name": target, "task": target}
    else:
        raise ValueError(f"There is no recipe {target!r}; {nearest(target, [*recipe_origins(), *installed(TASKS)])}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{target} is not YAML in UTF-8: {error}.") from None
    values = parse_yaml(text, target)
    if not isinstance(values, dict):
        raise ValueError(f"{target} must hold keys and values, as `gannet train {preset_names()[0]} --dry-run` shows.")
    return {"name": name, **values}


def _put(values: dict[str, Any], key: str, value: object) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        below = values.setdefault(parent, {})
        if below is None:
            below = values[parent] = {}
        if not isinstance(below, dict):
            raise ValueError(f"{key!r} cannot be set: {parent!r} holds a value, not keys.")
        values = below
    values[last] = value


def parse_change(text: str) -> tuple[str, object]:
    """Split `key=value` as given to `--set`; the value is read as YAML."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ValueError(f"--set takes key=value, as in --set batch=32; given: {shown(text)}.")
    try:
        return key, parse_yaml(value, "--set")
    except ValueError:
        return key, value


def dump_yaml(recipe: Recipe) -> str:
    """Give the recipe as YAML text, every key written out."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
