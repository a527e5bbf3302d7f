"""Addresses on a hub are read alike wherever one is given."""

from __future__ import annotations

import pytest

from gannet.runtime.addresses import Address


@pytest.mark.parametrize(
    ("words", "name", "revision", "is_fixed"),
    [
        ("hf:me/digits", "me/digits", None, False),
        ("me/digits@", "me/digits", None, False),
        ("hf:me/digits@v1", "me/digits", "v1", False),
        ("hf:me/digits@" + "0f" * 20, "me/digits", "0f" * 20, True),
        ("hf:me/digits@" + "0f" * 20 + "\n", "me/digits", "0f" * 20 + "\n", False),
        ("hf:me/digits@refs/pr/1", "me/digits", "refs/pr/1", False),
    ],
)
def test_an_address_is_a_name_and_perhaps_a_revision(words: str, name: str, revision: str, is_fixed: bool) -> None:
    address = Address.of(words)
    assert (address.name, address.revision, address.is_fixed) == (name, revision, is_fixed)
    assert Address.of(str(address)) == address
