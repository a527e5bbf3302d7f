"""What strangers send: no file of this machine is read, nothing is fetched, and no answer is a fault of the server."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import as_file

Ask = Callable[..., Any]
Upload = Callable[..., list[dict[str, Any]]]
MODEL = "super-resolution-fast-v1"
PATHS = ["/etc/passwd", "../secret.txt", "secret.txt", "runs/../secret.txt", "/proc/self/environ", "..\\secret.txt"]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out(ask: Ask, studio: Any, path: str) -> None:
    whole = str(studio.folder / path) if path[0] not in "/" else path
    answers = [
        ask("apply", MODEL, [as_file(whole)], {}),
        ask("apply", MODEL, [{"path": whole}], {}),
        ask("apply", MODEL, [whole], {}),
        ask("apply", path, None, {}),
        ask("apply", "landscapes-v1", None, {"palette": whole}),
        ask("explore", path, None, {}),
        ask("explore", "tiny", [as_file(whole)], {}),
        ask("explore", "tiny", None, {"picture": whole}),
        ask("explore", "tiny", None, {"out": path}),
        ask("explore", "tiny", None, {"weights": whole}),
        ask("doctor", path),
        ask("doctor", whole),
        ask("judge", "tiny", whole, {}),
        ask("judge", "tiny", "", {"features": whole}),
        ask("card", whole),
        ask("interface", whole),
        ask("view", path),
        ask("resume", whole, {}),
        ask("train", whole, "", {}, ""),
        ask("train", "digits", whole, {}, ""),
        ask("train", "digits", "", {"data.source": whole}, ""),
        ask("train", "digits", "", {"start_from": whole}, ""),
        ask("train", "digits", "", {}, path),
    ]
    for answer in answers:
        assert answer.error and answer.status < 500, answer
        assert "secret of" not in answer.error and "root:" not in answer.error and "\n" not in answer.error


@pytest.mark.parametrize("path", [*PATHS, "http://127.0.0.1:9/x", "log.txt", "runs/tiny/recipe.yaml"])
@pytest.mark.parametrize("page", ["", "/fa"])
def test_files_are_not_served(studio: Any, path: str, page: str) -> None:
    for address in (f"/gradio_api/file={path}", f"/gradio_api/file={studio.folder / path}", f"/static/{path}"):
        assert 400 <= httpx.get(f"{studio.url}{page}{address}", timeout=30).status_code < 500, address


WRONG: list[Any] = [None, 5, -1, 1e308, 10**40, True, "", " ", "\0", "x" * 20_000, [], {}, [[[]]], {"num": 10**30}]
WRONG += [{"num": "many"}, {"seed": -1}, {"strength": [1]}, {"../x": 1}, {"num": {"deep": {}}}, {"class": "\u202e"}]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: repr(wrong)[:30])
def test_what_is_none_ends_in_one_sentence(ask: Ask, wrong: Any) -> None:
    asked = [("apply", wrong, None, {}), ("apply", "tiny", wrong, {}), ("apply", "tiny", None, wrong)]
    asked += [("explore", wrong, None, {}), ("explore", "tiny", wrong, {}), ("explore", "tiny", None, {"to": wrong})]
    asked += [("explore", "tiny", None, wrong)]
    asked += [("judge", wrong, "", {}), ("judge", "tiny", wrong, {"fast": True, "num": 1}), ("doctor", wrong)]
    asked += [
        ("view", wrong),
        ("train", wrong, "", {}, ""),
        ("train", "digits", "", {"task": wrong}, ""),
        ("stop", wrong),
    ]
    for name, *data in asked:
        if wrong in (None, {}, [], "", " ", False) and [name, data[0]] in [
            ["apply", "tiny"],
            ["judge", "tiny"],
            ["explore", "tiny"],
        ]:
            continue  # Nothing is what may be given there.
        if name == "train" and data[0] == "digits" and not wrong:
            continue
        answer = ask(name, *data)
        assert answer.status < 500, (name, data, answer)
        assert answer.error is None or "\n" not in answer.error


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": "x"}, {"data": [[]] * 99}, {"data": [], "fn_index": 10**9}]
)
@pytest.mark.parametrize("address", ["/gradio_api/call/apply", "/gradio_api/queue/join", "/gradio_api/run/apply"])
def test_bodies_that_are_no_request(studio: Any, body: Any, address: str) -> None:
    assert httpx.post(f"{studio.url}{address}", json=body, timeout=60).status_code < 500


def test_a_part_of_the_page_that_is_there_no_more_is_told(studio: Any) -> None:
    body = {"data": [], "fn_index": 10**6, "session_hash": "gone"}
    answer = httpx.post(f"{studio.url}/gradio_api/queue/join", json=body)
    assert answer.status_code == 400 and "drawn anew meanwhile" in answer.json()["detail"]


def test_bytes_that_are_no_json(studio: Any) -> None:
    for content in (b"{", b"\xff\xfe", b"[" * 100_000, b"null", b'{"data": [{"path": "http://127.0.0.1:9/x"}]}'):
        answer = httpx.post(
            f"{studio.url}/gradio_api/queue/join", content=content, headers={"content-type": "application/json"}
        )
        assert 400 <= answer.status_code < 500, content[:20]


def test_a_request_that_is_too_large_is_refused_unread(studio: Any) -> None:
    host, _, port = studio.url.removeprefix("http://").partition(":")
    connection = HTTPConnection(host, int(port), timeout=60)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("content-length", str(10**12))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413 and b"larger than" in answer.read()
    connection.close()


def test_another_name_for_this_machine_is_refused(studio: Any) -> None:
    """A page elsewhere may point a name of its own at 127.0.0.1; a browser then sends that name."""
    assert httpx.get(studio.url, headers={"host": "elsewhere.example"}).status_code == 403
    assert httpx.get(studio.url, headers={"host": "localhost:80"}).status_code == 200


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"GIF89a" + b"\xff" * 99]
)
def test_broken_pictures_are_named(ask: Ask, upload: Upload, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    answer = ask("apply", MODEL, upload(tmp_path / "broken.png"), {})
    assert answer.status < 500 and "broken.png" in answer.error and "\n" not in answer.error


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gannet.studio import bounds

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(bounds, "MOST_UNPACKED", 10**6)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2 * 10**6))
    with pytest.raises(ValueError, match="would unpack to 2 MB"):
        bounds.uploaded_data([str(tmp_path / "bomb.zip")], tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_page_goes_on_after_all_that(ask: Ask) -> None:
    assert "tiny" in ask("models").data[0]
