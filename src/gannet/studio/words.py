"""The words of the page, one catalogue a language."""

from functools import cache
from importlib import resources
from typing import Any

import yaml

RIGHT_TO_LEFT = {"fa"}


@cache
def languages() -> tuple[str, ...]:
    """List the languages that there is a catalogue of, English first."""
    names = [file.name for file in resources.files("gannet.studio").joinpath("catalogue").iterdir()]
    found = sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
    return tuple(sorted(found, key=lambda name: (name != "en", name)))


@cache
def catalogue(language: str) -> dict[str, Any]:
    """Give the words of a language by their codes."""
    file = resources.files("gannet.studio") / "catalogue" / f"{language}.yaml"
    words: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return words


def say(language: str, code: str, **values: object) -> str:
    """Give what a code such as `use.start` says in a language, with values filled in."""
    node: Any = catalogue(language)
    for step in code.split("."):
        node = node[step]
    return str(node).format(**values)


def direction(language: str) -> str:
    """Give the direction that a language is written in, as HTML names it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"
