"""What stands before gradio: requests that are too large, come by another name, or would fetch something elsewhere."""

import json
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from gannet.studio.bounds import LARGEST_UPLOAD, MEGABYTE

LOCAL = {"127.0.0.1", "localhost", "[::1]"}
"""By which names a browser here calls the page; a page elsewhere that points a name of its own at it is refused."""
LARGEST_REQUEST = 16 * MEGABYTE
"""Bytes of a request that is no upload."""
SEVERAL_FILES = 4
"""Times as large as one file all of an upload may be."""
PAST_THE_QUEUE = ("/gradio_api/run/", "/gradio_api/api/")
"""Paths by which gradio would be called at once; work waits for its turn."""
ELSEWHERE = ("/proxy=", "file=http:", "file=https:")
"""Paths by which gradio would fetch what lies on other machines."""
DEEPEST = 50
"""Levels of a request's JSON."""
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class Refused(Exception):
    """A request is not passed on: its status, and the sentence that says why."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Guard:
    """An ASGI application around another one.

    Args:
        app: what stands behind.
        local: whether it is reached from this machine alone, by its own names.
    """

    def __init__(self, app: App, local: bool) -> None:
        self.app, self.local = app, local

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it in a sentence."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            self._check_address(scope["path"], headers)
            if scope["method"] == "POST" and not _is_upload(scope["path"]):
                receive = await _read(receive, headers)
            elif scope["method"] == "POST":
                receive = _counted(receive, headers)
            await self.app(scope, receive, send)
        except Refused as refused:
            await _answer(send, refused)

    def _check_address(self, path: str, headers: dict[str, str]) -> None:
        host = headers.get("host", "").rsplit(":", 1)[0] if "]" not in headers.get("host", "") else "[::1]"
        if self.local and host not in LOCAL:
            raise Refused(403, "This page is for the machine that it runs on; open it by http://127.0.0.1.")
        if any(part in path.lower() for part in PAST_THE_QUEUE):
            raise Refused(404, "Endpoints are called by /gradio_api/call/NAME, which waits for its turn.")
        if any(part in path.lower() for part in ELSEWHERE):
            raise Refused(403, "This page fetches nothing from other machines.")


def _is_upload(path: str) -> bool:
    return path.rstrip("/").endswith("/upload")


async def _read(receive: Receive, headers: dict[str, str]) -> Receive:
    """Read all of a small request, and look at its JSON, before any of it is passed on."""
    counted, body, more = _counted(receive, headers, LARGEST_REQUEST), bytearray(), True
    while more:
        message = await counted()
        if message["type"] != "http.request":
            return _again([message], receive)
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if "json" in headers.get("content-type", "json") and body:
        _check_json(bytes(body))
    return _again([{"type": "http.request", "body": bytes(body), "more_body": False}], receive)


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Give messages that were read once more, then what follows."""

    async def give() -> Message:
        return messages.pop(0) if messages else await receive()

    return give


def _counted(receive: Receive, headers: dict[str, str], most: int = SEVERAL_FILES * LARGEST_UPLOAD) -> Receive:
    """Give what is received until it is too much, which its headers may say beforehand."""
    too_much = Refused(413, f"The request is larger than {most // MEGABYTE:,} MB; give less at once.")
    told, seen = headers.get("content-length", "0"), 0
    if not told.isdecimal() or int(told) > most:
        raise too_much

    async def give() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_much
        return message

    return give


def _check_json(body: bytes) -> None:
    """Refuse what is no JSON, is too deep, or names a file on another machine."""
    try:
        for name, value in _named(json.loads(body)):
            if name == "path" and isinstance(value, str) and "://" in value:
                raise Refused(400, "A file is uploaded; what lies on other machines is not fetched.")
    except (ValueError, RecursionError):
        raise Refused(400, "The request is no JSON that can be read.") from None


def _named(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every key of JSON with its value, however deep."""
    if depth > DEEPEST:
        raise ValueError("too deep")
    for name, below in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield str(name), below
        yield from _named(below, depth + 1)


async def _answer(send: Send, refused: Refused) -> None:
    content = json.dumps({"error": refused.words}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
