"""A studio that is shared with a network: whoever knows the password gets in, by the page and the API; nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("gradio")

WORDS = "correct horse"
CLOSED = {
    "GET": ("/config", "/gradio_api/info", "/gradio_api/file=log.txt", "/gradio_api/queue/data?session_hash=x"),
    "POST": ("/gradio_api/call/models", "/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/component_server"),
}
BODIES: dict[str, Any] = {
    "/gradio_api/call/models": {"data": []},
    "/gradio_api/queue/join": {"data": [], "fn_index": 0, "session_hash": "x"},
    "/gradio_api/component_server": {"data": {}, "component_id": 1, "fn_name": "play", "session_hash": "x"},
}


@pytest.fixture(scope="module")
def shared(serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address, on this machine, of a studio that listens to the network."""
    with serve(tmp_path_factory.mktemp("shared"), "--share-on-network", "--password", WORDS) as studio:
        yield f"http://127.0.0.1:{studio.url.rsplit(':', 1)[1]}"


def entered(url: str, name: str, words: str) -> tuple[httpx.Client, int]:
    """A client that tried to log in, and what it was answered."""
    client = httpx.Client(base_url=url, timeout=60)
    return client, client.post("/login", data={"username": name, "password": words}).status_code


@pytest.mark.parametrize("page", ["", "/fa"])
def test_without_the_password_everything_is_closed(shared: str, page: str) -> None:
    with httpx.Client(base_url=shared, timeout=60) as client:
        for method, paths in CLOSED.items():
            for path in paths:
                given = {"json": BODIES.get(path)} if method == "POST" else {}
                answer = client.request(method, page + path, **given)
                assert answer.status_code in {401, 403, 404}, (page, path, answer.status_code)


@pytest.mark.parametrize(("name", "words"), [("gannet", "wrong horse"), ("gannet", ""), ("admin", WORDS)])
def test_a_wrong_password_is_refused_and_opens_nothing(shared: str, name: str, words: str) -> None:
    client, status = entered(shared, name, words)
    with closing(client):
        assert 400 <= status < 500
        assert client.post("/gradio_api/call/models", json={"data": []}).status_code == 401


def test_the_right_one_opens_the_page_and_the_api(shared: str) -> None:
    client, status = entered(shared, "gannet", WORDS)
    with closing(client):
        assert status == 200
        assert client.get("/config").status_code == 200
        event = client.post("/gradio_api/call/models", json={"data": []}).json()["event_id"]
        told = client.get(f"/gradio_api/call/models/{event}").text
    (models,) = json.loads(told.split("data: ", 1)[1])
    assert models["inpainting-v2"] == "inpainting"


def test_the_client_of_the_docs_gets_in_by_it(shared: str) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    client = gradio_client.Client(shared, auth=("gannet", WORDS), verbose=False)
    assert "digits" in client.predict(api_name="/recipes")


def test_it_listens_to_the_network(shared: str) -> None:
    listening = Path("/proc/net/tcp")
    if not listening.is_file():
        pytest.skip("this system does not list sockets in /proc")
    port = f"{int(shared.rsplit(':', 1)[1]):04X}"
    assert any(line.split()[1] == f"00000000:{port}" for line in listening.read_text().splitlines()[1:])
