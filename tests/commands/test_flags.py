"""Flags out of a JSON schema: read, told in the help, and named where they are wrong."""

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gannet.commands.flags import click_options, schema_command

SCHEMA: dict[str, Any] = {
    "properties": {
        "num": {"type": "integer", "default": 4, "minimum": 1, "description": "How many\nsamples.\n\nAnd much more."},
        "class": {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}], "default": None},
        "model": {"type": "string", "default": "", "flag": "--with", "description": "Whose fakes."},
        "engine": {"$ref": "#/$defs/Engine", "default": "torch"},
        "strength": {"anyOf": [{"type": "number", "maximum": 1}, {"type": "null"}], "default": None},
        "force": {"type": "boolean", "default": False},
        "marked": {"type": "boolean", "default": True},
        "kinds_of": {"type": "array", "items": {"type": "string"}, "default": []},
        "deep": {"type": "object"},
    },
    "$defs": {"Engine": {"enum": ["torch", "onnx"], "type": "string"}},
}


def call(*words: str, schema: dict[str, Any] = SCHEMA) -> Any:
    app, got = typer.Typer(), list[Any]()

    @app.command(cls=schema_command(lambda: schema))
    def verb(context: typer.Context, target: str) -> None:
        got.append(context.obj)

    ended = CliRunner().invoke(app, ["a-model", *words], env={"COLUMNS": "200"})
    return ended if ended.exit_code or not got else got[0]


def test_only_what_is_given_is_told() -> None:
    assert call() == {}
    words = "--num 9 --class 3 --with run --engine fast --strength 0.5 --force --no-marked --kinds-of a --kinds-of b"
    told = {"num": 9, "class": 3, "model": "run", "engine": "fast", "strength": 0.5, "force": True, "marked": False}
    assert call(*words.split()) == {**told, "kinds_of": ("a", "b")}
    assert call("--class", "cats") == {"class": "cats"}


def test_the_help_holds_words_bounds_choices_and_defaults() -> None:
    help_text = " ".join(call("--help").output.split())
    for said in ("How many samples. (at least 1)", "(4)", "torch|onnx", "--with", "Whose fakes.", "(at most 1)"):
        assert said in help_text
    assert "much more" not in help_text and "--deep" not in help_text


@pytest.mark.parametrize(("words", "said"), [("--strenght 1", "--strength"), ("--num y", "--num")])
def test_what_is_wrong_is_named(words: str, said: str) -> None:
    ended = call(*words.split())
    assert ended.exit_code == 2
    assert said in ended.output


def test_what_is_needed_is_asked_for() -> None:
    schema = {"properties": {"out": {"type": "string"}}, "required": ["out"]}
    assert call("--out", "new", schema=schema) == {"out": "new"}
    assert "--out" in call(schema=schema).output


def test_an_option_may_not_take_the_name_of_a_common_flag() -> None:
    with pytest.raises(AssertionError, match="--help"):
        raise call(
            "--num", "3", schema={"properties": {"help": {"type": "string"}, "num": {"type": "integer"}}}
        ).exception


def test_options_are_named_by_their_keys() -> None:
    assert [option.name for option in click_options(SCHEMA)] == [key for key in SCHEMA["properties"] if key != "deep"]
