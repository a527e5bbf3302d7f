"""Gradio's page where ours differs: what a mistake says, what a session costs, how often work is looked for."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import BlocksConfig
from gradio.exceptions import InvalidPathError
from gradio.queueing import Queue
from PIL import UnidentifiedImageError

from gannet.studio import work
from gannet.studio.translation import translate

Key = TypeVar("Key")
Value = TypeVar("Value")
MISREAD = "The request is not what this action takes; the page at ?view=api lists what each does."
NO_PICTURE = "What was put in as a picture is none in a format that Gannet reads; give another file, such as a PNG."
GONE = "This part of the page has been drawn anew meanwhile; do it again."
SESSIONS = 512
"""Whose state is kept. Every call of a program is a session; those of open tabs are used all the time, and stay."""
WAITING, AT_ONCE = 256, 4
"""Requests that wait at most, and of one function that are worked on where it does not say otherwise."""
GLANCE = 0.01
"""Seconds between two looks for new work; gradio's own, a millisecond, keep a twentieth of a core busy with looking."""
DRAWN: Mapping[str, Any] = {"concurrency_id": "drawn", "concurrency_limit": 1}
"""How parts that are drawn anew take turns: what gradio counts of one, all tabs have in common."""
_answer: ContextVar[ExitStack] = ContextVar("answer")


class Page(gr.Blocks):
    """A page whose requests fail in one sentence, whoever finds what is wrong with them."""

    def __init__(self, language: str = "en", **given: Any) -> None:
        self.language = language  # Before gradio asks for the queue.
        super().__init__(**given)
        self.api_open, self.state_session_capacity = False, SESSIONS
        config = Config(self)
        vars(config).update(vars(self.default_config))
        self.default_config = config

    def queue(self, **given: Any) -> "Page":  # noqa: ARG002
        """Let requests take turns; gradio asks for it, and would build an application that mounting builds anew."""
        self._queue = Turns(
            live_updates=False,  # Whoever waits is told every second, not at the end of every job.
            concurrency_count=self.max_threads,
            update_intervals=1,
            max_size=WAITING,
            blocks=self,
            default_concurrency_limit=AT_ONCE,
        )
        self._queue.language = self.language
        self._queue.sleep_when_free = self._queue.progress_update_sleep_when_free = GLANCE
        return self

    async def process_api(self, *given: Any, **named: Any) -> Any:
        """Answer a request; what of it gradio cannot read is said without its inner words."""
        try:
            with _answering():
                return await super().process_api(*given, **named)
        except gr.Error as error:
            raise work.told(error, self.language) from None
        except (ValueError, InvalidPathError) as error:  # Ours are errors of the page already.
            words = NO_PICTURE if isinstance(error.__cause__, UnidentifiedImageError) else MISREAD
            raise work.told(gr.Error(words, print_exception=False), self.language) from None
        except Exception as error:
            raise work.told(work.mistake(error), self.language) from None


class Turns(Queue):
    """The requests that wait; one that a part of the page makes which is there no more is answered in a sentence.

    Attributes:
        language: of the sentence.
    """

    language = "en"

    async def push(self, *given: Any, **named: Any) -> Any:
        """Let a request wait for its turn."""
        try:
            return await super().push(*given, **named)
        except KeyError:
            return False, translate(self.language, GONE), "error"


class Steady(dict[Key, Value]):
    """What a session's page consists of, looked through as it is now: another part that is drawn meanwhile adds to it,
    and gradio goes through it in several threads.
    """

    def values(self) -> Any:
        """Give the values that there are now."""
        return list(super().values())


class Config(BlocksConfig):
    """A page's components, of which gradio describes each anew for every session: that is done once here."""

    def __init__(self, page: gr.Blocks) -> None:
        super().__init__(page)
        self.described: dict[int, tuple[Any, dict[str, Any]]] = {}

    def __copy__(self) -> Any:
        """Give what a session starts with."""
        session: Any = super().__copy__()  # type: ignore[no-untyped-call]
        session.config_for_block = self.describe
        session.blocks, session.fns = Steady(session.blocks), Steady(session.fns)
        return session

    def describe(self, number: int, rendered: list[int], block: Any, renderable: Any = None) -> dict[str, Any]:
        """Describe a component: one of the page itself as it was before, in a copy that the session may change."""
        own: Any = self.blocks.get(number)
        if renderable or own is not block:
            return dict(super().config_for_block(number, rendered, block, renderable))
        if self.described.get(number, (None,))[0] is not block:
            self.described[number] = block, super().config_for_block(number, rendered, block)
        config = self.described[number][1]
        return {**config, "props": dict(config["props"])}


@contextmanager
def _answering() -> Iterator[None]:
    """Keep what `until_answered` is given until gradio has taken what it wants of it."""
    with ExitStack() as stack:
        token = _answer.set(stack)
        try:
            yield
        finally:
            _answer.reset(token)


def until_answered(context: AbstractContextManager[Value]) -> Value:
    """Enter a context that is left once the request is answered, in a function of a page that is no generator."""
    return _answer.get().enter_context(context)
