"""The page's language: said in its first bytes, whatever the browser's own is; all else passes as it comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("gradio")

from gannet.studio.front import Front, translated

PAGE = b'<!doctype html>\n<html\n\tlang="en"><head><title>Gannet</title></head></html>'


def answered(path: str, parts: list[bytes], headers: list[tuple[bytes, bytes]]) -> tuple[list[Any], list[Any]]:
    """Ask for a path: the headers that the application was asked with, and the messages that came back."""
    asked, sent = list[Any](), list[Any]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.extend(scope["headers"])
        length = str(sum(map(len, parts))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for number, part in enumerate(parts):
            await send({"type": "http.response.body", "body": part, "more_body": number + 1 < len(parts)})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": headers}
    asyncio.run(Front(app)(scope, None, send))  # type: ignore[arg-type]
    return asked, sent


@pytest.mark.parametrize(("path", "says"), [("/", b'lang="en" dir="ltr"'), ("/fa/", b'lang="fa" dir="rtl"')])
def test_a_page_that_comes_in_parts_says_its_language_and_how_long_it_is(path: str, says: bytes) -> None:
    asked, (start, body) = answered(path, [PAGE[:30], PAGE[30:]], [(b"Accept-Encoding", b"br"), (b"host", b"here")])
    assert asked == [(b"host", b"here")], "a packed page could not be changed"
    assert says in body["body"] and body["body"].endswith(b"<title>Gannet</title></head></html>")
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()


def test_what_is_no_page_passes_as_it_comes() -> None:
    headers = [(b"accept-encoding", b"br")]
    asked, sent = answered("/gradio_api/info", [PAGE, b"more"], headers)
    assert asked == headers and [one.get("body") for one in sent] == [None, PAGE, b"more"]


def test_words_of_the_page_itself_are_not_taken_for_its_language() -> None:
    twice = translated(PAGE + PAGE, "fa")
    assert twice.count(b'lang="fa"') == 1 and twice.endswith(PAGE)
