"""Forms out of JSON schemas: what a schema says of a key once, the page shows beside its field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gannet import api
from gannet.studio.translation import translate

Json = Mapping[str, Any]
NUMBERS = {"integer", "number"}
WIDEST_SLIDER = 10_000
"""Steps of a slider; what has more is typed."""
STEPS = 100
"""Of a slider between two numbers."""
UNKNOWN_DEFAULTS = ("needed", None)


@dataclass(frozen=True)
class Form:
    """The fields of a schema's keys.

    Attributes:
        keys: each key's own schema, by name; `default` is what its field shows.
    """

    keys: Mapping[str, Json]

    @classmethod
    def of_schema(cls, schema: Json) -> "Form":
        """Give the form of a pydantic model's JSON schema: its keys that are numbers, words or choices.

        Those that name a file are left out, for the page opens none by its name.
        """
        keys = {name: _plain(node, schema) for name, node in schema.get("properties", {}).items()}
        return cls({name: node for name, node in keys.items() if _kind(node) != "structure" and not _is_file(node)})

    @classmethod
    def of_recipe(cls, keys: "Sequence[api.Key]") -> "Form":
        """Give the form of a recipe's keys, filled in with what it says; lists and sections are written as YAML."""
        return cls(
            {key.name: {**_plain(key.schema, {}), "description": key.about, "default": key.value} for key in keys}
        )

    def sections(self) -> dict[str, "Form"]:
        """Part the form by what stands before the first dot; keys without one are under ''."""
        parts: dict[str, dict[str, Json]] = {}
        for name, node in self.keys.items():
            parts.setdefault(name.split(".")[0] if "." in name else "", {})[name] = node
        return {name: Form(nodes) for name, nodes in parts.items()}

    def parted(self, names: Sequence[str]) -> tuple["Form", "Form"]:
        """Part the form into the keys of these names, in their order, and all others."""
        some = {name: self.keys[name] for name in names if name in self.keys}
        return Form(some), Form({name: node for name, node in self.keys.items() if name not in some})

    def draw(self, language: str = "en") -> list[Any]:
        """Draw a field for each key, within the page that is being built."""
        return [_field(name, node, language) for name, node in self.keys.items()]

    def changed(self, values: Sequence[object]) -> dict[str, object]:
        """Give what was changed, by name; what is empty or as it was is left out.

        Raises:
            ValueError: what was typed is not readable as a value.
        """
        told = zip(self.keys.items(), values, strict=True)
        found = ((name, _read(name, node, value), node) for (name, node), value in told)
        return {name: value for name, value, node in found if not _same(value, node.get("default"))}


def _plain(node: Json, root: Json) -> dict[str, Any]:
    """A key's schema with its references followed and its branches but null laid together."""
    plain = dict(node)
    for reference in [plain.pop("$ref", None), *(part.get("$ref") for part in plain.pop("allOf", []))]:
        if reference:
            plain = {**root.get("$defs", {}).get(reference.rsplit("/", 1)[1], {}), **plain}
    branches = [_plain(branch, root) for branch in plain.pop("anyOf", [])]
    some = [branch for branch in branches if branch.get("type") != "null"]
    if len(some) == 1:
        return {**some[0], **plain, "empty": len(branches) > 1}
    if some:
        kinds = {_kind(branch) for branch in some}
        plain["type"] = "string" if "structure" not in kinds else "object"
        plain["mixed"] = True
    return plain


def _is_file(node: Json) -> bool:
    """Tell whether a key names a file: by its format or, in models from before it was said, by what it means."""
    return node.get("format") == "file-path" or str(node.get("description", "")).startswith("A file ")


def _kind(node: Json) -> str:
    """What field a key has: choice, boolean, number, string or structure."""
    if "enum" in node or "const" in node:
        return "choice"
    kind = node.get("type")
    return "number" if kind in NUMBERS else kind if kind in {"boolean", "string"} else "structure"


def _field(name: str, node: Json, language: str) -> Any:
    """A field with its name, what it means, and its value."""
    # Said outright: of fields that are drawn anew gradio takes some for results, which nobody may change.
    about = translate(language, _about(node))
    words: dict[str, Any] = {"label": name.replace("_", " "), "info": about, "interactive": True}
    value = None if node.get("default") in UNKNOWN_DEFAULTS else node.get("default")
    kind = _kind(node)
    if kind == "choice":
        choices = list(node.get("enum", [node.get("const")]))
        return gr.Dropdown(choices if value is not None else [("—", ""), *choices], value=value or "", **words)
    if kind == "boolean":
        return gr.Checkbox(bool(value), **words)
    if kind == "number" and not node.get("mixed") and not node.get("empty"):
        return _number(node, value, words)
    if kind == "string" and node.get("examples") and isinstance(value, str | None):
        return gr.Dropdown(["", *map(str, node["examples"])], value=value or "", allow_custom_value=True, **words)
    return gr.Textbox(_shown(value), max_lines=4, **words)


def _number(node: Json, value: Any, words: dict[str, Any]) -> Any:
    """A slider where both ends are known and it is not to be left empty, else a number to type."""
    whole, low, high = node["type"] == "integer", node.get("minimum"), node.get("maximum")
    if isinstance(value, int | float) and low is not None and high is not None and high - low <= WIDEST_SLIDER:
        return gr.Slider(low, high, value=value, step=1 if whole else (high - low) / STEPS, **words)
    if not isinstance(value, int | float | None):  # A word such as `auto` stands in for a number.
        return gr.Textbox(_shown(value), **words)
    return gr.Number(value, precision=0 if whole else None, minimum=low, maximum=high, **words)


def _about(node: Json) -> str:
    """The first paragraph of what a key means."""
    return " ".join(str(node.get("description", "")).strip().split("\n\n")[0].split())


def _shown(value: Any) -> str:
    """A value as it is typed."""
    import json

    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _read(name: str, node: Json, value: object) -> object:
    """What a field holds: of words that are no text, what they say as YAML."""
    if value == "" or value is None:
        return None
    if isinstance(value, str) and (_kind(node) in {"structure", "number"} or node.get("mixed")):
        return api.parse_change(f"{name}={value}")[1]
    return int(value) if isinstance(value, float) and node.get("type") == "integer" and value.is_integer() else value


def _same(value: object, default: object) -> bool:
    """Tell whether a value is the default, or none where that is empty."""
    nothing = ("", None, "needed")
    if value in nothing:
        return True
    return value == default or (isinstance(default, tuple) and value == list(default))
