"""The public API is written down: whoever changes a public name or signature changes `public_api.txt` with it.

Renew the list with `python tests/test_public_api.py`, and look at the difference.
"""

import ast
import inspect
import textwrap
from pathlib import Path
from typing import Any

import gannet
import gannet.api

LIST = Path(__file__).with_name("public_api.txt")
RENEW = "The public API changed; if that is meant, renew its list with: python tests/test_public_api.py"


def lines() -> list[str]:
    """Every public name of both modules as its source states it, a class with its fields and methods."""
    found, seen = list[str](), dict[int, str]()
    for module in (gannet, gannet.api):
        for name in sorted(module.__all__):
            value, full = getattr(module, name), f"{module.__name__}.{name}"
            if callable(value) and id(value) in seen:
                found.append(f"{full} = {seen[id(value)]}")
                continue
            seen[id(value)] = full
            found += _told(value, full)
    return found


def _told(value: Any, full: str) -> list[str]:
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return [f"{full}: {value if not isinstance(value, str) else 'str'}"]
    node = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    if isinstance(node, ast.FunctionDef):
        return [full + _signature(node)]
    assert isinstance(node, ast.ClassDef)
    return [f"class {full}", *(f"    {line}" for member in node.body for line in _member(member))]


def _member(node: ast.stmt) -> list[str]:
    """A public field, property or method of a class."""
    if isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).startswith("_"):
        return [ast.unparse(node)]
    if not isinstance(node, ast.FunctionDef):
        return []
    if node.name.startswith("_") and node.name not in {"__init__", "__call__"}:
        return []
    is_property = any(ast.unparse(found).endswith("property") for found in node.decorator_list)
    if is_property and node.returns:
        return [f"{node.name}: {ast.unparse(node.returns)}"]
    return [node.name + _signature(node)]


def _signature(node: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(node.args)}){returns}"


def test_the_public_api_is_as_it_is_written_down() -> None:
    assert lines() == LIST.read_text(encoding="utf-8").splitlines(), RENEW


def test_a_changed_signature_is_seen() -> None:
    def verb(target: str, *, seed: int = 0) -> str:
        return f"{target}{seed}"

    assert _told(verb, "gannet.verb") == ["gannet.verb(target: str, *, seed: int=0) -> str"]
    assert "class gannet.Turn" in lines() and "    every: int = 1" in lines()


if __name__ == "__main__":
    LIST.write_text("\n".join(lines()) + "\n", encoding="utf-8")
