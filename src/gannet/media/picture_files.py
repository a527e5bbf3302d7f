"""What media have in common whose files are pictures, whatever their pixels mean."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from PIL import Image
from torch import Tensor

from gannet.media.medium import Medium, Value
from gannet.media.pages import further_pictures, unused_pages
from gannet.media.pixels import FOREIGN, MEGAPIXELS, check_beginning, most_pixels
from gannet.provenance.metadata import Facts, read_facts


class PictureFiles(Medium[Value]):
    """Whatever is kept in the files of pictures."""

    foreign: ClassVar[Mapping[str, str]] = FOREIGN

    @property
    def limits(self) -> tuple[str, ...]:
        """Tell of a limit on pixels that is not the usual one: it leaves out other pictures."""
        return (f"{most_pixels()} pixels",) if os.environ.get(MEGAPIXELS) else ()

    def check_beginning(self, head: bytes) -> None:
        """Go by the words that formats of pictures begin with."""
        check_beginning(head)

    def marks(self, value: Value | Tensor) -> Facts:
        """Read a picture's metadata."""
        return read_facts(value) if isinstance(value, Image.Image) else {}

    def remarks(self, value: Value | Tensor) -> Sequence[str]:
        """Tell of further frames and pages as well."""
        return [*super().remarks(value), *filter(None, [further_pictures(value)])]

    def unused(self, file: Path) -> str:
        """Tell of further frames and pages."""
        return unused_pages(file)
