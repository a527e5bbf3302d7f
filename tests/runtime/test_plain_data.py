"""JSON and YAML of others: read, or refused in one short sentence, whatever they are."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gannet.runtime.plain_data import LARGEST, parse_json, parse_yaml, read_json
from gannet.runtime.wording import LONGEST, plain, sentence

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_plain_data_come_back_as_they_were(value):
    assert parse_json(json.dumps(value), "it") == value
    text = yaml.safe_dump(value)
    assert parse_yaml(text, "it") == yaml.safe_load(text)


def test_aliases_are_read_where_they_stand_for_little():
    assert parse_yaml("a: &x {b: [1]}\nc: {<<: *x, d: 2}\ne: *x", "it") == {
        "a": {"b": [1]},
        "c": {"b": [1], "d": 2},
        "e": {"b": [1]},
    }


LAUGHS = "a: &a [lol, lol]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        MERGES,
        "a: &a [*a]",
        "a: &a {b: *a}",
        "[" * 100_000,
        "[" * 200 + "]" * 200,
        "- " * 5000,
        "a: " + "9" * 5000,
        "x" * (LARGEST + 1),
        "? [a]\n: b",
        "<<: 5",
        "a: !!timestamp x",
        "a: 2024-13-45",
        "%YAML 99.9\n---\n",
        "a: *nobody",
        "--- a\n--- b",
        "!!binary x y z",
    ],
)
def test_yaml_that_is_none_or_without_end_is_one_short_sentence(text):
    with pytest.raises(ValueError, match=r"^it is ") as caught:
        parse_yaml(text, "it")
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("batch: 1\nseed: 2\nbatch: 3", "'batch' twice, in lines 1 and 3"),
        ("a:\n  - {b: 1,\n     b: 2}", "'b' twice, in lines 2 and 3"),
        ("{'b': 1, b: 2}", "'b' twice, in lines 1 and 1"),
    ],
)
def test_a_key_that_is_said_twice_is_refused_and_not_lost(text, told):
    with pytest.raises(ValueError, match=rf"^it is not clear: it says {told}.*; leave one out\.$"):
        parse_yaml(text, "it")


def test_equal_keys_of_several_mappings_are_no_fault():
    assert parse_yaml("a: &x {b: 1}\nc: {<<: *x, b: 2}\n'1': {b: 1}\n1: 2", "it") == {
        "a": {"b": 1},
        "c": {"b": 2},
        "1": {"b": 1},
        1: 2,
    }


@given(st.text(max_size=200))
def test_any_text_is_yaml_or_a_short_sentence(text):
    try:
        parse_yaml(text, "it")
    except ValueError as error:
        assert str(error).startswith("it is ") and len(str(error)) < 400


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[" * 500 + "]" * 500, "1" * 5000, '{"a": nope}'])
def test_json_that_is_none_or_without_end_is_one_short_sentence(text, tmp_path: Path):
    path = tmp_path / "verdict.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"verdict\.json is n") as caught:
        read_json(path)
    assert len(str(caught.value)) < 400 + len(str(path))


def test_json_in_another_encoding_is_named(tmp_path: Path):
    path = tmp_path / "verdict.json"
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ValueError, match=r"verdict\.json is damaged"):
        read_json(path)


@given(st.text())
def test_what_is_printed_steers_no_terminal_and_can_be_written(text):
    said = plain(text)
    assert not any(unicodedata.category(one) == "Cc" for one in said if one not in "\n\t")
    said.encode("utf-8")
    assert plain(said) == said


@given(st.text(st.characters(codec="utf-8")))
def test_json_means_the_same_when_it_is_printed(text):
    assert json.loads(plain(json.dumps([text], ensure_ascii=False))) == [text]


def test_escapes_and_marks_of_direction_are_written_out():
    assert plain("a\x1b[31mb\u202ec\udcff\x9b\r") == r"a\u001b[31mb\u202ec\udcff\u009b\u000d"
    assert plain("Möwe – 鳥 👩\u200d🔬 می\u200cخواهم") == "Möwe – 鳥 👩\u200d🔬 می\u200cخواهم"


@given(st.text(max_size=3000))
def test_a_sentence_is_one_short_line(text):
    said = sentence(text)
    assert len(said) <= LONGEST and "\n" not in said
    assert len(plain(" ".join(text.split()))) > LONGEST or said == plain(" ".join(text.split()))


def test_of_a_long_sentence_both_ends_stay():
    said = sentence("gannet: " + "x" * 10_000_000 + "; choose another.")
    assert said.startswith("gannet: xxx") and said.endswith("xxx; choose another.") and len(said) <= LONGEST
