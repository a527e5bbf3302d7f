"""Whatever is handed in, there is an answer or one short sentence, soon and in little memory; never a traceback."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Ended
from PIL import Image

Command = Callable[..., Ended]
Words = list[object]
Random = random.Random
LONGEST, SECONDS, KIBIBYTES = 500, 20, 2 << 20
FEW, MANY = 40, 500
ODD = [0, -1, 1, 2**31, 2**63, 10**30, -(10**30), 1e308, float("inf"), float("nan"), "", " ", "\x1b[31m", "é" * 300]
ODD += [
    "\udcff",
    "../../x",
    "/dev/null",
    None,
    True,
    [],
    [[]],
    {},
    {"name": 5},
    "auto",
    "digits",
    "9" * 5000,
    "a: b",
    "~",
]
NAMES = ["\x1b]0;owned\x07.png", "\x1b[2J\x1b[31m.png", "a\nb.png", "x" * 250 + ".png", "\u202egnp.exe.png", "-rf.png"]
NAMES += [
    "~1.png",
    " .png",
    "a\tb.png",
    "[red]a.png",
    "'; rm.png",
    "%s%n.png",
    "CON.png",
    "é\u0301.png",
    "a.png.png",
]
KEYS = [
    "images",
    "batch",
    "seed",
    "minutes",
    "precision",
    "device",
    "data.size",
    "data.channels",
    "data.fit",
    "data.limit",
]
KEYS += [
    "data.group",
    "data.source",
    "data.sources",
    "network.width",
    "network.latent",
    "network.name",
    "task.name",
    "stages",
]
KEYS += [
    "loss.name",
    "loss.r1.every",
    "accumulate",
    "augment.name",
    "optimizer.generator.betas",
    "name",
    "log.every",
    "task",
]
KEYS += [
    "network",
    "data",
    "average.half_life",
    "checkpoint.keep",
    "start_from",
    "about",
    "nothing.of.the.kind",
    "",
    ".",
    "a..b",
]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(chance: Random) -> bytes:
    """A small picture, whole or of lying size, or with a chunk that swells."""
    buffer = io.BytesIO()
    levels = np.random.default_rng(chance.randrange(10**6)).integers(
        0, 256, (chance.choice([1, 9, 20]), 9, 3), np.uint8
    )
    Image.fromarray(levels).save(buffer, "PNG")
    content, odd = buffer.getvalue(), chance.randrange(4)
    if odd == 0:
        header = struct.pack(
            ">IIBBBBB", chance.choice([0, 2**16, 2**31 - 1]), chance.choice([1, 2**16, 2**31 - 1]), 8, 2, 0, 0, 0
        )
        return content[:8] + chunk(b"IHDR", header) + content[33:]
    if odd == 1:
        swelling = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(5_000_000)))
        return content[:33] + swelling + content[33:]
    return content


def damaged(content: bytes, chance: Random) -> bytes:
    """The same, cut, changed, doubled, emptied, or something else."""
    at = chance.randrange(len(content) + 1)
    ways = [content[:at], content[:at] + chance.randbytes(9) + content[at:], content * 2, b"", chance.randbytes(200)]
    ways += [
        b"[" * 100_000,
        b'{"a":' * 2000,
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'"x"',
        b"1e999",
        b"9" * 5000,
        b"\0" * 99,
    ]
    return chance.choice(ways)


def of_recipes(folder: Path, run: Path, chance: Random) -> Words:
    path = folder / "odd.yaml"
    bomb = "a: &a [x, x]\n" + "".join(
        f"b{n}: &b{n} [*{'a' if not n else f'b{n - 1}'}, *{'a' if not n else f'b{n - 1}'}]\n" for n in range(60)
    )
    value = json.dumps(chance.choice(ODD))
    texts = [
        bomb,
        "[" * 5000,
        f"task: {value}",
        f"data: {value}",
        f"{value}: 1",
        f"network: {{name: {value}}}",
        f"stages: [{value}]",
    ]
    texts += [
        f"images: {value}",
        "a: &a {b: *a}",
        "- " * 3000,
        "\x00",
        "%YAML 9\n---",
        "!!python/object:os.system x",
        "? {}\n: 1",
    ]
    content = chance.choice(texts).encode("utf-8", "surrogatepass")
    path.write_bytes(content if chance.random() < 0.7 else damaged((run / "recipe.yaml").read_bytes(), chance))
    return ["train", path, "digits", "--dry-run"]


def of_changes(folder: Path, run: Path, chance: Random) -> Words:
    value = chance.choice(ODD)
    words = value if isinstance(value, str) else json.dumps(value)
    return [
        "train",
        chance.choice(["digits-mlp", "images", "nobody"]),
        "digits",
        "--dry-run",
        "--set",
        f"{chance.choice(KEYS)}={words}",
    ]


def of_runs(folder: Path, run: Path, chance: Random) -> Words:
    copy = Path(shutil.copytree(run, folder / "run"))
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    for _ in range(chance.choice([1, 1, 3])):
        path = chance.choice(files)
        path.write_bytes(damaged(path.read_bytes(), chance))
    verbs: list[Words] = [
        ["apply", copy, "--num", 2, "--out", folder / "new.png"],
        ["train", "--resume", copy],
        ["apply", copy, "--help"],
    ]
    verbs += [["train", "digits", "--from", copy, "--dry-run"], ["export", copy, "--out", folder / "new.txt"]]
    return chance.choice(verbs)


def pictures(folder: Path, chance: Random) -> Path:
    """A folder of some pictures, whole and broken, with names that somebody chose with care."""
    data = folder / "data"
    data.mkdir()
    for number in range(chance.randrange(6)):
        content = png(chance)
        place = (
            data
            / chance.choice([".", ".", f"class {number % 2}"])
            / (f"{number}.png" if chance.random() < 0.5 else chance.choice(NAMES))
        )
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content if chance.random() < 0.7 else damaged(content, chance))
    if chance.random() < 0.2:
        (data / os.fsdecode(b"\xff\xfe.png")).write_bytes(png(chance))
    return data


def of_data(folder: Path, run: Path, chance: Random) -> Words:
    return ["doctor", pictures(folder, chance)]


def of_photographs(folder: Path, run: Path, chance: Random) -> Words:
    return [
        "apply",
        "super-resolution",
        pictures(folder, chance),
        "--out",
        folder / chance.choice(["new", "new.zip", "x" * 250, "a\x1bb"]),
    ]


def of_tables(folder: Path, run: Path, chance: Random) -> Words:
    path = folder / chance.choice(["odd.npz", "odd.zip", "odd.parquet", "train-images-idx3-ubyte", "odd.csv"])
    buffer = io.BytesIO()
    values = {
        "images": np.zeros((4, 8, 8), np.uint8),
        "labels": np.array(chance.choice([[0, 1, 2, 99], [-1, 0, 2**40, 1], [0.5] * 4])),
    }
    if chance.random() < 0.5:
        np.savez_compressed(buffer, **values)
    else:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in [*chance.sample(NAMES, 3), "../up.png", "/root.png", "a\\b.png"]:
                archive.writestr(zipfile.ZipInfo(name), png(chance))
            archive.writestr(
                "images.npy",
                b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 9)}"
                + b" " * 60,
            )
    path.write_bytes(buffer.getvalue() if chance.random() < 0.7 else damaged(buffer.getvalue(), chance))
    return ["doctor", path]


def of_words(folder: Path, run: Path, chance: Random) -> Words:
    verbs = [
        "train",
        "apply",
        "judge",
        "doctor",
        "augment",
        "average",
        "export",
        "bench",
        "recipes",
        "models",
        "",
        "--x",
        "\x1b[31m",
        "trian",
    ]
    more = [str(one) for one in ODD if str(one) and "\0" not in str(one)] + [
        "--help",
        "--json",
        "--out",
        "--set",
        "--num",
        str(folder),
    ]
    return [chance.choice(verbs), *(chance.choice(more) for _ in range(chance.randrange(4)))]


KINDS = [of_recipes, of_changes, of_runs, of_data, of_photographs, of_tables, of_words, of_changes]


@dataclass(frozen=True)
class Answer:
    """What was handed in, how it ended, and the seconds and kibibytes that it took."""

    words: Words
    ended: Ended
    seconds: float
    kibibytes: int


def answer(seed: int, folder: Path, run: Path, command: Command) -> Answer:
    """Hand a case in."""
    chance = Random(seed)
    words = KINDS[seed % len(KINDS)](folder, run, chance)
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ended = command(*words)
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return Answer(words, ended, time.monotonic() - start, kibibytes)


def faults(found: Answer) -> list[str]:
    """What of an answer is not as every answer is to be."""
    out, err, code = found.ended.out, found.ended.err, found.ended.code
    sentence = err.splitlines()[-1] if err.splitlines() else ""
    wrong = {
        f"it took {found.seconds:.0f} s": found.seconds >= SECONDS,
        f"it took {found.kibibytes} KiB": found.kibibytes >= KIBIBYTES,
        f"it ended with {code}": code not in {0, 2, 3},
        "it sends what a terminal obeys": any(ord(one) < 32 and one not in "\n\t" for one in out + err),
        "its sentence is none of ours": code == 2 and not sentence.startswith("gannet: "),
        "its sentence is long": code == 2 and len(sentence) >= LONGEST,
        "its sentence does not end": code == 2 and sentence[-1:] not in set(".?!"),
    }
    return [words for words, is_wrong in wrong.items() if is_wrong]


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, on a terminal that believes what it is sent."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("GANNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GANNET_DATA", raising=False)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(FEW))
def test_what_is_odd_is_answered(seed: int, away: Path, tiny_run: Path, gannet_command: Command) -> None:
    found = answer(seed, away, tiny_run, gannet_command)
    assert faults(found) == [], found


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(FEW, MANY))
def test_still_more_that_is_odd_is_answered(seed: int, away: Path, tiny_run: Path, gannet_command: Command) -> None:
    found = answer(seed, away, tiny_run, gannet_command)
    assert faults(found) == [], found


def test_what_is_wrong_with_an_answer_is_found() -> None:
    right = Answer([], Ended(2, "", "gannet: No run lies there."), 1.0, 0)
    assert faults(right) == []
    wrong = {
        "it took 60 s": replace(right, seconds=60.0),
        f"it took {KIBIBYTES} KiB": replace(right, kibibytes=KIBIBYTES),
        "it ended with 1": replace(right, ended=Ended(1, "", "")),
        "it sends what a terminal obeys": replace(right, ended=Ended(0, "\x1b[31m", "")),
        "its sentence is none of ours": replace(right, ended=Ended(2, "", "Error: no run lies there.")),
        "its sentence is long": replace(right, ended=Ended(2, "", f"gannet: {'x' * LONGEST}.")),
        "its sentence does not end": replace(right, ended=Ended(2, "", "gannet: no run lies there")),
    }
    for words, answer_ in wrong.items():
        assert faults(answer_) == [words]
