"""Storage: a file is whole or not there, what comes back is what was sent, and nothing in a file can run."""

from __future__ import annotations

import errno
import ntpath
import os
import pickle
import posixpath
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gannet.runtime.files import (
    is_inside,
    load_plain,
    load_tensors,
    load_tree,
    save_tensors,
    save_tree,
    write_bytes,
    write_json,
    write_text,
)

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool]
shapes = st.sampled_from([(), (0,), (3,), (2, 0, 3), (2, 3), (1, 2, 1)])
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    shape, dtype = draw(shapes), draw(st.sampled_from(DTYPES))
    source = torch.Generator().manual_seed(draw(st.integers(0, 9)))
    return torch.randint(0, 2 if dtype == torch.bool else 100, shape, generator=source).to(dtype)


trees = st.recursive(
    leaves | tensors(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text() | st.integers(), below, max_size=4),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal in type, shape, order and every bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@given(trees)
def test_a_tree_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, tree: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    save_tree(folder / "one.safetensors", tree)
    save_tree(folder / "two.safetensors", tree)
    assert same(load_tree(folder / "one.safetensors"), tree)
    assert (folder / "one.safetensors").read_bytes() == (folder / "two.safetensors").read_bytes()


def test_keys_and_words_that_look_like_the_format_survive(tmp_path: Path) -> None:
    tree = {
        "tensor": "000000",
        "dict": [["a", 1]],
        1: {"1": torch.ones(1)},
        "1": None,
        "deep": {"tensor": torch.ones(2)},
    }
    save_tree(tmp_path / "tree", tree)
    assert same(load_tree(tmp_path / "tree"), tree)


def test_not_a_number_keeps_its_bits(tmp_path: Path) -> None:
    wanted = torch.tensor([float("nan"), float("inf"), -0.0])
    save_tensors(tmp_path / "odd", {"odd": wanted}, {})
    found = load_tensors(tmp_path / "odd")[0]["odd"]
    assert torch.equal(found.view(torch.int32), wanted.view(torch.int32))


def test_tensors_that_share_memory_come_back_whole(tmp_path: Path) -> None:
    whole = torch.arange(12.0).view(3, 4)
    views = {"whole": whole, "column": whole[:, 1], "turned": whole.T, "again": whole, "spread": whole[0, :1].expand(5)}
    save_tensors(tmp_path / "views", views, {"kind": "views"})
    found, meta = load_tensors(tmp_path / "views")
    assert meta == {"kind": "views"}
    assert all(torch.equal(found[name], view) for name, view in views.items())
    found["whole"].zero_()
    assert torch.equal(found["again"], whole)


def test_saving_leaves_the_tensors_alone(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    save_tensors(tmp_path / "weight", {"weight": weight}, {})
    assert weight.requires_grad
    assert not load_tensors(tmp_path / "weight")[0]["weight"].requires_grad


def test_any_flipped_bit_is_found(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_tensors(path, {"a": torch.tensor([1.5, -2.0]), "b": torch.tensor([True])}, {"images": 64})
    content = path.read_bytes()
    load_tensors(path)
    for place in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"small\.safetensors"):
            load_tensors(path)


def test_any_cut_is_found(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    save_tree(path, {"a": torch.ones(3), "images": 64})
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="nothing was loaded"):
            load_tree(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(ValueError, match="nothing was loaded"):
        load_tree(path)


class Payload:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_is_refused_and_does_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "model.safetensors", tmp_path / "trace"
    for write in (lambda it: path.write_bytes(pickle.dumps(it)), lambda it: torch.save(it, path)):
        write({"weight": Payload(trace)})
        for load in (load_tensors, load_tree):
            with pytest.raises(ValueError, match="not a file that Gannet wrote"):
                load(path)
    assert not trace.exists()


def test_safetensors_of_others_are_refused(tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "bare")
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "other", {"gannet": "[1, 2]"})
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "list", {"gannet": '{"meta": [], "digest": ""}'})
    for name in ("bare", "other", "list"):
        with pytest.raises(ValueError, match="nothing was loaded"):
            load_tensors(tmp_path / name)
    with pytest.raises(ValueError, match="does not exist"):
        load_tensors(tmp_path / "absent")


def test_tensors_without_a_tree_are_refused(tmp_path: Path) -> None:
    save_tensors(tmp_path / "flat", {"a": torch.ones(1)}, {"format": 1})
    with pytest.raises(ValueError, match="flat"):
        load_tree(tmp_path / "flat")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    path = tmp_path / "state.safetensors"
    save_tree(path, {"images": 1})

    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ValueError, match=r"^The disk is full: .*state\.safetensors needs .* MiB; .*\.$"):
            save_tree(path, {"images": 2})
    assert load_tree(path) == {"images": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_file_over_the_limit_leaves_the_old_one(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "large"
    write_bytes(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(ValueError, match="The disk is full"):
            write_bytes(path, bytes(2 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["large"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    for place in (tmp_path / "absent" / "file", tmp_path / "taken"):
        with pytest.raises(ValueError, match=f"{place.name}.* cannot be written .*; choose another place"):
            write_text(place, "words")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "words")
    with pytest.raises(ValueError, match="cannot be written"):
        write_text(tmp_path / "file" / "below", "words")


def test_text_is_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    write_json(tmp_path / "facts.json", {"name": "Möwe\n"})
    assert (tmp_path / "facts.json").read_bytes() == '{\n  "name": "Möwe\\n"\n}\n'.encode()


STEPS = ("..", ".", "a", "C:", "x.png", ".. ", " ", "", "\\", "/", "?", "b:c", "\0")
PLACES = st.lists(st.sampled_from(STEPS)).map("".join)


@given(PLACES | st.text("./\\: aC"))
def test_a_path_that_is_inside_leads_nowhere_else_on_any_system(path: str) -> None:
    if not is_inside(path):
        return
    assert posixpath.normpath(posixpath.join("/home", path)).startswith("/home/")
    assert ntpath.normpath(ntpath.join("D:\\home", path)).startswith("D:\\home\\")
    assert ".." not in (part.rstrip(" ") for part in path.replace("\\", "/").split("/"))


@pytest.mark.parametrize(
    "path",
    [
        *("C:/x.png", "C:x.png", "\\\\server\\share\\x", "//server/share/x", "a\\..\\..\\x"),
        *("../x", "/x", "\\x", "", ".", "a/.. ", "::", "a\0b"),
    ],
)
def test_paths_that_lead_out_are_told(path: str) -> None:
    assert not is_inside(path)


@pytest.mark.parametrize("path", ["x.png", "a/b/x.png", "a\\x.png", "cats..dogs/..x.png", "a/9:30.png", "Möwe ~1.png"])
def test_paths_within_are_told(path: str) -> None:
    assert is_inside(path)


def test_what_is_plain_of_a_tree_is_read_without_its_tensors(tmp_path: Path) -> None:
    path = tmp_path / "tree.safetensors"
    save_tree(path, {"images": 3, "weights": [torch.zeros(2)], "words": {"a": "b"}})
    assert load_plain(path) == {"images": 3, "weights": [None], "words": {"a": "b"}}


@given(content=st.binary(max_size=200))
def test_anything_else_in_its_place_is_one_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("plain") / "odd.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a file that Gannet wrote, or it is damaged"):
        load_plain(path)
