"""How values are given and shown on the page: a module for a medium, found by its name; the rest are files.

A module has `ask(label, wanted)`, which draws a field whose value `given(value)` turns into the paths of files; and
`show(label, key)`, which draws a place for results, filled with what `shown(before, results, language)` gives: of the
files that were given and, of each result, those of its outputs by their names, what the model is for first.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

Json = Mapping[str, Any]
Results = Sequence[Mapping[str, Path]]
"""Of each result its files by the names of the outputs."""
PLAIN = "file"


def widget(medium: str) -> ModuleType:
    """Find the module of a medium by its name; files where it has none."""
    name = f"{__name__}.{medium.replace('-', '_')}"
    known = medium.replace("-", "").isalnum() and find_spec(name) is not None
    return import_module(name if known else f"{__name__}.{PLAIN}")


def firsts(results: Results) -> list[Path]:
    """Give of each result the file of what the model is for."""
    return [next(iter(files.values())) for files in results]
