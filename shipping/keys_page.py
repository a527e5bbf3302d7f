"""Write docs/keys.md: every key of every recipe, and every flag of every command, as the schemas state them.

    python shipping/keys_page.py

The tests compare what it writes with what lies there, so whoever adds a key or a flag runs it.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import typer
from typer.models import OptionInfo

from gannet.cli import app
from gannet.commands.flags import flag_of
from gannet.commands.model_command import COMMON
from gannet.commands.recipes import NEEDED, WORDS, Key, schema_keys, schema_of, written
from gannet.recipe import Recipe, load_recipe, preset_names
from gannet.schema import dotted
from gannet.task import Task, find_task, task_names

PAGE = Path(__file__).parents[1] / "docs" / "keys.md"
OPENING = """# Keys and flags

Every key of a recipe, with what it may be, what it means, and what it is where a recipe does not say; then what the
recipes say, and the flags of every command. `gannet recipes NAME` tells the same of one recipe, and `gannet help VERB`
of one command. `<player>` and `<number>` stand for a network that plays and for a place in a list. `gannet train` takes
keys by `--set network.width=32`, in Python `set={"network.width": 32}`.

This page is written by `python shipping/keys_page.py`.
"""
OF_MEDIA = {
    "pictures": "generation",
    "clips": "video-generation",
    "scans": "volume-generation",
    "texts": "text-restoration",
}
"""Media whose keys of `data` differ, each with a task that has them."""
TYPES = {int: "whole number", str: "text", bool: "flag", list[str] | None: "text, repeatable"}
"""What the types of a function's parameters are called."""
Row = tuple[str, str, str, str]


def page() -> str:
    """All of it."""
    return "\n".join([OPENING, *_recipe_part(), *_chosen_part(), *_presets_part(), *_commands_part(), *_models_part()])


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, ("---",) * 4, *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _keys(keys: Iterable[Key]) -> str:
    rows = ((f"`{key.name}`", key.type, key.about, f"`{written(key.default)}`") for key in keys)
    return _table(("key", "type and range", "meaning", "default"), rows)


def own_tasks() -> dict[str, Task]:
    """The tasks that ship, and none of those that happen to be installed."""
    return {name: find_task(name) for name, module in sorted(task_names().items()) if module.startswith("gannet.")}


def own_keys() -> list[Key]:
    """The keys that every recipe has."""
    return schema_keys(schema_of(Recipe))


def chosen_keys() -> dict[str, list[Key]]:
    """The keys that depend on the task, or on what is chosen by name; by heading."""
    found, tasks = dict[str, list[Key]](), own_tasks()
    for name, task in tasks.items():
        found[f"`task.name={name}`"] = schema_keys(task.Config.model_json_schema(), section="task")
    for what, name in OF_MEDIA.items():
        found[f"`data`, of {what}"] = schema_keys(tasks[name].Data.model_json_schema(), section="data")
    told = {tasks[name].Data for name in OF_MEDIA.values()}
    assert {task.Data for task in tasks.values()} == told, "another medium's keys want a heading of their own"
    for section in ("network", "augment"):
        offered = [getattr(task, "choices", {}).get(section, {}) for task in tasks.values()]
        for name, kind in sorted({name: kind for some in offered for name, kind in some.items()}.items()):
            found[f"`{section}.name={name}`"] = schema_keys(schema_of(kind), section=section)
    return found


def model_options() -> dict[str, list[Key]]:
    """What models of each task may be asked, by heading."""
    return {name: schema_keys(task.pipeline_class.Options.model_json_schema()) for name, task in own_tasks().items()}


def flags() -> dict[str, list[Row]]:
    """The words and flags of every command, by its name: those of its function, then those of its schema."""
    found = {}
    for command in app.registered_commands:
        assert command.callback
        name = command.name or command.callback.__name__
        schema: Any = {"apply": lambda: {"properties": COMMON}}.get(name, getattr(command.cls, "schema", dict))
        found[name] = [*_own_flags(command.callback), *_schema_flags(schema())]
    return found


def _own_flags(function: Callable[..., Any]) -> Iterator[Row]:
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.annotation is not typer.Context:
            of, told = get_args(parameter.annotation)
            said = [str(word) for word in (told.default, *(told.param_decls or ())) if str(word).startswith("--")]
            named = f"`{', '.join(said) or f'--{name}'}`" if isinstance(told, OptionInfo) else name.upper()
            default = f"`{parameter.default}`" if parameter.default not in (None, "", False, parameter.empty) else ""
            yield named, TYPES[of], told.help or "", default


def _schema_flags(schema: dict[str, Any]) -> Iterator[Row]:
    nodes = schema.get("properties", {})
    for key in schema_keys(schema):
        default = "" if key.default in ("", None, False, NEEDED) else f"`{written(key.default)}`"
        kind = "flag" if key.type == WORDS["boolean"] else key.type
        yield f"`{flag_of(key.name, nodes[key.name])}`", kind, key.about, default


def _recipe_part() -> Iterator[str]:
    yield "## Keys of every recipe\n"
    yield _keys(own_keys())


def _chosen_part() -> Iterator[str]:
    yield "## Keys by what is chosen\n"
    for heading, keys in chosen_keys().items():
        yield f"### {heading}\n"
        yield _keys(keys) if keys else "No further keys.\n"


def _presets_part() -> Iterator[str]:
    yield "## What each recipe says\n"
    for name in preset_names():
        recipe = load_recipe(name)
        yield f"### `{name}`\n\n{recipe.about}\n"
        said = recipe.model_dump(mode="json", exclude_unset=True, exclude={"name", "about"})
        yield "\n".join(f"- `{key}={written(value)}`" for key, value in _flat(said)) + "\n"


def _flat(said: dict[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    """Values by their whole names."""
    for key, value in said.items():
        whole = dotted(section, key)
        yield from _flat(value, whole) if isinstance(value, dict) and value else [(whole, value)]


def _commands_part() -> Iterator[str]:
    yield "## Commands\n"
    for name, rows in flags().items():
        yield f"### `gannet {name}`\n"
        yield _table(("word or flag", "type and range", "meaning", "default"), rows)


def _models_part() -> Iterator[str]:
    yield "## What models may be asked\n"
    yield "Each is a flag of `gannet apply MODEL` (`some_name` is `--some-name`) and a keyword in Python.\n"
    for name, keys in model_options().items():
        yield f"### Models for {name}\n"
        yield _keys(keys) if keys else "Nothing.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
