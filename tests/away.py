"""A device that every machine has: what lies on it computes as on the processor, and fails where a GPU's would.

Its tensors call themselves `mps`. As with a GPU they must be brought back (`cpu()`) before NumPy sees them, and nothing
is computed of them together with tensors that lie on the processor, but for numbers (tensors without dimensions).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

AWAY, HERE = torch.device("mps"), torch.device("cpu")
CROSSING = {"copy_", "to", "cpu", "type_as", "load_state_dict", "backward"}
"""What may be given tensors of two devices."""
ON_THE_PROCESSOR = {"numpy", "__array__", "__dlpack__", "from_numpy", "save"}

NO_COMPUTING = {"_parse_to", "_has_compatible_shallow_copy_type"}
"""What networks ask when they are moved."""


class Away(Tensor):
    """A tensor that lies there."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Away":
        """Copy it to where it lies; a parameter stays one."""
        copied: Away = self.detach().clone().requires_grad_(self.requires_grad)  # type: ignore[assignment]
        if isinstance(self, nn.Parameter):
            copied._is_param = True
        memo[id(self)] = copied
        return copied


class StandIn(TorchFunctionMode):
    """Within it, tensors may be brought there, and whatever is computed of them stays there."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(function, "__name__", "")
        there = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Away)]
        if name == "__get__" and function == Tensor.device.__get__:  # type: ignore[attr-defined]
            return AWAY if there else function(*args)
        if name in NO_COMPUTING or function is torch.device:
            return function(*args, **kwargs)
        if there and name in ON_THE_PROCESSOR:
            raise TypeError(f"can't convert mps device type tensor to numpy ({name}); use Tensor.cpu() first")
        wanted, (args, kwargs) = _device(args, kwargs)
        if there:
            _refuse_two_devices(name, (args, kwargs))
        stays = (bool(there) and name != "cpu") if wanted is None else wanted == AWAY
        # They are computed of as they are, not as copies without the name: gradients know them by their identity.
        with torch._C.DisableTorchFunctionSubclass():
            result = function(*args, **kwargs)
        if name.endswith("_") and not name.endswith("__") and args and isinstance(args[0], Away):
            return args[0]
        crosses = wanted is not None or name == "cpu"
        return tree_map(partial(_lying, AWAY if stays else HERE, crosses), result)


Call = tuple[tuple[Any, ...], dict[str, Any]]


def _device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[torch.device | None, Call]:
    """The device that a call names, and the call with the processor in its place."""
    named = [torch.device(one) for one in (*args, *kwargs.values()) if _names_a_device(one)]
    here = tuple(map(_here, args)), {key: _here(one) for key, one in kwargs.items()}
    return (named[0] if named else None), here


def _names_a_device(one: Any) -> bool:
    return isinstance(one, torch.device) or (isinstance(one, str) and one in ("mps", "cpu"))


def _here(one: Any) -> Any:
    return torch.device("cpu") if _names_a_device(one) else one


def _refuse_two_devices(name: str, call: Call) -> None:
    """Raise RuntimeError as PyTorch does."""
    if name in CROSSING or name == "__get__":
        return
    here = [one for one in tree_flatten(call)[0] if isinstance(one, Tensor) and not isinstance(one, Away)]
    if any(one.dim() for one in here):
        raise RuntimeError(f"{name}: expected all tensors to be on the same device, but found two, mps and cpu")


def _lying(device: torch.device, crosses: bool, value: Any) -> Any:
    """A result where it is to lie: what crossed over is a copy, as on a GPU."""
    if not isinstance(value, Tensor) or isinstance(value, Away) == (device == AWAY):
        return value
    return (value.clone() if crosses else value).as_subclass(Away if device == AWAY else Tensor)


@contextmanager
def stand_in() -> Iterator[torch.device]:
    """Make the device be there for a while."""
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    # Else a network keeps its tensors, and only what they hold is exchanged.
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with StandIn():
            yield AWAY
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)
