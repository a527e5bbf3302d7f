"""JSON and YAML that others may have written: read as far as a person's own could go, and no further."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from gannet.runtime.wording import reason

Json: TypeAlias = dict[str, Any]
"""What a JSON object holds: plain data by name."""
LARGEST, DEEPEST = 1 << 20, 100
"""Characters of YAML, what its aliases stand for among them, and levels of either; a recipe has 10,000 and 5."""
INDICATORS, MOST_INDICATORS = "[{-?:", 500
"""Every level of YAML has one of these characters. LibYAML reads ten times as fast and descends without bound, so what
has more of them, which might be deeper than the stack, is left to Python.
"""
LONGEST_KEY = 40
"""Characters of a key that are told."""
LARGEST_FILE = 64 << 20
"""Bytes of a JSON file; a judgement or a verdict has a hundredth."""


def parse_json(text: str, what: str) -> Any:
    """Read JSON; ValueError, which names `what` it is, where it is none or nested too deeply."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{what} is not JSON that Gannet reads ({_reason(error)}).") from None
    if not _is_shallow(value):
        raise ValueError(f"{what} is nested deeper than {DEEPEST} levels; nothing of Gannet's is.")
    return value


def read_json(path: Path) -> Any:
    """Read a JSON file; ValueError, which names it, where it is none, too large or nested too deeply."""
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path} is larger than {LARGEST_FILE >> 20} MiB; Gannet writes no such file.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is damaged: it is not UTF-8.") from None
    return parse_json(text, str(path))


def read_facts(path: Path) -> Json:
    """Read a JSON file of names and values, none where there is no file; ValueError, which names it, as of others."""
    if not path.is_file():
        return {}
    found = read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} is damaged: it holds no names and values.")
    return found


def parse_yaml(text: str, what: str) -> Any:
    """Read YAML, plain values only.

    Raises:
        ValueError: it is none, too long with all that aliases stand for, nested too deeply, or says one key twice;
            names `what` it is.
    """
    if len(text) > LARGEST:
        raise ValueError(f"{what} is longer than {LARGEST:,} characters; give a recipe.")
    try:
        loader = _loader(text)(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > LARGEST:
            raise ValueError(f"its aliases stand for more than {LARGEST:,} characters")
        twice = _said_twice(node)
        value = loader.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError, TypeError, AttributeError) as error:
        raise ValueError(f"{what} is not YAML in UTF-8: {_reason(error)}.") from None
    if twice:
        raise ValueError(f"{what} is not clear: it says {twice}, and only the last would count; leave one out.")
    if not _is_shallow(value):
        raise ValueError(f"{what} is nested deeper than {DEEPEST} levels; a recipe has five.")
    return value


def _loader(text: str) -> type[yaml.SafeLoader]:
    """Choose the loader: LibYAML's, where there is one and no nesting can be too deep for it."""
    few = sum(map(text.count, INDICATORS)) <= MOST_INDICATORS
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader) if few else yaml.SafeLoader


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return reason(error)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the characters of a node with all that it refers to; one that holds itself has no end."""
    if id(node) not in known:
        known[id(node)] = LARGEST + 1
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        own = len(parts) + 1
        known[id(node)] = own if isinstance(node, yaml.ScalarNode) else own + sum(_size(one, known) for one in parts)
    return known[id(node)]


def _said_twice(root: yaml.Node) -> str:
    """Tell which key some mapping in a document has twice, and in which lines; empty where none has."""
    waiting, known = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in known or isinstance(node, yaml.ScalarNode):
            continue
        known.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        lines = dict[tuple[str, str], int]()
        for key, value in node.value:
            waiting.append(value)
            if isinstance(key, yaml.ScalarNode):
                name, line = (key.tag, key.value), key.start_mark.line + 1
                if name in lines:
                    return f"{key.value[:LONGEST_KEY]!r} twice, in lines {lines[name]} and {line}"
                lines[name] = line
    return ""


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        parts = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [part for some in parts for part in some if isinstance(part, dict | list)]
        if not level:
            return True
    return False
