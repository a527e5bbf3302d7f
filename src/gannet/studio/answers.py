"""What the page's own scripts ask, and are answered: plain data, whatever was sent."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def answering(act: Callable[[Json], Json]) -> Callable[[object], Json]:
    """Let a function answer whatever is sent to it: with `error`, a sentence, where that is nothing it can do."""

    @wraps(act)
    def answer(given: object = None) -> Json:
        try:
            if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
                raise ValueError("What was sent is no request of this page.")
            return act(given)
        except ValueError as error:
            return {"error": str(error)}

    return answer
