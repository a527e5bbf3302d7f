"""What media have in common whose files are pictures, whatever their pixels mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from PIL import Image
from torch import Tensor

from gannet.media.medium import Medium, Value
from gannet.media.pages import unused_pages
from gannet.media.pixels import FOREIGN, check_beginning
from gannet.provenance.metadata import Facts, read_facts


class PictureFiles(Medium[Value]):
    """Whatever is kept in the files of pictures."""

    foreign: ClassVar[Mapping[str, str]] = FOREIGN

    def check_beginning(self, head: bytes) -> None:
        """Go by the words that formats of pictures begin with."""
        check_beginning(head)

    def marks(self, value: Value | Tensor) -> Facts:
        """Read a picture's metadata."""
        return read_facts(value) if isinstance(value, Image.Image) else {}

    def unused(self, file: Path) -> str:
        """Tell of further frames and pages."""
        return unused_pages(file)
