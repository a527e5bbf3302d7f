"""Flags of the command line out of a JSON schema: what an options schema says once, `--help` says too.

It imports neither torch nor pydantic, so that `gannet --help` does not wait for them.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption
from typer.main import get_command

from gannet.runtime.wording import plain

Json = Mapping[str, Any]
TYPES: dict[str, type] = {"integer": int, "number": float, "string": str, "boolean": bool}
"""What a JSON type is read as; other types are no flags."""
DEEPEST = 4
"""How many times a property may be one of several others."""
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
}
EXAMPLES_SHOWN = 12
"""Of the values that a property may take."""


def click_options(schema: Json) -> list[TyperOption]:
    """Make an option of every property of a JSON schema that a flag can say: numbers, words, choices, lists of them.

    The key `some_name` becomes `--some-name`; a property may name another flag as `flag` (`{"flag": "--with"}`). Not
    given, an option is None, so that the schema's own default stands. Bounds and choices stand in the help; they are
    checked by the schema itself, which says in one sentence what is wrong.
    """
    app = typer.Typer(add_completion=False)

    def takes(**_: Any) -> None:
        """Stand for the command whose options these are."""

    parameters = [_parameter(name, node, schema) for name, node in _flagged(schema).items()]
    takes.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    takes.__annotations__ = {}
    app.command()(takes)
    options = [option for option in get_command(app).params if isinstance(option, TyperOption)]
    for option, name in zip(options, _flagged(schema), strict=True):
        option.name = name  # A key may be a word of Python's own, such as `class`.
    return options


def given(options: Json) -> dict[str, Any]:
    """Give what the user said: every option that is not None, lists as tuples."""
    told = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    return {name: value for name, value in told.items() if value is not None and value != ()}


class SchemaCommand(TyperCommand):
    """A command that takes the flags of a schema beside its own parameters.

    Its function finds what was given in `context.obj`, by the schema's keys. A command whose schema depends on what it
    is given (as a model's options do) overrides `find_options`.
    """

    def find_options(self, context: typer.Context) -> list[TyperOption]:  # noqa: ARG002
        """Give the options of the schema; called when the command is asked for its parameters, not before."""
        return []

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words.

        Raises:
            ValueError: a flag is a key of a recipe, or one that takes one value is given several, the first of them
                lost.
        """
        try:
            _, _, order = self.make_parser(ctx).parse_args(list(args))
        except Exception as error:
            flag = getattr(error, "option_name", "")  # The parser's own errors are not public.
            if flag and (hint := self._key_meant(ctx, flag)):
                raise ValueError(f"There is no option {flag}; {hint}") from None
            raise
        for parameter, count in Counter(order).items():
            if count > 1 and isinstance(parameter, TyperOption) and not (parameter.multiple or parameter.is_flag):
                raise ValueError(f"{parameter.opts[0]} is given {count} times; give it once.")
        return super().parse_args(ctx, args)

    def _key_meant(self, ctx: Any, flag: str) -> str:
        """Say how the key of a recipe is changed that somebody gave as a flag; nothing where it is none."""
        flags = [name for parameter in self.get_params(ctx) for name in parameter.opts]
        if "--set" not in flags or flag in flags:
            return ""
        from gannet.recipe import Recipe
        from gannet.runtime.other_names import called_here

        key = flag.lstrip("-").replace("-", "_")
        if key.split(".")[0] in Recipe.model_fields:
            return f"keys of the recipe are changed by --set {key}=VALUE."
        here = called_here(flag, [*Recipe.model_fields, *(name.lstrip("-") for name in flags)])
        return f"{here.removesuffix('.')} (keys are changed by --set KEY=VALUE)." if here else ""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the command's own parameters and the schema's."""
        own: list[Any] = super().get_params(ctx)
        names = {flag for parameter in own for flag in parameter.opts}
        options = self.find_options(ctx)
        for option in options:
            taken = names & set(option.opts)
            assert not taken, f"the command has {min(taken)} already; an option may not take its name"
        return [*own[:-1], *options, *own[-1:]]

    def asked(self, ctx: Any, told: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Give what the function finds in `context.obj`, of what was told by flags."""
        return told

    def invoke(self, ctx: Any) -> Any:
        """Call the command's function with its own parameters; the schema's lie in `context.obj`."""
        names = {parameter.name for parameter in self.params}
        ctx.obj = self.asked(ctx, given({name: value for name, value in ctx.params.items() if name not in names}))
        ctx.params = {name: value for name, value in ctx.params.items() if name in names}
        return super().invoke(ctx)


def schema_command(find_schema: Callable[[], Json]) -> type[SchemaCommand]:
    """Make the class of a command that takes the flags of one schema, which is looked up when it is needed."""

    class OfSchema(SchemaCommand):
        schema = staticmethod(find_schema)

        def find_options(self, context: typer.Context) -> list[TyperOption]:  # noqa: ARG002
            return click_options(self.schema())

    return OfSchema


def _flagged(schema: Json) -> dict[str, Json]:
    """The properties that a flag can say, each as one plain node."""
    nodes = {name: _plain(node, schema) for name, node in dict(schema.get("properties", {})).items()}
    return {name: node for name, node in nodes.items() if _type(node) is not None}


def _plain(node: Json, schema: Json, depth: int = 0) -> dict[str, Any]:
    """A property with its references followed and its branches but null laid together."""
    if depth > DEEPEST:
        raise ValueError("An option is made of too many others.")
    plain = dict(node)
    for reference in [plain.pop("$ref", None), *(part.get("$ref") for part in plain.pop("allOf", []))]:
        if reference:
            plain = {**schema["$defs"][reference.rsplit("/", 1)[1]], **plain}
    branches = [_plain(branch, schema, depth + 1) for branch in plain.pop("anyOf", [])]
    branches = [branch for branch in branches if branch.get("type") != "null"]
    if len(branches) == 1:
        return {**branches[0], **plain}
    if branches:
        plain["types"] = [_type(branch) for branch in branches]
    return plain


def _type(node: Json) -> Any:
    """The Python type that a flag reads a property as; None where none can."""
    if "types" in node:
        return None if None in node["types"] else str
    if "enum" in node or "const" in node:
        return str
    if node.get("type") == "array":
        inner = TYPES.get(node.get("items", {}).get("type", "string"))
        return list[inner] if inner else None  # type: ignore[valid-type]
    return TYPES.get(node.get("type", ""))


def flag_of(name: str, node: Json) -> str:
    """Give the flag of a property."""
    return str(node.get("flag", f"--{name.replace('_', '-')}"))


def _parameter(name: str, node: Json, schema: Json) -> inspect.Parameter:
    """A property as a parameter of a function that typer reads."""
    flag, read = flag_of(name, node), _type(node)
    if read is bool and node.get("default") is True:
        flag = f"{flag}/--no-{flag.removeprefix('--')}"
    words: dict[str, Any] = {"help": _help(node), "show_default": _shown(node)}
    if "enum" in node:
        words["metavar"] = "|".join(map(str, node["enum"]))
    if "types" in node:
        words["parser"], words["metavar"] = _reader(node["types"]), "VALUE"
    required = name in schema.get("required", ())
    optional: Any = read if required else read | None
    annotation: Any = Annotated[optional, typer.Option(flag, **words)]
    default = inspect.Parameter.empty if required else None
    safe = f"{name}_"  # Python's own words are no names of parameters.
    return inspect.Parameter(safe, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _reader(types: list[Any]) -> Callable[[str], Any]:
    """Read a value as the first of several types that takes it, words last."""

    def read(value: str) -> Any:
        for kind in (int, float):
            if kind in types:
                try:
                    return kind(value)
                except ValueError:
                    continue
        return value

    return read


def literal(words: str) -> str:
    """Give words of a file's as a help may show them: they steer no terminal and are no markup."""
    from rich.markup import escape

    return escape(plain(words))


def _help(node: Json) -> str:
    """The first paragraph of a property's description, with its bounds and what it may be."""
    words = " ".join(str(node.get("description", "")).strip().split("\n\n")[0].split())
    bounds = [said.format(node[key]) for key, said in BOUNDS.items() if key in node]
    examples = list(map(str, node.get("examples", ())))
    more = [f"and {len(examples) - EXAMPLES_SHOWN:,} more"] if len(examples) > EXAMPLES_SHOWN else []
    known = ", ".join([*bounds, *examples[:EXAMPLES_SHOWN], *more])
    return literal(f"{words} ({known})".strip() if known else words)


def _shown(node: Json) -> str | bool:
    """How the default is told; an empty one, and a flag that is off, say nothing."""
    default = node.get("default")
    if isinstance(default, bool):
        return "on" if default else False
    return str(default) if default not in (None, "", [], ()) else False
