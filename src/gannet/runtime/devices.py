"""Where a run computes: device, precision and processes, through Lightning Fabric."""

import atexit
import ctypes
import logging
import os
import platform
import warnings
from datetime import timedelta

import torch
from lightning_fabric import Fabric

from gannet.schema import nearest

DEVICES = ("auto", "cpu", "cuda", "mps")
TRIM_THRESHOLD, MMAP_THRESHOLD, KEPT_BYTES = -1, -3, 2**30


def launch(device: str, precision: str) -> Fabric:
    """A launched Fabric for a device and a precision; under torchrun it joins the other processes.

    Raises:
        ValueError: a device that this machine or this PyTorch does not have.
    """
    device = choose_device(device)
    keep_memory()
    world = processes()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    # The same sums in the same order, so that a resumed run is the run that was not interrupted.
    torch.backends.cudnn.deterministic = True
    # What Fabric would print of its choices, the progress line and `--dry-run` say.
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fabric = Fabric(
            accelerator="gpu" if device == "cuda" else device,
            strategy="ddp" if world > 1 else "auto",
            devices=local,
            num_nodes=world // local,
            precision="bf16-mixed" if choose_precision(precision, device) == "bf16" else "32-true",
        )
        fabric.launch()
    if world > 1:
        atexit.register(leave)
    return fabric


def keep_memory() -> None:
    """Keep freed memory for the next round: asked of the system anew, it is cleared page by page each time.

    The GNU library's allocator is told so (mallopt); others decide for themselves.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        # Older ones refuse more than 32 MiB; and without this threshold, the other would make matters worse.
        if any(library.mallopt(MMAP_THRESHOLD, size) for size in (KEPT_BYTES, 2**25)):
            library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)


def join() -> None:
    """Join the other processes that torchrun started, if it did and this one has not joined yet."""
    if processes() > 1 and not torch.distributed.is_initialized():
        # Who waits may wait long: for the first process to put together what all have written.
        torch.distributed.init_process_group("gloo", timeout=timedelta(days=1))
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        atexit.register(leave)


def leave() -> None:
    """Leave the other processes: threads that still listen to them while Python ends may abort this one."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def processes() -> int:
    """How many processes work together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that speaks and writes for all."""
    return os.environ.get("RANK", "0") == "0"


def choose_device(device: str) -> str:
    """The device to compute on; `auto` prefers CUDA, then MPS, then the processor."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, there in found.items() if there)
    if device not in DEVICES:
        raise ValueError(f"There is no device {device!r}; {nearest(device, DEVICES)}")
    if not found[device]:
        raise ValueError(f"device={device} was asked for, but this PyTorch finds none; set device=auto.")
    return device


def choose_precision(precision: str, device: str) -> str:
    """`bf16` or `32`; `auto` takes bf16 where the hardware multiplies matrices in it."""
    if precision != "auto":
        return precision
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    capable: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return "bf16" if device == "cpu" and (capable.get("amx_bf16") or capable.get("avx512_bf16")) else "32"
