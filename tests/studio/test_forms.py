"""Forms out of schemas: what fields show, and what is read of them."""

from __future__ import annotations

from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from gannet import api  # noqa: E402
from gannet.pipelines.hub import model_folder, shipped_models  # noqa: E402
from gannet.recipe import load_recipe  # noqa: E402
from gannet.studio.forms import Form  # noqa: E402
from gannet.studio.offered import options_of  # noqa: E402
from gannet.studio.train import ESSENTIAL, recipe_form  # noqa: E402
from gannet.studio.use import _further  # noqa: E402
from gannet.tasks.semantic_synthesis.pipeline import PaintOptions  # noqa: E402


def fields(form: Form) -> list[Any]:
    """The fields of a form, on no page."""
    return form.draw()


@pytest.mark.parametrize("model", sorted(shipped_models()))
def test_options_that_nobody_touches_are_the_models_own(model: str) -> None:
    form = Form.of_schema(api.interface(model)["options"])
    assert form.changed([field.value for field in fields(form)]) == {}


@pytest.mark.parametrize("recipe", sorted(api.recipes()))
def test_a_recipe_that_nobody_touches_is_the_recipe(recipe: str) -> None:
    form = recipe_form(recipe)
    drawn = [field for part in form.sections().values() for field in fields(part)]
    whole = Form({name: node for part in form.sections().values() for name, node in part.keys.items()})
    assert whole.changed([field.value for field in drawn]) == {}


@pytest.mark.parametrize("recipe", sorted(api.recipes()))
def test_a_form_is_parted_into_what_everybody_sets_and_the_rest(recipe: str) -> None:
    form = recipe_form(recipe)
    essential, rest = form.parted(ESSENTIAL)
    assert tuple(essential.keys) == ESSENTIAL and {**essential.keys, **rest.keys} == dict(form.keys)


def test_changes_are_those_of_the_command_line() -> None:
    form = recipe_form("digits")
    values = {name: node.get("default") for name, node in form.keys.items()}
    told = form.changed(
        [*{**values, "batch": 32.0, "data.limit": "100", "stages": '[{"name": "a", "images": 9}]'}.values()]
    )
    assert told == {"batch": 32, "data.limit": 100, "stages": [{"name": "a", "images": 9}]}
    assert load_recipe("digits", {"batch": told["batch"], "data.limit": told["data.limit"]}).batch == 32


NODES = {
    "choice": ({"enum": ["a", "b"], "default": "a"}, gr.Dropdown),
    "switch": ({"type": "boolean", "default": True}, gr.Checkbox),
    "share": ({"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}, gr.Slider),
    "count": ({"type": "integer", "minimum": 1, "default": 4}, gr.Number),
    "maybe": ({"anyOf": [{"type": "number"}, {"type": "null"}], "default": None}, gr.Textbox),
    "known": ({"type": "string", "examples": ["x"], "default": ""}, gr.Dropdown),
    "words": ({"type": "string", "default": ""}, gr.Textbox),
    "either": ({"anyOf": [{"type": "integer"}, {"const": "auto", "type": "string"}], "default": "auto"}, gr.Textbox),
}


@pytest.mark.parametrize("name", NODES)
def test_a_key_has_the_field_that_fits_its_type(name: str) -> None:
    node, kind = NODES[name]
    (field,) = fields(Form.of_schema({"properties": {name: node}}))
    assert type(field) is kind
    assert Form.of_schema({"properties": {name: node}}).changed([field.value]) == {}


@pytest.mark.parametrize(("name", "typed", "read"), [("maybe", "0.5", 0.5), ("either", "7", 7), ("count", 9.0, 9)])
def test_what_is_typed_is_read_as_its_type(name: str, typed: object, read: object) -> None:
    form = Form.of_schema({"properties": {name: NODES[name][0]}})
    assert form.changed([typed]) == {name: read} and type(form.changed([typed])[name]) is type(read)


def test_what_is_emptied_is_left_to_the_default() -> None:
    form = Form.of_schema({"properties": {"words": {"type": "string", "default": "old"}}})
    assert form.changed([""]) == {}


OFFERED = {
    "landscapes-v1": ({"words", "seed", "region", "region_seed"}, {"palette", "tags"}),
    "fashion-mnist-v1": ({"class", "seed"}, set()),
    "hippocampus-v1": ({"seed"}, {"class"}),
    "super-resolution-v4": ({"strength"}, set()),
    "colorization-v3": (set(), {"strength"}),
    "lost-words-v1": ({"temperature"}, {"strength"}),
}


@pytest.mark.parametrize("model", OFFERED)
def test_what_a_model_would_refuse_is_not_offered(model: str) -> None:
    offered, refused = OFFERED[model]
    names = set(options_of(api.interface(model), model_folder(model)).keys)
    assert offered <= names and not refused & names


def test_files_are_told_by_their_format() -> None:
    form = Form.of_schema(PaintOptions.model_json_schema())
    assert "words" in form.keys and not {"palette", "tags"} & set(form.keys)


@pytest.mark.parametrize("name", shipped_models())
def test_only_what_is_not_written_anyway_is_offered_as_further(name: str) -> None:
    about = api.interface(name)
    further = _further(about, "en")
    offered = {value for _, value in further.choices} if further else set()
    assert offered == set(list(about["outputs"])[1:]) - set(about["always"])
