"""Libraries that take long to load, imported when something of them is first used.

SciPy's statistics and scikit-learn judge, and take as long to load as PyTorch: who only applies a model need not wait.
"""

from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def later(name: str) -> Any:
    """Give a stand-in for a module, whose import waits until something of it is asked for."""
    return _Later(name)
