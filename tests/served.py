"""What gradio's endpoints are given."""

from typing import Any


def as_file(path: str) -> dict[str, Any]:
    """What gradio calls a file."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}
