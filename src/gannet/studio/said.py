"""The command line and the lines of Python that do what a button does."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gannet.schema import shown

LISTED = 3
"""Of files that are named, the first so many."""


@dataclass(frozen=True)
class Said:
    """A call of a verb.

    Attributes:
        verb: as the command line and the API name it.
        words: what it is given by place.
        options: what it is given by name: flags of the command line.
        changes: keys of a recipe.
        schema: the name of the schema that holds the options in Python; empty: they are given by name themselves.
    """

    verb: str
    words: Sequence[str]
    options: Mapping[str, object] = field(default_factory=dict)
    changes: Mapping[str, object] = field(default_factory=dict)
    schema: str = ""

    def command(self) -> str:
        """Give the command line."""
        words = ["gannet", self.verb, *_few(self.words)]
        for name, value in self.options.items():
            words += _flag(name, value)
        for name, value in self.changes.items():
            words += ["--set", f"{name}={_written(value)}"]
        return shlex.join(words)

    def python(self) -> str:
        """Give the lines of Python."""
        given = [repr(word) for word in _few(self.words)]
        names = dict(self.options)
        outer = {name: names.pop(name) for name in ("out", "resume") if name in names}
        named = [f"{name}={value!r}" for name, value in outer.items()]
        if self.schema and names:
            inner = ", ".join(_by_name(names))
            named.append(f"{'query' if self.verb == 'judge' else 'options'}=api.{self.schema}({inner})")
        else:
            named += _by_name(names)
        if self.changes:
            named.append(f"set={dict(self.changes)!r}")
        start = "from gannet import api\n\n" if self.schema and names else "import gannet\n\n"
        module = "api" if self.schema and names else "gannet"
        return f"{start}{module}.{self.verb}({', '.join([*given, *named])})"

    def both(self) -> str:
        """Give the command line, and the lines of Python below it."""
        return f"{self.command()}\n\n# Python\n{self.python()}"


def _few(words: Sequence[str]) -> list[str]:
    """The words, of many files the first."""
    return [*words[: LISTED + 1], *(["..."] if len(words) > LISTED + 1 else [])]


def _by_name(names: Mapping[str, object]) -> list[str]:
    """Arguments by name; those that are words of Python's own, such as `class`, stand in a dict."""
    plain = [f"{name}={value!r}" for name, value in names.items() if _is_name(name)]
    others = {name: value for name, value in names.items() if not _is_name(name)}
    return [*plain, *([f"**{others!r}"] if others else [])]


def _is_name(name: str) -> bool:
    import keyword

    return name.isidentifier() and not keyword.iskeyword(name)


def _flag(name: str, value: object) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag.removeprefix('--')}"]
    many = value if isinstance(value, list | tuple) else [value]
    return [word for one in many for word in (flag, str(one))]


def _written(value: object) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else "null" if value is None else shown(value)
