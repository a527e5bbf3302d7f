"""The options of a model that its page offers: those that it takes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gannet.studio import easel
from gannet.studio.forms import Form

EARLIER = ("pixel", "likelihood")
"""How weights from before the game are called, which an option of strength mixes in."""


def options_of(about: Mapping[str, Any], folder: Path | None) -> Form:
    """Give the form of a model's options without those that it would refuse; words stand first.

    Args:
        about: the model's interface.
        folder: where its files lie, if that is known.
    """
    whole = Form.of_schema(about["options"])
    refused = set(_refused(whole, folder)) if folder else set()
    names = sorted(whole.keys, key=lambda name: name != easel.WORDS)
    return Form({name: whole.keys[name] for name in names if name not in refused})


def _refused(form: Form, folder: Path) -> Iterator[str]:
    """Name options that mean nothing to a model: a class where it knows none, a strength of what it did not keep."""
    if "examples" not in form.keys.get("class", {}):
        yield "class"
    if not any((folder / f"{name}.safetensors").is_file() for name in EARLIER):
        yield "strength"
