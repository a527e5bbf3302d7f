"""The words of the tab, one catalogue a language, and the formulas, which are the same in all."""

from functools import cache
from importlib import resources
from typing import Any

import yaml

FOLDER = resources.files("gannet.studio.learn")
RIGHT_TO_LEFT = {"fa"}


@cache
def catalogue(language: str) -> dict[str, Any]:
    """Give the words of a language by their codes; ValueError where there is no catalogue of it."""
    file = FOLDER / "words" / f"{language}.yaml"
    if language not in languages():
        raise ValueError(f"There is no catalogue of {language!r}; allowed: {', '.join(languages())}.")
    words: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return words


@cache
def languages() -> tuple[str, ...]:
    """List the languages that there is a catalogue of."""
    files = (FOLDER / "words").iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


@cache
def formulas() -> dict[str, dict[str, str]]:
    """Give what each player does, by loss."""
    found: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "formulas.yaml").read_text(encoding="utf-8"))
    return found


def direction(language: str) -> str:
    """Give the direction that a language is written in, as HTML names it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"
