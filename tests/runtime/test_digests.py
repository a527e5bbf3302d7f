"""Digests are for good: what they were once, they stay."""

import hashlib
import json

from gannet.runtime.digests import digest, number
from gannet.runtime.files import digest as digest_tensors
from gannet.runtime.randomness import address


def test_a_digest_is_that_of_the_plain_data_whatever_their_order() -> None:
    value = {"b": [1, 2.5], "a": "ä"}
    assert digest(value) == hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    assert digest(value) == digest(dict(reversed(value.items()))) == digest_tensors({}, value)
    assert digest(value, [b"more"]) != digest(value)


def test_a_number_has_64_bits_and_stays() -> None:
    assert number(b"") == int.from_bytes(hashlib.blake2b(b"", digest_size=8).digest(), "little")
    assert number(b"gannet") != number(b"Gannet")
    assert address(0, "a") == number(b"0/a") >> 1
