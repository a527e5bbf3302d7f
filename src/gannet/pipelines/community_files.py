"""The files of community networks: weights as safetensors, or as pickles that nothing but tensors is taken of."""

import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gannet.pipelines.hub import LARGEST
from gannet.pipelines.stand_in import standing_in
from gannet.runtime.files import read_tensors
from gannet.runtime.wording import reason

NEEDS = "Community networks need spandrel; run: pip install 'gannet[community]'"
MOST_BYTES = LARGEST["*.safetensors"]
"""Of a file, and of the tensors that it holds."""
MOST_NUMBERS = 2**27
"""That anything has which a network is built of, unless it is in the file."""
ALLOCATES = b"bytearray"
"""What PyTorch would call of a pickle that takes as much memory as it asks for."""
NUMBERS_A_NAME = 4
"""How many layers, with and without weights, there may be for each tensor that has a name."""
CALLED = re.compile(r"GLOBAL (\S+)")
"""What PyTorch says of a pickle that wants to call something."""


class Sizes(Protocol):
    """What spandrel tells of the sizes that a network takes."""

    minimum: int
    multiple_of: int


class Named(Protocol):
    """What spandrel tells of an architecture."""

    name: str


class Descriptor(Protocol):
    """What spandrel makes of a file's weights: the network, what it is, and how it is called."""

    model: nn.Module
    architecture: Named
    purpose: Literal["SR", "FaceSR", "Restoration", "Inpainting"]
    scale: int
    input_channels: int
    output_channels: int
    size_requirements: Sizes

    def __call__(self, *pictures: Tensor) -> Tensor:
        """Map a picture (1, c, h, w) in [0, 1], and a mask (1, 1, h, w) where it wants one, to a picture."""


def read_network(file: Path) -> Descriptor:
    """Build the network that a file holds the weights of, on the processor.

    Raises:
        ValueError: spandrel is not installed, the file is damaged or too large, would run code, holds no network, or
            one that spandrel does not know; one sentence.
    """
    weights = _weights(file)
    _check_weights(file, weights)
    return network_of(file, weights)


def network_of(file: Path, weights: Mapping[str, Any]) -> Descriptor:
    """Build the network that weights are of, which lie in a file or are to go there; raises as `read_network` does."""
    library = _spandrel()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _Bounded():  # type: ignore[no-untyped-call]
                found: Descriptor = library.ModelLoader().load_from_state_dict(weights)
    except library.UnsupportedModelError:
        raise ValueError(
            f"{file} holds the weights of no network that spandrel knows ({len(library.MAIN_REGISTRY)} architectures, "
            "among them ESRGAN, DAT and SwinIR)."
        ) from None
    except Exception as error:  # Weights that fit nothing make it raise anything.
        raise ValueError(
            f"{file} is damaged, or a network that spandrel does not know ({reason(error, 120)}); nothing was loaded."
        ) from None
    return found


class _Bounded(TorchDispatchMode):
    """Lets nothing be made that is larger than `MOST_NUMBERS` and than all it is made of: sizes in a file may lie."""

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Look how much is asked for, and compute."""
        given = [one for one in args if isinstance(one, Tensor)]
        sizes = [prod(one) for one in args if isinstance(one, list | tuple) and all(isinstance(n, int) for n in one)]
        with suppress(RuntimeError):  # What cannot be broadcast grows no larger.
            sizes.append(prod(torch.broadcast_shapes(*(one.shape for one in given))))
        if max(sizes, default=0) > max(MOST_NUMBERS, *(one.numel() for one in given), 0):
            raise ValueError("its sizes ask for more memory than a network has")
        return function(*args, **(kwargs or {}))


def _spandrel() -> Any:
    """The library that knows the architectures."""
    try:
        with standing_in(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import spandrel
    except ImportError:
        raise ValueError(NEEDS) from None
    except Exception as error:  # A torchvision that does not fit PyTorch.
        words = "where torchvision does not fit PyTorch, uninstall it, for Gannet does without"
        raise ValueError(f"spandrel cannot be used ({reason(error)}); {words}.") from None
    return spandrel


def _weights(file: Path) -> Mapping[str, Any]:
    """What a file holds."""
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{file} has over {MOST_BYTES >> 30} GiB, the most that is read of a network.")
    if file.suffix.lower() != ".safetensors":
        return _unpickled(file)
    tensors = read_tensors(file, "")
    with safe_open(file, framework="pt") as opened:
        if "gannet" in (opened.metadata() or {}):
            raise ValueError(f"{file} holds the weights of a model of Gannet's own; give its folder, {file.parent}.")
    return tensors


def _unpickled(file: Path) -> Mapping[str, Any]:
    """What a pickle holds, where that is tensors in dicts and lists."""
    _check_bytes(file, _unpacked(file))
    if _holds(file, ALLOCATES):
        raise ValueError(f"{file} {_refusal(f'GLOBAL builtins.{ALLOCATES.decode()}')}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(file, map_location="cpu", weights_only=True)
    except PermissionError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}).") from None
    except Exception as error:  # A broken file makes it raise anything.
        raise ValueError(f"{file} {_refusal(str(error))}") from None
    if not isinstance(found, Mapping):
        raise ValueError(f"{file} holds no weights by name, so it is no network.")
    return found


def _holds(file: Path, name: bytes) -> bool:
    """Tell whether a pickle names something, in a zip or as it is."""
    with suppress(OSError, ValueError, zipfile.BadZipFile), zipfile.ZipFile(file) as archive:
        return any(name in archive.read(one) for one in archive.namelist() if one.endswith(".pkl"))
    with suppress(OSError, ValueError), file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as held:
        return held.find(name) >= 0
    return False


def _unpacked(file: Path) -> int:
    """How many bytes a pickle has once it is unpacked, where it says so."""
    with suppress(OSError, ValueError, zipfile.BadZipFile), zipfile.ZipFile(file) as archive:
        return sum(one.file_size for one in archive.infolist())
    return 0


def _refusal(words: str) -> str:
    """Say why a pickle was not read, by what PyTorch says of it."""
    called = CALLED.search(words)
    if called or "TorchScript" in words:
        what = f"calls {called[1]}" if called else "holds TorchScript"
        return f"{what}, which would run code, and nothing of it was run; ask for the weights as .safetensors."
    return "is damaged, or no file of weights; nothing was loaded."


def _check_bytes(file: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise ValueError(f"{file} unpacks to over {MOST_BYTES >> 30} GiB, the most that is read of a network.")


def _check_weights(file: Path, weights: Mapping[str, Any]) -> None:
    """Raise ValueError where there is none, or names and sizes ask for more than the file holds."""
    tensors = dict(_tensors(weights))
    if not tensors:
        raise ValueError(f"{file} holds no weights by name, so it is no network.")
    _check_bytes(file, sum(one.numel() * one.element_size() for one in tensors.values()))
    count = sum(one.numel() for one in tensors.values())
    numbers = [int(part) for name in tensors for part in name.split(".") if part.isascii() and part.isdecimal()]
    layers, longest = max(numbers, default=0), max(side for one in tensors.values() for side in (*one.shape, 0))
    if layers > NUMBERS_A_NAME * len(tensors) or longest > count:
        raise ValueError(f"{file} is damaged: it names layers or sizes that it does not hold; nothing was loaded.")


def _tensors(weights: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """All tensors by their last name, however deep."""
    for name, value in weights.items():
        if isinstance(value, Tensor):
            yield str(name), value
        elif isinstance(value, Mapping):
            yield from _tensors(value)
