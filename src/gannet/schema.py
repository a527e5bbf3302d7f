"""Schemas: plain data that are frozen and checked; what is wrong with them is said in one sentence."""

import contextlib
import difflib
import re
import reprlib
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

Schema = TypeVar("Schema")
_building = threading.Lock()
_adapters: dict[Any, TypeAdapter[Any]] = {}


def whole(value: Any) -> Any:
    """Take 1e6 and "1e6", which YAML does not read as integers, for the whole numbers they are."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        if not isinstance(value, bool | int) and float(value).is_integer():
            return int(float(value))
    return value


class FrozenDict(dict[str, Any]):
    """A dict that cannot be changed, for the sections of a frozen recipe."""

    def __setitem__(self, key: str, value: Any) -> None:
        raise TypeError("a recipe is frozen; use model_copy")

    __delitem__ = __setitem__  # type: ignore[assignment]


def pattern(text: str) -> str:
    """Take a regular expression with a group, whose match tells one from another."""
    try:
        groups = re.compile(text).groups
    except (re.error, RecursionError, OverflowError, MemoryError) as error:
        raise ValueError(f"{shown(text)} is not a regular expression that can be used ({error})") from None
    if text and not groups:
        raise ValueError(f"{text!r} has no group; put round brackets about what tells one person from another")
    return text


Positive = Annotated[int, Field(ge=1), BeforeValidator(whole)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Pattern = Annotated[str, AfterValidator(pattern)]


def formerly(values: Mapping[str, str]) -> BeforeValidator:
    """Let a field still take the words that its values were once called by: former word -> word of today."""
    return BeforeValidator(lambda given: values.get(given, given) if isinstance(given, str) else given)


STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)
"""What dataclasses that a recipe chooses by name state as `__pydantic_config__`: unknown keys are errors, and attribute
docstrings describe the others."""


class Section(BaseModel):
    """Frozen plain data whose unknown keys are errors; attribute docstrings describe the keys.

    Attributes:
        former_names: what keys were once called -> what they are called today. Old runs and models keep the former
            names and are read for good; what is written has today's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    former_names: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        # Of two spellings the last one counts: a change is put behind what it changes.
        return {cls.former_names.get(key, key): value for key, value in values.items()}


class Options(Section):
    """What is asked of a verb: its JSON schema draws a form and names the flags of the command line.

    What is wrong with it is one sentence, however it is made. A property may name its flag: `flag` in the schema.
    """

    if not TYPE_CHECKING:

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise ValueError(_asked_wrongly(error, type(self))) from None


class Choice(BaseModel):
    """A thing chosen by `name`; its other keys are checked against the schema of what is chosen."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Every key but the name."""
        return dict(self.model_extra or {})


def shown(value: Any) -> str:
    """Give a value as it is written, shortened where it is long or deep."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = 80
    short.maxlevel = 3
    return short.repr(value)


def nearest(word: str, allowed: Iterable[str], section: str = "") -> str:
    """Give a hint naming the allowed word most like `word`, or all of them when none is alike.

    Args:
        section: what the words stand under in a recipe; the one that is named is named in full.
    """
    names = sorted(allowed)
    if not names:
        return "none is allowed here."
    near = alike(word, names)
    if not near:
        return f"allowed: {', '.join(names)}."
    return f"did you mean {dotted(section, near)!r}?"


def dotted(*steps: str) -> str:
    """Join the steps of a key, of which some may be empty."""
    return ".".join(step for step in steps if step)


def alike(word: str, allowed: Iterable[str], least: float = 0.5) -> str | None:
    """Give the one of `allowed` that is most like a word; None where none is, on a scale from 0 to 1."""
    return next(iter(difflib.get_close_matches(word, sorted(allowed), n=1, cutoff=least)), None)


def known_keys(given: Iterable[str], allowed: Iterable[str], section: str) -> None:
    """Refuse a key of a recipe's section that is none of those allowed, by its whole name; ValueError."""
    allowed = list(allowed)
    if unknown := set(given) - set(allowed):
        raise ValueError(f"Unknown key '{section}.{min(unknown)}'; {nearest(min(unknown), allowed, section)}")


def choose(word: str, table: Mapping[str, Schema], what: str) -> Schema:
    """Look `word` up in `table`; a ValueError names the nearest entry when it is not there."""
    if word not in table:
        raise ValueError(f"There is no {what} {word!r}; {nearest(word, table)}")
    return table[word]


def check(schema: type[Schema], values: Mapping[str, Any], where: str = "", what: str = "The recipe") -> Schema:
    """Validate `values` against a pydantic model or dataclass; a ValueError says in one sentence what is wrong.

    Args:
        where: the key that they stand under.
        what: what to call all of them.
    """
    try:
        return _adapter(schema).validate_python(dict(values))
    except ValidationError as error:
        raise ValueError(_explain(error, schema, where, what)) from None


def _adapter(schema: type[Schema]) -> TypeAdapter[Schema]:
    """Build pydantic's adapter once, and no two at a time: sources are parsed for it, in which Python 3.11 fails where
    threads take turns (python/cpython issue 106905).
    """
    with _building:
        if schema not in _adapters:
            _adapters[schema] = TypeAdapter(schema)
        found: TypeAdapter[Schema] = _adapters[schema]
        return found


def _asked_wrongly(error: ValidationError, schema: Any) -> str:
    """The sentence of a check of its own stands as it is; the others name the key."""
    problem = error.errors(include_url=False)[0]
    own = problem["type"] == "value_error" and not problem["loc"]
    return problem["msg"].removeprefix("Value error, ") if own else _explain(error, schema, "")


def _explain(error: ValidationError, schema: Any, where: str, what: str = "The recipe") -> str:
    problem = error.errors(include_url=False)[0]
    path = _known_steps(schema, [str(step) for step in problem["loc"]])
    key = dotted(where, *path)
    if problem["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        word = str(problem["loc"][-1])
        above = path[:-1] if path[-1:] == [word] else path
        section = dotted(where, *above)
        return f"Unknown key {dotted(section, word)!r}; {nearest(word, _keys_at(schema, above), section)}"
    words = problem["msg"].removeprefix("Value error, ").rstrip(".")
    given = "" if problem["type"] in {"missing", "value_error"} else f" (given: {shown(problem['input'])})"
    return f"{key or what}: {words[:1].lower()}{words[1:]}{given}."


def _known_steps(schema: Any, path: list[str]) -> list[str]:
    """The path without the names that pydantic gives to the branches of a union; the last word of the user stays."""
    kept: list[str] = []
    for step in path:
        node = _node_at(schema, kept)
        keys = node.get("properties", {})
        if step.isdecimal() or step in keys or "additionalProperties" in node or (step == path[-1] and keys):
            kept.append(step)
    return kept


def _keys_at(schema: Any, path: list[str]) -> list[str]:
    """The names that are valid below `path`."""
    return list(_node_at(schema, path).get("properties", {}))


def _node_at(schema: Any, path: list[str]) -> dict[str, Any]:
    """The JSON schema at `path`: through keys, freely named keys and list positions."""
    root = _adapter(schema).json_schema()
    node = _resolve(root, root)
    for step in path:
        below = node.get("items") if step.isdecimal() else node.get("properties", {}).get(step)
        below = below or node.get("additionalProperties")
        node = _resolve(root, below if isinstance(below, dict) else {})
    # Unknown keys are refused where the schema says so; only a schema there means that any name may stand.
    return {key: value for key, value in node.items() if key != "additionalProperties" or isinstance(value, dict)}


def _resolve(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("anyOf", [node]):
        if "$ref" in option:
            return cast(dict[str, Any], root["$defs"][option["$ref"].rsplit("/", 1)[1]])
    return node
