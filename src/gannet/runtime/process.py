"""What belongs to the whole process: a library call gives it back as it was, a process of our own may change it."""

import atexit
import ctypes
import logging
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD, KEPT_BYTES = -1, -3, 2**30
"""mallopt's numbers of two thresholds, and how many freed bytes are kept."""
LOGGERS = ("lightning_fabric", "torch.onnx")
"""Who would tell of choices that the progress line and `--dry-run` say."""
_owned = threading.Event()


def own_process() -> None:
    """Say that the process is ours: memory may be kept for the next round, and what was joined is left at the end.

    The command line says so. A program that calls the library decides for itself; under torchrun it says so too, or
    ends with `torch.distributed.destroy_process_group()`.
    """
    _owned.set()


def in_notebook() -> bool:
    """Tell whether Python runs below a notebook, where IPython's shell has a kernel; at a terminal it has none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def at_exit(leave: Callable[[], None]) -> None:
    """Call something when a process of our own ends."""
    if _owned.is_set():
        atexit.register(leave)


def let_go_of_output() -> None:
    """Forget what can be written nowhere any more: Python would try again at the end, and fail with a code of its own.

    A pipe or terminal was closed, or the disk is full.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except OSError:
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
        except ValueError:  # It is closed, and holds nothing.
            continue


def keep_memory() -> None:
    """Keep freed memory for the next round: asked of the system anew, it is cleared page by page each time.

    In a process of our own the GNU library's allocator is told so (mallopt); others decide for themselves.
    """
    if _owned.is_set() and platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        # Older ones refuse more than 32 MiB; and without this threshold, the other would make matters worse.
        if any(library.mallopt(MMAP_THRESHOLD, size) for size in (KEPT_BYTES, 2**25)):
            library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)


class _Shared:
    """State of the process that several threads may want changed at once: the first in keeps it, the last out restores.

    Args:
        keep: notes how it is and returns what restores it.
    """

    def __init__(self, keep: Callable[[], Callable[[], None]]) -> None:
        self.keep, self.inside, self.lock = keep, 0, threading.Lock()
        self.restore: Callable[[], None] = _nothing

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self.lock:
            self.restore = self.restore if self.inside else self.keep()
            self.inside += 1
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1
                if not self.inside:
                    self.restore()


def _nothing() -> None:
    return


def _be_quiet() -> Callable[[], None]:
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)

    def restore() -> None:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)

    return restore


def _keep() -> Callable[[], None]:
    """Note torch's randomness, its choice of convolutions and who hears of the end of a child."""
    import torch

    drawn, deterministic = _randomness(), torch.backends.cudnn.deterministic
    number = getattr(signal, "SIGCHLD", None)  # PyTorch's loaders listen to it; Windows has none.
    listener = signal.getsignal(number) if number else None

    def restore() -> None:
        if number and listener is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, listener)
        torch.backends.cudnn.deterministic = deterministic
        for set_state, state in drawn:
            set_state(state)

    return restore


def _randomness() -> list[tuple[Callable[[Any], None], Any]]:
    """The state of each device's generator, with what sets it."""
    import torch

    states: list[tuple[Callable[[Any], None], Any]] = [(torch.set_rng_state, torch.get_rng_state())]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    if torch.backends.mps.is_available():
        states.append((torch.mps.set_rng_state, torch.mps.get_rng_state()))
    return states


def _be_deterministic() -> Callable[[], None]:
    import torch

    before, torch.backends.cudnn.deterministic = torch.backends.cudnn.deterministic, True

    def restore() -> None:
        torch.backends.cudnn.deterministic = before

    return restore


quiet = _Shared(_be_quiet)
"""A context in which libraries do not tell of the choices that were made for them."""
borrowed = _Shared(_keep)
"""A context around a library call: what it changes of the process is given back."""
deterministic = _Shared(_be_deterministic)
"""A context in which convolutions on a GPU sum in the same order, so that a resumed run is the undisturbed one."""
drawing = threading.RLock()
"""Held while torch's own randomness is seeded and drawn from, which all threads share."""
