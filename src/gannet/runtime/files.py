"""Files that are either whole or not there, and tensors that arrive as they were sent.

Everything is written beside its destination, synced and renamed. Tensor files are safetensors (never code) whose
metadata carries a digest of the whole content, so that a flipped bit is found before it is used.
"""

import contextlib
import errno
import json
import ntpath
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors import torch as safetensors
from torch import Tensor

from gannet.runtime import digests
from gannet.runtime.partial import partial_path
from gannet.runtime.plain_data import parse_json

Meta = dict[str, Any]
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What comes of reading what is not built as it should be."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; the previous one stays intact when the disk is full.

    Raises:
        ValueError: the disk is full or the folder cannot be written; one sentence that names the file.
    """
    with writing(path, len(content)) as file:
        file.write(content)


@contextlib.contextmanager
def writing(path: Path, size: int = 0) -> Iterator[BinaryIO]:
    """Open a file to be written part by part, atomically as `write_bytes` does: it is there when the block ends.

    Args:
        size: how many bytes it will have, where that is known, to say so when the disk is full.
    """
    temporary = partial_path(path)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise ValueError(_unwritable(path, size or _size(temporary), error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def check_named(path: Path) -> None:
    """Raise ValueError where a path is `-`, which elsewhere means the standard output."""
    if str(path) == "-":
        raise ValueError("What is made goes to files, and not to the standard output: give a name instead of `-`.")


def check_free(path: Path) -> None:
    """Raise ValueError where something lies at a path that is to be written, or the path is no name."""
    check_named(path)
    if path.exists():
        raise ValueError(f"{path} exists; choose another name or remove it first.")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON atomically; what of a file's name is no UTF-8 is written as JSON escapes it."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))


def is_inside(path: str) -> bool:
    """Tell whether a path is relative and stays below where it begins, read as Windows reads it and as others do.

    Windows drops dots and spaces at the end of a name, so `.. ` may lead upwards as `..` does.
    """
    if ntpath.splitdrive(path)[0] or "\0" in path:
        return False
    ways = PurePosixPath(path), PureWindowsPath(path)
    return all(not way.anchor and way.parts and all(part.strip(". ") for part in way.parts) for way in ways)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows cannot open folders and does not need it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, size: int, error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return (
            f"The disk is full: {path} needs {size / 2**20:.1f} MiB; what was saved before is intact, "
            "so free some space and go on (a run: with `gannet train --resume`)."
        )
    return f"{path} cannot be written ({error.strerror}); choose another place."


def save_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Meta) -> None:
    """Write named tensors (any shape and dtype) and JSON-able `meta` to one safetensors file, atomically."""
    plain = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    sealed = {"meta": meta, "digest": digest(plain, meta)}
    # One metadata key only: safetensors writes several in no fixed order.
    write_bytes(path, safetensors.save(plain, {"gannet": json.dumps(sealed, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], Meta]:
    """Read what `save_tensors` wrote, on the CPU.

    Raises:
        ValueError: the file is missing, is not safetensors, or its content does not match its digest.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist.")
    try:
        content = path.read_bytes()
        tensors = safetensors.load(content)
        length = int.from_bytes(content[:8], "little")
        sealed = parse_json(json.loads(content[8 : 8 + length])["__metadata__"]["gannet"], str(path))
        meta, expected = sealed["meta"], sealed["digest"]
    except (SafetensorError, *_MALFORMED):
        raise ValueError(_foreign(path)) from None
    if not isinstance(meta, dict) or digest(tensors, meta) != expected:
        raise ValueError(f"{path} is damaged (its content does not match its digest); nothing was loaded.")
    return tensors, meta


def _foreign(path: Path) -> str:
    return f"{path} is not a file that Gannet wrote, or it is damaged; nothing was loaded."


def read_tensors(path: Path, start: str) -> dict[str, Tensor]:
    """Read what has a name that starts so from a safetensors file that somebody else wrote, on the CPU.

    Raises:
        ValueError: the file is missing, cannot be read, or is not safetensors.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist.")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys() if name.startswith(start)}  # noqa: SIM118
    except SafetensorError:
        raise ValueError(f"{path} is no safetensors file, or it is damaged; nothing was loaded.") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror or error}).") from None


def digest(tensors: Mapping[str, Tensor], meta: Meta) -> str:
    """Give SHA-256 over the names, types, shapes and bytes of all tensors and over `meta`."""
    return digests.digest(meta, _parts(tensors))


def _parts(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    for name in sorted(tensors):
        tensor = tensors[name]
        yield f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode()
        yield tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data  # It may lie on a GPU.


def save_tree(path: Path, tree: object) -> None:
    """Write nested dicts and lists of tensors, numbers and words to one file, atomically."""
    tensors: dict[str, Tensor] = {}
    meta = {"tree": _strip(tree, tensors)}
    save_tensors(path, tensors, meta)


def load_tree(path: Path) -> Any:
    """Read what `save_tree` wrote; tensors are on the CPU. Raises ValueError as `load_tensors` does."""
    tensors, meta = load_tensors(path)
    if "tree" not in meta:
        raise ValueError(f"{path} holds tensors but no state; nothing was loaded.")
    return _dress(meta["tree"], tensors)


def load_plain(path: Path) -> Any:
    """Read what `save_tree` wrote but for its tensors, in whose places is None; it is not held to its digest.

    Raises:
        ValueError: the file cannot be read or is no such file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            sealed = parse_json(file.metadata()["gannet"], str(path))
        return _dress(sealed["meta"]["tree"], defaultdict(lambda: None))
    except (SafetensorError, OSError, *_MALFORMED):
        raise ValueError(_foreign(path)) from None


def _strip(node: Any, tensors: dict[str, Tensor]) -> Any:
    """The tree with every tensor moved to `tensors`; dicts become lists of pairs, so keys keep their type."""
    if isinstance(node, Tensor):
        name = f"{len(tensors):06d}"
        tensors[name] = node
        return {"tensor": name}
    if isinstance(node, Mapping):
        return {"dict": [[key, _strip(value, tensors)] for key, value in node.items()]}
    if isinstance(node, list | tuple):
        return [_strip(value, tensors) for value in node]
    return node


def _dress(node: Any, tensors: Mapping[str, Tensor | None]) -> Any:
    if isinstance(node, dict):
        if "tensor" in node:
            return tensors[node["tensor"]]
        return {key: _dress(value, tensors) for key, value in node["dict"]}
    return [_dress(value, tensors) for value in node] if isinstance(node, list) else node
