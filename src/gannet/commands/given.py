"""What verbs are given in Python: data by name or in memory, and whoever watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from gannet.runtime.devices import processes
from gannet.runtime.process import in_notebook
from gannet.runtime.progress import OnProgress, ShouldStop, Watch


@contextmanager
def watched(on_progress: OnProgress | None, should_stop: ShouldStop | None, title: str) -> Iterator[Watch]:
    """Give whoever watches a verb; in a notebook, where nobody is named, a line below its cell."""
    if on_progress is None and in_notebook():
        from gannet.training.progress import Terminal

        with Terminal(title) as line:
            yield Watch(line, should_stop)
    else:
        yield Watch(on_progress, should_stop)


def refuse_pictures(*given: object) -> None:
    """Refuse pictures in memory where paths are wanted, for results are named by files."""
    for one in given:
        if isinstance(one, Image.Image) or len(getattr(one, "shape", ())):
            raise ValueError(
                "gannet.apply takes the paths of files and folders; give a picture in memory to the model itself: "
                "gannet.load(MODEL)(picture)."
            )


@contextmanager
def named(data: object, watch: Watch) -> Iterator[str | Path]:
    """Give the name of data: a path or a word as it is; what is in memory is held under a name of its own meanwhile.

    Raises:
        ValueError: it is no data; one sentence.
        Stopped: `watch` wants it to stop while they are read.
    """
    if isinstance(data, str | Path):
        yield data
        return
    from gannet.data.sources.memory import held

    # Of several processes none may leave alone.
    with held(data, watch if processes() == 1 else Watch(watch.on_progress)) as name:
        yield name
