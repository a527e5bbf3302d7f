"""Digests and numbers that stand for a content, the same on every machine and for good."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any


def digest(value: Any, parts: Iterable[bytes | memoryview] = ()) -> str:
    """Give the SHA-256 of plain data, whatever the order of their keys, and of the bytes that follow them."""
    whole = hashlib.sha256(json.dumps(value, sort_keys=True).encode())
    for part in parts:
        whole.update(part)
    return whole.hexdigest()


def number(content: bytes) -> int:
    """Give a number of 64 bits for bytes."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
