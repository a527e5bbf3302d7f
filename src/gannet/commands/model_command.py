"""The command line of one model: its flags and its help, by what its `config.json` tells; no torch is needed."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import typer

from gannet.commands.flags import Json, SchemaCommand, click_options, literal

INTERFACE = "gannet.interface"
COMMON = {
    "weights": {
        "type": "string",
        "default": "model",
        "description": "model (the last), best, a stage, average-WIDTH.",
    },
    "input": {"type": "array", "description": "NAME=PATH: a further input; repeatable."},
    "save": {"type": "array", "description": "A further output to keep, by name; repeatable."},
    "compare": {"type": "string", "description": "A picture of some inputs before and after."},
}
"""The flags that every model has; the help of one shows those that it has a use for."""
PHOTOGRAPH = "photograph"
"""The medium whose files are written as is asked."""
UNKNOWN: dict[str, Any] = {"inputs": {}, "outputs": {}, "options": {}}
"""What is known of a model that was not named."""
TAKEN = (*COMMON, "context", "model", "inputs", "out", "json", "as_json", "help")
"""What no option of a model may be called."""


class ModelCommand(SchemaCommand):
    """A command whose flags are those of the model that it is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Find the model among the words, then take its flags as well."""
        try:
            ctx.meta[INTERFACE] = _interface_of(self._candidates(ctx, args))
            return super().parse_args(ctx, args)
        except Exception as error:
            flag, alike = getattr(error, "option_name", ""), getattr(error, "possibilities", None) or ()
            if type(error).__name__ != "NoSuchOption" or not ctx.meta.get(INTERFACE):
                raise
            raise ValueError(f"There is no option {flag}; {_hint(flag, alike)}") from None

    def _candidates(self, ctx: Any, args: list[str]) -> list[str]:
        """Give the words that may be the model: the first that is no flag, and no value of a flag.

        Whether a flag of a model's own takes the word behind it only the model can tell; where such a flag comes
        first, that word and those behind it are tried.
        """
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        found, _, _ = parser.parse_args(list(args))
        words = [word for word in (found.get("model"), *(found.get("inputs") or ())) if word]
        named = [word for word in words if not word.startswith("-")]
        return named if words[:1] != named[:1] else named[:1]

    def find_options(self, context: typer.Context) -> list[Any]:
        """Give the model's options, and its further inputs as paths."""
        told = context.meta.get(INTERFACE) or UNKNOWN
        further = {
            name: {"type": "string", "description": f"{one['about'].capitalize()}: a file, or a folder of some."}
            for name, one in list(told["inputs"].items())[1:]
        }
        try:
            own, files = {**told["options"].get("properties", {})}, _file_options(told)
            if not all(name.isidentifier() and name not in (*TAKEN, *files) for name in (*own, *further)):
                raise ValueError("a flag has the name already")
            for node in own.values():
                node.pop("flag", None)  # A file chooses no flags: they are called as options are.
            return click_options({**told["options"], "properties": {**own, **further, **files, **COMMON}})
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise ValueError(
                "The model's config.json tells of options that cannot be flags; use it in Python."
            ) from None

    def get_params(self, ctx: Any) -> list[Any]:
        """Give all parameters; those that the model has no use for are read, to say so, but not shown."""
        parameters = super().get_params(ctx)
        told = ctx.meta.get(INTERFACE)
        return [_fitted(parameter, told) for parameter in parameters] if told else parameters

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name the arguments that are shown."""
        shown = [parameter for parameter in self.get_params(ctx) if not getattr(parameter, "hidden", False)]
        return [self.options_metavar or "", *(piece for one in shown for piece in one.get_usage_pieces(ctx))]

    def asked(self, ctx: Any, told: dict[str, Any]) -> dict[str, Any]:
        """Give further inputs by their names, whichever flag named them."""
        further = list((ctx.meta.get(INTERFACE) or UNKNOWN)["inputs"])[1:]
        for name, path in map(_named, told.pop("input", ())):
            if name in told or name not in further:
                there = ", ".join(further) or "none"
                raise ValueError(
                    f"--input names a further input of the model once ({there}), not {name!r}; leave the {name} out."
                )
            told[name] = path
        return told

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Say what this model is given and makes, once it is known which."""
        shown = copy(self)
        if told := ctx.meta.get(INTERFACE):
            shown.help, shown.epilog = _words(told), None
        super(ModelCommand, shown).format_help(ctx, formatter)


def _hint(flag: str, alike: Sequence[str]) -> str:
    """Say what to give in place of a flag that a model does not have."""
    from gannet.pipelines import scales

    if flag.lstrip("-").replace("-", "_") in scales.SCALES:
        return scales.advice()
    return f"did you mean {alike[0]}?" if alike else "`gannet apply MODEL --help` lists what a model has."


def _file_options(told: Json) -> dict[str, Any]:
    """What is asked of the files of a model that makes photographs."""
    from gannet.commands.options import ResultOptions

    made = next(iter(told["outputs"].values()), "")
    return dict(ResultOptions.model_json_schema()["properties"]) if made == PHOTOGRAPH else {}


def _interface_of(candidates: list[str]) -> dict[str, Any] | None:
    """The interface of the first word that names a model; the first one's error where none does."""
    from gannet.pipelines.hub import interface

    failures: list[Exception] = []
    for word in candidates:
        try:
            return interface(word)
        except (ValueError, OSError) as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return None


def _named(word: str) -> tuple[str, str]:
    name, separator, path = word.partition("=")
    if not (name and separator and path):
        raise ValueError(f"--input is NAME=PATH, such as --input mask=holes.png, not {word!r}.")
    return name, path


def _fitted(parameter: Any, told: Json) -> Any:
    """A parameter as the help of one model shows it."""
    first, *further = told["inputs"] or [""]
    more = ", ".join(name for name in list(told["outputs"])[1:] if name not in told["always"])
    useless = {"inputs": not first, "compare": not first, "input": not further, "save": not more}
    words = {
        "inputs": f"The {first}: files, folders, patterns.",
        "input": f"NAME=PATH: a further input ({', '.join(further)}), as its own flag names it; repeatable.",
        "save": f"A further output to keep ({more}); repeatable.",
    }
    fitted = copy(parameter)
    fitted.hidden = useless.get(parameter.name, False)
    fitted.help = words.get(parameter.name, parameter.help)
    return fitted


def _words(told: Json) -> str:
    """What a model is given and makes."""
    given = [_input_words(name, one, first=not number) for number, (name, one) in enumerate(told["inputs"].items())]
    made = [f"{name} ({literal(medium)})" for name, medium in told["outputs"].items()]
    how = ["beside it" if name in told["always"] else f"with --save {name}" for name in told["outputs"]]
    further = [f"{words}, {asked}" for words, asked in list(zip(made, how, strict=True))[1:]]
    parts = [
        "Use this model: make something of given files." if given else "Use this model: make samples from nothing.",
        *([literal(told["about"])] if "about" in told else []),
        *(["\n- ".join(["Given:", *given])] if given else []),
        "\n- ".join(["Made:", *made[:1], *further]),
    ]
    return "\n\n".join(parts)


def _input_words(name: str, one: Json, *, first: bool) -> str:
    """What an input is, the endings of its files, and whether the model can do without."""
    files = f" ({', '.join(one['endings'])})" if one["endings"] else ""
    flag = [] if first else [f"--{name.replace('_', '-')} PATH"]
    need = "needed" if one["required"] else "may be left out"
    how = ", ".join([*flag, need, *(["any number"] if one["many"] else [])])
    return literal(f"{name} ({how}): {one['about'] or one['what']}{files}")
