"""Names of files fit on disks, whatever stands around them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.runtime.files import write_bytes
from gannet.runtime.partial import LONGEST_NAME, PARTIAL, partial_path, shortened

stems = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=300)


@given(stems, st.sampled_from(["", ".png", ".mask.png", "~12.jpeg"]))
def test_a_name_fits_and_keeps_its_ending(stem: str, ending: str) -> None:
    name = shortened(stem, ending)
    whole = f"{stem}{ending}".encode("utf-8", "surrogatepass")
    fits = len(whole) <= LONGEST_NAME and whole.decode("utf-8", "ignore").encode() == whole
    assert name.endswith(ending) and len(name.encode()) <= LONGEST_NAME
    assert (name == f"{stem}{ending}") == fits


def test_two_long_names_stay_two() -> None:
    assert shortened("a" * 300 + "1", ".png") != shortened("a" * 300 + "2", ".png")


@given(stems.filter(lambda stem: stem not in {".", ".."}), st.sampled_from(["", ".png"]))
def test_the_name_of_a_file_in_the_making_fits_as_well(stem: str, ending: str) -> None:
    name = partial_path(Path(shortened(stem)), ending).name
    assert len(name.encode()) <= LONGEST_NAME
    assert PARTIAL.fullmatch(name) or "\n" in stem


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "鳥" * 85])
def test_a_file_of_the_longest_name_can_be_written(name: str, tmp_path: Path) -> None:
    write_bytes(tmp_path / name, b"whole")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]
