"""How values are given and shown on the page: a module for a medium, found by its name; the rest are files.

A module has `ask(label, wanted)`, which draws a field whose value `given(value)` turns into the paths of files; and
`show(label, key)`, which draws a place for results, filled with what `shown(before, made)` gives.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

Json = Mapping[str, Any]
PLAIN = "file"


def widget(medium: str) -> ModuleType:
    """Find the module of a medium by its name; files where it has none."""
    name = f"{__name__}.{medium.replace('-', '_')}"
    known = medium.replace("-", "").isalnum() and find_spec(name) is not None
    return import_module(name if known else f"{__name__}.{PLAIN}")
