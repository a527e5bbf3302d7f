"""The words in which runs are spoken of, one block a language."""

from functools import cache
from importlib import resources
from typing import Any

import yaml


@cache
def catalogue(language: str = "en") -> dict[str, Any]:
    """Give the words of a language by their codes."""
    words: dict[str, Any] = catalogues()[language]
    return words


def catalogues() -> dict[str, Any]:
    """Give the words of every language."""
    text = (resources.files("gannet.monitoring") / "words.yaml").read_text(encoding="utf-8")
    words: dict[str, Any] = yaml.safe_load(text)
    return words
