"""What data are called wherever they are asked for."""

from pathlib import Path

from gannet.data.sources import is_embedded
from gannet.data.sources.memory import is_held_name
from gannet.pipelines.hub import absolute


def full_name(data: str | Path) -> str:
    """Name data so that they are found again from any folder: by their full path, on a hub by their commit.

    The name of an embedded set is that set, whatever lies in the current folder; `./digits` and a `Path` are a folder.
    """
    return data if isinstance(data, str) and is_embedded(data) else absolute(str(data))


def given_again(data: str | Path, source: str) -> bool:
    """Tell whether data in memory are those of a run, which cannot be found again without being given.

    Args:
        source: the run's.
    """
    return is_held_name(source) and str(data) == source


def passed_over(data: str | Path) -> list[str]:
    """Say so where a file or folder lies here that is called as an embedded set, and is not meant by that."""
    if not (isinstance(data, str) and is_embedded(data) and Path(data).exists()):
        return []
    return [f"{data} is the set that comes with Gannet; what lies here by that name is ./{data}."]
