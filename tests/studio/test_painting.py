"""Painting that follows the brush: the newest stroke of a tab, models that stay, marks, and no files."""

from __future__ import annotations

import io
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("gradio")

from gannet import api
from gannet.pipelines.hub import shipped_models
from gannet.studio import easel
from gannet.studio.painting import Painters, shown

MODEL = "landscapes-v1"


def drawn(colour: str = "#87c5eb") -> bytes:
    """A map of one class above grass."""
    picture = Image.new("RGB", (256, 192), colour)
    picture.paste("#86b93e", (0, 96, 256, 192))
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


class Slow:
    """A model that paints when it is let, and notes what."""

    file: Path | None = None

    def __init__(self) -> None:
        self.begun, self.go, self.seen = threading.Event(), threading.Event(), list[Any]()

    def __call__(self, **given: Any) -> Any:
        self.begun.set()
        self.go.wait(20)
        self.seen.append(given["map"])
        return self

    def encode(self, ending: str) -> bytes:
        return ending.encode()


def test_of_a_tabs_strokes_only_the_newest_is_worked_on() -> None:
    slow, painters, answers = Slow(), Painters(), dict[str, Any]()
    painters.loaded["slow"] = 0, slow  # type: ignore[assignment]

    def ask(tab: str, stroke: str) -> None:
        answers[stroke] = painters.painted(tab, "slow", {"map": stroke.encode()}, {})

    def begin(tab: str, stroke: str) -> threading.Thread:
        before = painters.newest.get(tab)
        thread = threading.Thread(target=ask, args=(tab, stroke))
        thread.start()
        while painters.newest.get(tab) == before:
            pass
        return thread

    threads = [begin("one", "first")]
    slow.begun.wait(20)
    threads += [begin("one", "second"), begin("other", "theirs"), begin("one", "third")]
    slow.go.set()
    for thread in threads:
        thread.join(20)
    assert answers == {"first": b".jpg", "second": None, "theirs": b".jpg", "third": b".jpg"}
    assert sorted(slow.seen) == [b"first", b"theirs", b"third"] and painters.newest == {}


def test_a_mistake_leaves_nothing_waiting() -> None:
    painters = Painters()
    with pytest.raises(ValueError, match="cannot be read"):
        painters.painted("one", MODEL, {"map": b"no picture"}, {})
    assert painters.newest == {} and painters.painted("one", MODEL, {"map": drawn()}, {})


def test_the_picture_is_the_librarys_and_says_where_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    painters = Painters()
    first = painters.painted("one", MODEL, {"map": drawn()}, {"seed": 2})
    again = painters.painted("one", MODEL, {"map": drawn("#7d7068")}, {"seed": 2})
    assert first == api.load(MODEL)(drawn(), seed=2).encode(".jpg") != again  # type: ignore[union-attr]
    assert b"rainedAlgorithmicMedia" in first and list(tmp_path.iterdir()) == []
    assert len(painters.loaded) == 1 and Image.open(io.BytesIO(first)).size == (256, 192)


def test_a_model_stays_until_its_weights_are_written_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded = list[str]()

    def load(target: str) -> Any:
        loaded.append(target)
        model = Slow()
        model.go.set()
        model.file = tmp_path / target
        model.to = lambda _: model  # type: ignore[attr-defined]
        return model

    monkeypatch.setattr(api, "load", load)
    painters = Painters()
    for name in "abc":
        (tmp_path / name).write_bytes(b"1")
    for target in "aab":
        painters.painted("one", target, {"map": b""}, {})
    assert loaded == ["a", "b"]
    import os

    os.utime(tmp_path / "a", (1, 1))
    for target in "acb":
        painters.painted("one", target, {"map": b""}, {})
    assert loaded == ["a", "b", "a", "c", "b"], "written anew; and of three models two stay"


def test_what_an_easel_sends_is_the_file_of_a_map() -> None:
    assert easel.content(easel.PNG + b64encode(drawn()).decode()) == drawn()
    assert easel.content(None) is None
    for wrong in ("data:image/svg+xml;base64,AAAA", "map.png", easel.PNG + "%%%", 5, ["x"]):
        with pytest.raises(ValueError, match="no painted map"):
            easel.content(wrong)


def test_painters_of_maps_have_brushes_and_others_none() -> None:
    found = {name: easel.paints_of(folder) for name, folder in shipped_models().items()}
    paints = found[MODEL]
    assert paints and paints.size == (256, 192) and paints.colours["sky"] == "#87c5eb" and len(paints.colours) == 11
    assert not any(one for name, one in found.items() if name != MODEL)


def test_a_picture_is_shown_without_a_file() -> None:
    assert shown(b"x", 'a "b"').startswith(
        '<img class="painted" alt="a &quot;b&quot;" src="data:image/jpeg;base64,eA=='
    )
