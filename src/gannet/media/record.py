"""Records: what is told of a result in plain data, as JSON beside it."""

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar, TypeAlias

from PIL import Image
from torch import Tensor

from gannet.media.medium import Array, Field, Medium
from gannet.media.text import drawn
from gannet.provenance.metadata import Facts, typed
from gannet.schema import Section

Record: TypeAlias = Mapping[str, object]


class RecordMedium(Medium[Record]):
    """Plain data by name, of any depth."""

    name: ClassVar[str] = "record"
    noun: ClassVar[str] = "record"
    plural: ClassVar[str] = "records"
    endings: ClassVar[frozenset[str]] = frozenset({".json"})
    in_data: ClassVar[bool] = False

    def read(self, content: bytes) -> Record:
        """Read a record; ValueError where it is none."""
        found = json.loads(content.decode())
        if not isinstance(found, dict):
            raise ValueError("it holds no record")
        return found

    def describe(self, value: Record) -> tuple[str, str]:
        """Name the number of entries."""
        return f"{len(value):,} entries", "JSON"

    def choose(self, values: Iterator[Record], options: Section) -> Field:  # noqa: ARG002
        """Refuse: nothing learns from records."""
        raise ValueError("Records are no data to learn from.")

    def fit(self, value: Record, field: Field) -> Array:  # noqa: ARG002
        """Refuse: nothing learns from records."""
        raise ValueError("Records are no data to learn from.")

    def preview(self, values: Tensor) -> Image.Image:  # noqa: ARG002
        """Refuse: networks give none."""
        raise ValueError("Networks give no records.")

    def picture(self, value: Record | Tensor) -> Image.Image:
        """Show a record as it is written."""
        return drawn(json.dumps(value, ensure_ascii=False, indent=1, default=str).splitlines())

    def encode(self, value: Record | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a record and the facts of what it belongs to as JSON."""
        if ending.lower() != ".json" or isinstance(value, Tensor):
            raise ValueError(f"Records are saved as .json, not {ending or 'without an ending'}.")
        return json.dumps({**typed(facts), **value}, ensure_ascii=False, indent=1).encode() + b"\n"


medium = RecordMedium()
