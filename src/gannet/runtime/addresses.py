"""Addresses of what lies on a hub."""

import re
from dataclasses import dataclass

COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Address:
    """A name on a hub and, perhaps, a revision of it: `owner/name[@revision]`, with or without `hf:` before it.

    Attributes:
        revision: a branch, a tag or a commit; None: the newest.
    """

    name: str
    revision: str | None = None

    @classmethod
    def of(cls, words: str) -> "Address":
        """Read an address."""
        name, _, revision = words.removeprefix("hf:").partition("@")
        return cls(name, revision or None)

    @property
    def is_fixed(self) -> bool:
        """Whether it stands for the same for good: its revision is a commit."""
        return COMMIT.fullmatch(self.revision or "") is not None

    def __str__(self) -> str:
        return f"hf:{self.name}@{self.revision}" if self.revision else f"hf:{self.name}"
