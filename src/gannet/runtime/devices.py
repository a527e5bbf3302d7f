"""Where a run computes: device, precision and processes, through Lightning Fabric."""

import os
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING

import torch

from gannet.runtime.process import at_exit, quiet
from gannet.runtime.process import keep_memory as keep_memory
from gannet.runtime.processor import multiplies_bf16
from gannet.schema import nearest

if TYPE_CHECKING:
    from lightning_fabric import Fabric

DEVICES = ("auto", "cpu", "cuda", "mps")


def launch(device: str, precision: str) -> "Fabric":
    """Give a launched Fabric for a device and a precision; under torchrun it joins the other processes.

    Raises:
        ValueError: a device that this machine or this PyTorch does not have.
    """
    from lightning_fabric import Fabric  # It takes longer to load than torch, and only who trains needs it.

    device = choose_device(device)
    keep_memory()
    world = processes()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    with quiet(), warnings.catch_warnings():
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
        at_exit(leave)
    return fabric


def join() -> None:
    """Join the other processes that torchrun started, if it did and this one has not joined yet."""
    if processes() > 1 and not torch.distributed.is_initialized():
        # Who waits may wait long: for the first process to put together what all have written.
        torch.distributed.init_process_group("gloo", timeout=timedelta(days=1))
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        at_exit(leave)


def leave() -> None:
    """Leave the other processes: threads that still listen to them while Python ends may abort this one."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def processes() -> int:
    """Tell how many processes work together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Tell whether this process is the one that speaks and writes for all."""
    return os.environ.get("RANK", "0") == "0"


def choose_device(device: str) -> str:
    """Give the device to compute on; `auto` prefers CUDA, then MPS, then the processor."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, there in found.items() if there)
    if device not in DEVICES:
        raise ValueError(f"There is no device {device!r}; {nearest(device, DEVICES)}")
    if not found[device]:
        raise ValueError(f"device={device} was asked for, but this PyTorch finds none; set device=auto.")
    return device


def choose_precision(precision: str, device: str) -> str:
    """Give `bf16` or `32`; `auto` takes bf16 where the hardware multiplies matrices in it."""
    if precision != "auto":
        return precision
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    return "bf16" if device == "cpu" and multiplies_bf16() else "32"
