"""Compiled networks where they must run as they are written."""

import sys
from contextlib import AbstractContextManager, nullcontext

import torch


def as_written() -> AbstractContextManager[object]:
    """Let compiled networks run as they are written: what is compiled can be differentiated once only."""
    # Nothing is compiled before this was imported, which takes a second.
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()
