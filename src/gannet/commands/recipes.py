"""The recipes at hand, and every key of one with its type, range, meaning and default, as the schemas state them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter

from gannet.commands.flags import BOUNDS
from gannet.recipe import Recipe, load_recipe, recipe_origins
from gannet.runtime.plugins import find_part
from gannet.schema import Choice, dotted
from gannet.task import Task, find_task

Json = Mapping[str, Any]
WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}
"""What JSON's types are called."""
NEEDED = "needed"
"""Stands for the default of a key that has none."""
PLAYER, PLACE = "<player>", "<number>"
"""What stands for a name that a task chooses, and for the place in a list."""


@dataclass(frozen=True)
class Key:
    """A key of a recipe.

    Attributes:
        name: dotted, as `--set` takes it.
        type: what it may be, with its range, in words.
        about: what it means.
        default: what it is where a recipe does not say; `needed` where it must.
        value: what the recipe says; the default where it does not.
        schema: its JSON schema, of which forms are drawn; references are resolved.
    """

    name: str
    type: str
    about: str
    default: Any
    value: Any
    schema: Json = field(default_factory=dict, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Give plain data, in words."""
        return {name: told for name, told in asdict(self).items() if name != "schema"}

    def lines(self) -> list[str]:
        """Say it in words."""
        other = "" if self.value == self.default else f"; default {written(self.default)}"
        return [f"{self.name}={written(self.value)} · {self.type}{other}", f"    {self.about}"]


def about_recipes() -> dict[str, str]:
    """Say of each recipe that goes by a name what it is for, or why it cannot be used, and whose it is."""
    found = {}
    for name, package in sorted(recipe_origins().items()):
        try:
            about = load_recipe(name).about
        except ValueError as error:
            about = str(error)
        found[name] = f"{about} (of {package})" if package else about
    return found


def written(value: Any) -> str:
    """Give a value as a recipe writes it, in one line."""
    if isinstance(value, str) and value:
        return value
    return json.dumps(value, ensure_ascii=False)


def recipe_keys(target: str, changes: Mapping[str, object] | None = None) -> list[Key]:
    """List the keys that a recipe understands, with what it says: those of its task, data and networks among them.

    Args:
        target: a recipe's name or a YAML file.
        changes: to it, by dotted keys.

    Raises:
        ValueError: there is no such recipe, or one of its keys, or a change, is wrong.
    """
    recipe = load_recipe(target, changes)
    task, said, whole = find_task(recipe.task.name), recipe.model_dump(mode="json"), schema_of(Recipe)
    found = []
    for name, node in whole["properties"].items():
        found += schema_keys({**whole, "properties": {name: node}}, said)
        found += schema_keys(_chosen(name, recipe, task), said[name], name)
    return found


def _chosen(name: str, recipe: Recipe, task: Task) -> Json:
    """The schema of those keys of a section that depend on the task, or on what is chosen by name."""
    if name in {"task", "data"}:
        return schema_of(task.Config if name == "task" else task.Data)
    section, own = getattr(recipe, name), getattr(task, "choices", {}).get(name, {})
    if not (isinstance(section, Choice) and own):
        return {}
    return schema_of(find_part(section.name, own, f"gannet.{name}s", name))


def schema_of(kind: Any) -> Json:
    """Give the JSON schema of a pydantic model or a dataclass."""
    found: Json = TypeAdapter(kind).json_schema()
    return found


def schema_keys(schema: Json, said: Any = None, section: str = "") -> list[Key]:
    """List the keys of a JSON schema, and those below them.

    Args:
        said: the values that are known, nested as the keys are.
        section: what all of them stand under.
    """
    return list(_below(schema, schema, said, section))


def _below(node: Json, root: Json, said: Any, section: str, about: str = "") -> Iterator[Key]:
    """The keys below a node that holds some; one that says nothing of itself is told by what names its section."""
    values, defaults = (of if isinstance(of, Mapping) else {} for of in (said, node.get("default")))
    usual = {name: {"default": defaults[name]} for name in defaults}
    for name, key in node.get("properties", {}).items():
        told = {"description": about, **key, **usual.get(name, {})}
        yield from _key(told, root, values.get(name, told.get("default", NEEDED)), dotted(section, name))


def _key(node: Json, root: Json, value: Any, name: str) -> Iterator[Key]:
    """A key, and those below it; what is but a section of others has no line of its own."""
    branches = [_resolved(branch, root) for branch in node.get("anyOf", [node])]
    free, listed = (
        [_resolved(branch[of], root) for branch in branches if _holds(branch.get(of))]
        for of in ("additionalProperties", "items")
    )
    about = " ".join(node["description"].split())
    if not (free or all("properties" in branch for branch in branches)):
        resolved = {**_resolved(node, root), **({"anyOf": branches} if "anyOf" in node else {})}
        yield Key(name, _type(node, root), about, node.get("default", NEEDED), value, resolved)
    for branch in branches:
        yield from _below(branch, root, value, name, about)
    for branch in free:
        for player, said in (value if value and isinstance(value, Mapping) else {PLAYER: {}}).items():
            yield from _below(branch, root, said, dotted(name, player))
    for branch in listed:
        yield from _below(branch, root, {}, dotted(name, PLACE))


def _holds(node: Any) -> bool:
    """Tell whether a node is a section of keys, which another only refers to."""
    return isinstance(node, Mapping) and "$ref" in node


def _resolved(node: Json, root: Json) -> dict[str, Any]:
    """A node with what it refers to; what it says itself comes first."""
    plain = dict(node)
    reference = plain.pop("$ref", None)
    return {**root["$defs"][reference.rsplit("/", 1)[1]], **plain} if reference else plain


def _type(node: Json, root: Json) -> str:
    """What a key may be, with its range, in words."""
    node = _resolved(node, root)
    if "anyOf" in node:
        return " or ".join(_type(branch, root) for branch in node["anyOf"])
    if "enum" in node or "const" in node:
        return " or ".join(map(written, node.get("enum", [node.get("const")])))
    if "prefixItems" in node:
        return f"[{', '.join(_type(item, root) for item in node['prefixItems'])}]"
    if node.get("type") == "array":
        return f"list of {_type(node.get('items', {'type': 'string'}), root)}"
    if node.get("type") == "object":
        of = node.get("additionalProperties")
        return f"names, each with a {_type(of, root)}" if isinstance(of, Mapping) else "keys"
    bounds = [said.format(node[key]) for key, said in BOUNDS.items() if key in node]
    return WORDS.get(node.get("type", ""), "anything") + (f" ({', '.join(bounds)})" if bounds else "")
