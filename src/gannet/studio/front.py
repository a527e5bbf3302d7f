"""What stands before gradio's page: its language and its direction, and what keeps it quiet, from the first byte."""

from importlib import resources

from gannet.studio.guard import App, Message, Receive, Send
from gannet.studio.words import direction, languages

PLAIN = b'lang="en"'
"""How gradio's page says its language, whichever that is."""
HEAD = b"<head>"
QUIET = (resources.files("gannet.studio") / "quiet.js").read_bytes()


def path_of(language: str) -> str:
    """Give the address of the page in a language."""
    return "/" if language == "en" else f"/{language}/"


class Front:
    """An ASGI application around another one, whose pages it gives in their languages.

    Gradio asks the browser for the language of its own words, such as those of a field for files; the page answers.
    """

    def __init__(self, app: App) -> None:
        self.app, self.pages = app, {path_of(language): language for language in languages()}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, and change the answer where it is a page."""
        language = self.pages.get(scope.get("path", "")) if scope["type"] == "http" else None
        if language is None:
            await self.app(scope, receive, send)
            return
        headers = [one for one in scope["headers"] if one[0].lower() != b"accept-encoding"]  # To come unpacked.
        await self.app({**scope, "headers": headers}, receive, _translating(send, language))


def _translating(send: Send, language: str) -> Send:
    """Give what sends a page once all of it is there, in its language; anything else as it comes."""
    begun: Message = {}
    body = bytearray()

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.update(message)
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body", False):
            page = translated(bytes(body), language)
            kept = [one for one in begun["headers"] if one[0].lower() != b"content-length"]
            await send({**begun, "headers": [*kept, (b"content-length", str(len(page)).encode())]})
            await send({"type": "http.response.body", "body": page})

    return take


def translated(page: bytes, language: str) -> bytes:
    """Give a page that says its language, its direction, that gradio is to speak it, too, and that rests."""
    says = f'lang="{language}" dir="{direction(language)}"'.encode()
    spoken = f'<script>Object.defineProperty(navigator, "language", {{ get: () => "{language}" }});</script>'.encode()
    return page.replace(PLAIN, says, 1).replace(HEAD, HEAD + spoken + b"<script>" + QUIET + b"</script>", 1)
