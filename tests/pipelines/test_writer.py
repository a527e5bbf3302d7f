"""A delivery is whole or not there, the same however it came about, and can be learned from."""

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import gannet
from gannet.data.sources import open_source
from gannet.pipelines import writer
from gannet.pipelines.packing import Entry, folders
from gannet.pipelines.writer import Order, Share, deliver
from gannet.provenance.metadata import SYNTHETIC, metadata

CLASSES = ("T-shirt/top", "hat")


def picture(index: int) -> Image.Image:
    pixels = np.random.default_rng(index).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(pixels)


def an_order(count: int = 11, made: list[int] | None = None, fails_at: int = -1, labelled: bool = True) -> Order:
    """Parts of four; `made` notes by twos what is made."""
    classes = CLASSES if labelled else ()

    def part(first: int) -> list[Entry]:
        entries = []
        for index in range(first, min(first + 4, count)):
            if index % 2 == 0 and made is not None:
                made.append(index)
            if index == fails_at:
                raise KeyboardInterrupt
            label = index % 2 if labelled else -1
            content = io.BytesIO()
            picture(index).save(content, "PNG", **metadata(".png", {"model": "m", "index": index}))
            path = f"{folders(classes)[label]}{index:06d}.png"
            entries.append(Entry(path, content.getvalue(), label, f"{index}\n"))
        return entries

    parts = [partial(part, first) for first in range(0, count, 4)]
    return Order({"model": "m", "num": count}, parts, classes)


def content(path: Path) -> dict[str, str]:
    files = sorted(path.rglob("*.png")) if path.is_dir() else [path]
    return {str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


ENDINGS = pytest.mark.parametrize("ending", ["", ".zip", ".parquet"])


@ENDINGS
def test_what_is_delivered_is_a_data_set_with_its_classes(ending: str, tmp_path: Path) -> None:
    path = deliver(tmp_path / f"new{ending}", an_order())
    source = open_source(str(path))
    records = list(source.records())
    assert len(records) == 11 and len(source.classes) == 2
    pixels = sorted(np.asarray(record.read()).tobytes() for record in records)
    assert pixels == sorted(np.asarray(picture(index)).tobytes() for index in range(11))
    told = sorted(source.classes[record.label].replace("/", "-") for record in records)
    assert told == ["T-shirt-top"] * 6 + ["hat"] * 5
    assert list(tmp_path.iterdir()) == [path]


@ENDINGS
def test_every_file_says_that_it_is_synthetic(ending: str, tmp_path: Path) -> None:
    path = deliver(tmp_path / f"new{ending}", an_order(labelled=False))
    if ending == "":
        contents = [file.read_bytes() for file in sorted(path.iterdir())]
    elif ending == ".zip":
        with zipfile.ZipFile(path) as archive:
            contents = [archive.read(name) for name in sorted(archive.namelist())]
    else:
        import pyarrow.parquet as parquet

        contents = [cell["bytes"] for cell in parquet.read_table(path)["image"].to_pylist()]
    assert len(contents) == 11
    for index, one in enumerate(contents):
        with Image.open(io.BytesIO(one)) as opened:
            assert SYNTHETIC in str(opened.text) and f'"index": {index}' in opened.text["Comment"]  # type: ignore[attr-defined]


@ENDINGS
def test_a_delivery_that_was_broken_off_goes_on_and_ends_the_same(ending: str, tmp_path: Path) -> None:
    whole = deliver(tmp_path / f"whole{ending}", an_order())
    path = tmp_path / f"new{ending}"
    with pytest.raises(KeyboardInterrupt):
        deliver(path, an_order(fails_at=6))
    assert not path.exists()
    made: list[int] = []
    deliver(path, an_order(made=made))
    assert made == [4, 6, 8, 10]  # The first part, of two batches, was there.
    assert content(path) == content(whole) if ending == "" else path.read_bytes() == whole.read_bytes()


@ENDINGS
def test_several_write_what_one_would(ending: str, tmp_path: Path) -> None:
    whole, path = deliver(tmp_path / f"whole{ending}", an_order()), tmp_path / f"new{ending}"
    first: list[int] = []
    second: list[int] = []
    waits = iter([lambda: None, lambda: deliver(path, an_order(made=second), Share(1, 2)), lambda: None])
    deliver(path, an_order(made=first), Share(0, 2, lambda: next(waits)()))  # type: ignore[no-untyped-call]
    assert first == [0, 2, 8, 10] and second == [4, 6]
    assert content(path) == content(whole) if ending == "" else path.read_bytes() == whole.read_bytes()


@ENDINGS
def test_what_is_left_of_a_finished_delivery_is_not_taken_for_a_new_one(ending: str, tmp_path: Path) -> None:
    """As when it was killed between moving the file and tidying up."""
    path, building = tmp_path / f"new{ending}", tmp_path / f"new{ending}.partial"
    with pytest.raises(KeyboardInterrupt):
        deliver(path, an_order(fails_at=6))
    (building / writer.NOTE).unlink()
    made: list[int] = []
    deliver(path, an_order(made=made))
    assert made == [0, 2, 4, 6, 8, 10] and list(tmp_path.iterdir()) == [path]


def test_a_part_that_another_process_never_wrote_is_missed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same disk"):
        deliver(tmp_path / "new", an_order(), Share(0, 2))
    assert not (tmp_path / "new").exists()


def test_two_deliveries_do_not_write_the_same_at_once(tmp_path: Path) -> None:
    def second() -> None:
        with pytest.raises(ValueError, match="Another process"):
            deliver(tmp_path / "new", an_order())

    waits = iter([second, lambda: None, lambda: None])
    deliver(tmp_path / "new", an_order(), Share(0, 1, lambda: next(waits)()))  # type: ignore[no-untyped-call]


def test_what_appeared_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    waits = iter([lambda: (tmp_path / "new.zip").write_bytes(b"mine"), lambda: None])
    with pytest.raises(ValueError, match="appeared meanwhile"):
        deliver(tmp_path / "new.zip", an_order(), Share(0, 1, lambda: next(waits)()))  # type: ignore[no-untyped-call]
    assert (tmp_path / "new.zip").read_bytes() == b"mine"
    (tmp_path / "new.zip").unlink()
    made: list[int] = []
    deliver(tmp_path / "new.zip", an_order(made=made))
    assert made == []


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_the_record_has_a_line_for_each_picture_however_many_made_it(ending: str, tmp_path: Path) -> None:
    order = replace(an_order(), record="index\n", workers=2)
    with pytest.raises(KeyboardInterrupt):
        deliver(tmp_path / f"new{ending}", replace(order, parts=an_order(fails_at=6).parts, workers=1))
    path = deliver(tmp_path / f"new{ending}", order)
    if ending:
        with zipfile.ZipFile(path) as archive:
            record = archive.read("record.csv").decode()
    else:
        record = (path / "record.csv").read_text(encoding="utf-8")
    assert record.splitlines() == ["index", *map(str, range(11))]


def test_classes_never_share_a_folder() -> None:
    assert len(set(folders(("a-b (2)", "a-b", "a/b")).values())) == 4
    assert list(folders(("a/b", "a-b", "A-B", "...", "c")).values()) == [
        "",
        "a-b/",
        "a-b (1)/",
        "A-B (2)/",
        "-/",
        "c/",
    ]


ASKED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner).map(tuple) | st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=3), ASKED))
def test_whatever_tells_an_order_the_same_one_goes_on(
    tmp_path_factory: pytest.TempPathFactory, asked: dict[str, object]
) -> None:
    """Of tuples, NaN and the like a note holds only what JSON can."""
    path, made = tmp_path_factory.mktemp("same") / "new.zip", list[int]()
    with pytest.raises(KeyboardInterrupt):
        deliver(path, replace(an_order(fails_at=6), asked=asked))
    deliver(path, replace(an_order(made=made), asked=asked))
    assert made == [4, 6, 8, 10]


def test_another_order_does_not_go_on_where_this_one_stood(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        deliver(tmp_path / "new.zip", an_order(fails_at=6))
    with pytest.raises(ValueError, match="beginning of something else"):
        deliver(tmp_path / "new.zip", an_order(count=12))


@pytest.mark.parametrize("damaged", [b"", b'{"model": "m"', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_note_of_an_order_is_named_with_the_way_out(damaged: bytes, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        deliver(tmp_path / "new.zip", an_order(fails_at=6))
    building = tmp_path / "new.zip.partial"
    (building / writer.NOTE).write_bytes(damaged)
    with pytest.raises(ValueError, match=rf"{writer.NOTE} is damaged; remove \S*{building.name} and ask for the same"):
        deliver(tmp_path / "new.zip", an_order())
    assert (building / "parts" / "000000").is_file()


def test_a_folder_of_somebody_else_where_a_delivery_is_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "new.partial").mkdir()
    (tmp_path / "new.partial" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds mine.txt, which Gannet did not write"):
        deliver(tmp_path / "new", an_order())
    assert (tmp_path / "new.partial" / "mine.txt").read_text() == "mine"


@ENDINGS
@pytest.mark.parametrize("path", ["C:/x.png", "\\\\server\\x.png", "a\\..\\..\\x.png", "../../x.png", "/nowhere/x.png"])
def test_what_leads_out_of_a_delivery_is_refused(ending: str, path: str, tmp_path: Path) -> None:
    order = Order({"model": "m"}, [lambda: [Entry("in.png", b"in"), Entry(path, b"out")]])
    with pytest.raises(ValueError, match="lead out of where it is written to"):
        deliver(tmp_path / "below" / f"new{ending}", order)
    made = [file for file in tmp_path.rglob("*") if file.is_file() and file.read_bytes() in (b"in", b"out")]
    assert made == []


def test_what_exists_stays(tmp_path: Path) -> None:
    path = deliver(tmp_path / "new", an_order())
    before = content(path)
    with pytest.raises(ValueError, match="exists"):
        deliver(path, an_order(count=3))
    assert content(path) == before


@ENDINGS
def test_applying_streams_what_the_pipeline_gives(ending: str, tiny_run: Path, tmp_path: Path) -> None:
    gannet.apply(tiny_run, out=tmp_path / f"streamed{ending}", num=150, seed=3, engine="torch")
    gannet.load(tiny_run)(num=150, seed=3, engine="torch").save(tmp_path / f"saved{ending}")
    streamed, saved = tmp_path / f"streamed{ending}", tmp_path / f"saved{ending}"
    assert content(streamed) == content(saved)


def test_processes_of_torchrun_write_a_share_each(tiny_run: Path, tmp_path: Path) -> None:
    words = ["gannet", "apply", str(tiny_run), "--num", "2100", "--out"]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "--"]
    for launcher, out in ((torchrun, "new.zip"), (["-m"], "alone.zip")):
        command = [sys.executable, *launcher, *words, out]
        subprocess.run(
            command, cwd=tmp_path, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True
        )
    assert content(tmp_path / "new.zip") == {".": content(tmp_path / "alone.zip")["."]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone.zip", "new.zip"]
