"""A stand-in for torchvision, of which spandrel wants a few names while it is imported, and calls none for photographs.

torchvision has to be of the very version that PyTorch is of, and is the first thing to break on users' machines.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

LIBRARY = "torchvision"
ASKED_FOR = (LIBRARY, f"{LIBRARY}.transforms", f"{LIBRARY}.transforms.functional")
"""The modules that are imported."""


class _Missing:
    """Stands for a name of the library; whoever uses it is told what is missing."""

    def __getattr__(self, name: str) -> Any:
        raise ImportError(f"this network needs {LIBRARY}; run: pip install {LIBRARY}")

    def __call__(self, *given: object, **named: object) -> Any:  # noqa: ARG002
        return self.needed


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Missing()


@contextmanager
def standing_in() -> Iterator[None]:
    """Let modules import torchvision's names in the block where there is no torchvision; it is not seen elsewhere."""
    if LIBRARY in sys.modules or find_spec(LIBRARY) is not None:
        yield
        return
    sys.modules.update({name: _StandIn(name) for name in ASKED_FOR})
    try:
        yield
    finally:
        for name in ASKED_FOR:
            sys.modules.pop(name, None)
