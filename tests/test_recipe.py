"""A recipe: every word of it is checked, and a mistake is answered in one sentence that helps."""

import difflib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from gannet.adversarial.losses import LOSSES
from gannet.commands.train import prepare
from gannet.data import image_dataset
from gannet.media.image import Options
from gannet.networks import PAIRS
from gannet.recipe import Loss, Optimizer, Penalty, Recipe, Stage, dump_yaml, load_recipe, parse_change, preset_names
from gannet.schema import Choice, Section, check, nearest
from gannet.task import find_task
from gannet.tasks import (
    clip_recognition,
    colorization,
    flow_matching,
    inpainting,
    semantic_synthesis,
    super_resolution,
    video_generation,
    video_prediction,
    volume_generation,
)
from gannet.tasks._image_restoration import PhotographConfig
from gannet.tasks.generation import example
from gannet.tasks.recognition import NETWORKS
from gannet.tasks.text_restoration import config as text_restoration_config

NESTED: dict[str, type[BaseModel]] = {
    "optimizer.generator": Optimizer,
    "loss.r1": Penalty,
    "loss.r2": Penalty,
    "loss.gradient_penalty": Penalty,
}
WORDS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))
LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz_")


def _sections() -> dict[str, type[BaseModel]]:
    below = {
        name: field.annotation
        for name, field in Recipe.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    chosen = {"task", "network", "augment"}
    return {"": Recipe, **{name: kind for name, kind in below.items() if name not in chosen}, **NESTED}


KEYS = [(place, key) for place, kind in _sections().items() for key in kind.model_fields]
KEYS += [("data", key) for key in Options.model_fields]


@st.composite
def misspelt_words(draw: st.DrawFn, word: str) -> str:
    """The word after one edit: a letter dropped, added, changed or swapped with the next."""
    place, letter = draw(st.integers(0, len(word) - 1)), draw(LETTERS)
    swapped = word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]
    head, tail = word[:place], word[place + 1 :]
    edited = draw(st.sampled_from([head + tail, head + letter + word[place:], head + letter + tail, swapped]))
    assume(edited and edited != word)
    return edited


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(ValueError) as caught:
        image_dataset.options_of(load_recipe("digits", values))
    words = str(caught.value)
    assert "\n" not in words
    assert words[-1] in ".?"
    return words


@given(st.data())
def test_a_misspelt_key_is_refused_at_every_depth(data: st.DataObject) -> None:
    place, key = data.draw(st.sampled_from(KEYS))
    siblings = [*_sections()[place].model_fields, *(Options.model_fields if place == "data" else ())]
    misspelt = data.draw(misspelt_words(key))
    assume(misspelt not in siblings)
    words = refusal({f"{place}.{misspelt}".strip("."): 1})
    assert misspelt in words
    assert "did you mean" in words or all(name in words for name in siblings)
    as_near = difflib.get_close_matches(misspelt, siblings, n=2, cutoff=0.8)
    assert len(key) < 6 or key in words or len(as_near) > 1


@given(st.data())
def test_a_misspelt_option_of_a_choice_is_refused(data: st.DataObject) -> None:
    key = data.draw(misspelt_words("conditional"))
    with pytest.raises(ValueError, match=r"Unknown key 'task\..*did you mean 'task.conditional'\?"):
        prepare(load_recipe("digits", {f"task.{key}": True}))


@pytest.mark.parametrize("key", ["widht", "normalisation", "depth"])
def test_a_misspelt_option_of_the_network_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f"Unknown key 'network.{key}'"):
        prepare(load_recipe("digits", {f"network.{key}": 3}))


def test_a_misspelt_player_is_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'optimizer.generator'"):
        prepare(load_recipe("digits", {"optimizer.generatr.learning_rate": 1e-3}))


def test_a_misspelt_key_of_a_stage_is_answered_with_the_right_one() -> None:
    assert "'stages.0.images'" in refusal({"stages": [{"name": "short", "images": 5, "imags": 5}]})


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("images", 0, "images"),
        ("images", "many", "images"),
        ("images", None, "images"),
        ("images", float("inf"), "images"),
        ("batch", 1, "batch"),
        ("seed", -1, "seed"),
        ("seed", 2**31, "seed"),
        ("minutes", 0, "minutes"),
        ("minutes", float("nan"), "minutes"),
        ("precision", "fp8", "'bf16'"),
        ("data.size", 4, "data.size"),
        ("data.size", 1024, "512"),
        ("data.channels", 5, "data.channels"),
        ("data.fit", "zoom", "'crop'"),
        ("data.stack", 2, "data.stack"),
        ("loss.r1.weight", -0.1, "loss.r1.weight"),
        ("loss.r1.every", 0, "loss.r1.every"),
        ("loss.r1", 0.1, "loss.r1"),
        ("loss", 3, "loss"),
        ("referee.share", 90, "referee.share"),
        ("referee.stop_on", "always", "'rule'"),
        ("average.half_life", 0, "average.half_life"),
        ("optimizer.generator.learning_rate", -1, "optimizer.generator.learning_rate"),
        ("optimizer.generator.learning_rate", float("inf"), "optimizer.generator.learning_rate"),
        ("optimizer.generator.betas", [0, 2], "optimizer.generator.betas"),
        ("optimizer.generator.betas", [0.5], "optimizer.generator.betas"),
        ("stages", [{"name": "one"}], "stages.0.images"),
        ("stages", {"name": "one"}, "stages"),
        ("data", 5, "data"),
        ("data", None, "data"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_in_one_sentence(key: str, value: object, named: str) -> None:
    words = refusal({key: value})
    assert key in words
    assert named in words


def test_a_value_that_is_not_allowed_is_named_without_jargon() -> None:
    assert refusal({"data.size": 4}).startswith("data.size: ")


def test_the_precision_that_is_advised_can_be_set() -> None:
    assert load_recipe("digits", dict([parse_change("precision=32")])).precision == "32"


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ("batch=32", "batch", 32),
        ("batch=1_000", "batch", 1000),
        ("network.width=auto", "network.width", "auto"),
        ("optimizer.generator.betas=[0.0, 0.99]", "optimizer.generator.betas", [0.0, 0.99]),
        ("minutes=null", "minutes", None),
        ("minutes=", "minutes", None),
        ("loss.r1={weight: 2, every: 4}", "loss.r1", {"weight": 2, "every": 4}),
        ("data.source=/photos/a=b", "data.source", "/photos/a=b"),
        ("about=[open", "about", "[open"),
        ("about=!!python/object/apply:os.getcwd []", "about", "!!python/object/apply:os.getcwd []"),
        ('precision="32"', "precision", "32"),
    ],
)
def test_a_change_is_a_key_and_a_value_of_yaml(change: str, key: str, value: object) -> None:
    assert parse_change(change) == (key, value)


@pytest.mark.parametrize("change", ["batch", "=32", "=", ""])
def test_a_change_without_key_or_value_is_refused(change: str) -> None:
    with pytest.raises(ValueError, match="--set takes key=value"):
        parse_change(change)


@pytest.mark.parametrize("change", ["about=2024-99-99", "about=!!int few"])
def test_a_change_that_yaml_chokes_on_is_taken_as_a_word(change: str) -> None:
    assert parse_change(change) == tuple(change.split("="))


def test_exponents_count_as_numbers() -> None:
    recipe = load_recipe("digits", dict([parse_change("optimizer.generator.learning_rate=1e-3")]))
    assert recipe.optimizer["generator"].learning_rate == 1e-3


def test_a_change_creates_the_sections_above_it() -> None:
    recipe = load_recipe("digits-mlp", {"loss.r2.weight": 3, "optimizer.generator.learning_rate": 0.5})
    assert recipe.loss.r2 == Penalty(weight=3)
    assert recipe.optimizer == {"generator": Optimizer(learning_rate=0.5)}
    assert recipe.loss.r1 == load_recipe("digits-mlp").loss.r1


def test_a_change_fills_a_section_that_is_null(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("loss: {r1: null}")
    assert load_recipe(str(path), {"loss.r1.every": 4}).loss.r1 == Penalty(every=4)


def test_a_change_below_a_value_is_refused() -> None:
    assert refusal({"images.more": 1}) == "'images.more' cannot be set: 'images' holds a value, not keys."


@pytest.mark.parametrize("text", ["", "- digits", "digits", "images: [", "a: b: c", "images: \x00", "1: 2"])
def test_a_file_that_holds_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ValueError) as caught:
        load_recipe(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tag", ["object/apply:pathlib.Path.touch", "object/apply:os.mkdir", "object/new:os.mkdir"])
def test_a_file_cannot_run_code(tmp_path: Path, tag: str) -> None:
    path, trace = tmp_path / "hostile.yaml", tmp_path / "trace"
    path.write_text(f"about: !!python/{tag} [{trace}]")
    with pytest.raises(ValueError, match="is not YAML"):
        load_recipe(str(path))
    assert not trace.exists()


@pytest.mark.parametrize("text", ["task: generation", "network: mlp"])
def test_a_choice_may_be_just_a_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "choice.yaml"
    path.write_text(text)
    section, name = text.split(": ")
    assert getattr(load_recipe(str(path)), section).name == name


def test_a_choice_that_is_no_section_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "choice.yaml"
    path.write_text("task: [generation]")
    with pytest.raises(ValueError, match=r"task|network"):
        load_recipe(str(path))


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("about: Möwe".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.yaml"):
        load_recipe(str(path))


def test_a_bottomless_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text("[" * 5000)
    with pytest.raises(ValueError):
        load_recipe(str(path))


def test_an_absent_recipe_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'digit'; did you mean 'digits'"):
        load_recipe("digit")
    with pytest.raises(ValueError, match="no recipe file"):
        load_recipe(str(tmp_path / "absent.yaml"))


@pytest.mark.parametrize("name", preset_names())
def test_a_shipped_recipe_is_whole(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.about.endswith(".")
    assert recipe.loss.name in LOSSES
    check(find_task(recipe.task.name).Config, recipe.task.options, "task")
    known = set(
        (
            PAIRS
            | NETWORKS
            | flow_matching.NETWORKS
            | super_resolution.NETWORKS
            | colorization.NETWORKS
            | inpainting.NETWORKS
            | semantic_synthesis.NETWORKS
            | text_restoration_config.NETWORKS
            | video_generation.NETWORKS
            | video_prediction.NETWORKS
            | volume_generation.NETWORKS
            | clip_recognition.NETWORKS
        )[recipe.network.name].__dataclass_fields__
    )
    assert set(recipe.network.options) <= known
    path = tmp_path / "again.yaml"
    path.write_text(dump_yaml(recipe), encoding="utf-8")
    assert load_recipe(str(path)) == recipe


@given(
    st.builds(
        dict,
        seed=st.integers(0, 2**31 - 1),
        about=WORDS,
        minutes=st.none() | st.floats(1e-9, 1e9),
        images=st.integers(1, 10**12),
        start_from=WORDS,
    )
)
def test_a_recipe_survives_being_written_and_read(changes: dict[str, Any]) -> None:
    recipe = example().model_copy(update=changes)
    assert check(Recipe, yaml.safe_load(dump_yaml(recipe))) == recipe


@pytest.mark.parametrize(("former", "today"), [("in-turn", "alternating"), ("at-once", "simultaneous")])
def test_a_loss_is_read_by_what_its_keys_and_values_were_once_called(former: str, today: str, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(f"loss: {{moves: {former}}}\n", encoding="utf-8")
    recipe = load_recipe(str(tmp_path / "old.yaml"))
    assert recipe.loss.update == today and "moves" not in dump_yaml(recipe)
    assert load_recipe("digits", {"loss.moves": former}).loss.update == today


@pytest.mark.parametrize("name", ["colorization", "edges-to-object", "inpainting", "restoration", "super-resolution"])
def test_the_options_of_a_task_are_read_by_what_they_were_once_called(name: str) -> None:
    task, example = find_task(name), find_task(name).example()
    former = {key: value for key, value in example.task.options.items() if key not in {"patch", "discriminator_width"}}
    recipe = example.model_copy(update={"task": Choice(name=name, **former, piece=32, police=5)})
    options = prepare(recipe.model_copy(update={"data": recipe.data.with_options(size=32)})).recipe.task.options
    assert (options["patch"], options["discriminator_width"]) == (32, 5) and not {"piece", "police"} & set(options)
    with pytest.raises(ValueError, match=r"task\.discriminator_width: .*greater than or equal to 1"):
        check(task.Config, {"police": 0}, "task")


def test_of_a_former_and_a_todays_name_the_later_counts() -> None:
    for first, last in (("piece", "patch"), ("patch", "piece")):
        assert check(PhotographConfig, {first: 32, last: 64}).patch == 64
    for change in ("task.patch", "task.piece"):
        assert check(inpainting.Config, load_recipe("inpainting", {change: 64}).task.options, "task").patch == 64


@pytest.mark.parametrize("schema", [Loss, PhotographConfig])
def test_former_names_lead_to_keys_of_today(schema: type[Section]) -> None:
    assert set(schema.former_names.values()) <= set(schema.model_fields) and schema.former_names
    assert not set(schema.former_names) & set(schema.model_fields)


def test_a_recipe_is_frozen() -> None:
    recipe = load_recipe("ring")
    for place, key in [(recipe, "images"), (recipe.loss, "name"), (recipe.network, "name"), (recipe.data, "size")]:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(place, key, 1)
    recipe.network.options["width"] = 1
    assert recipe.network.options["width"] == 128


def test_the_optimizers_of_a_recipe_are_frozen() -> None:
    recipe = load_recipe("ring")
    with pytest.raises(TypeError):
        recipe.optimizer["generator"] = Optimizer(learning_rate=1)


@pytest.mark.parametrize(
    "name",
    ["../../escaped", "two words", "", "model", "best"],
)
def test_a_stage_whose_weights_could_not_be_loaded_is_refused(name: str) -> None:
    assert "stages.0.name" in refusal({"stages": [{"name": name, "images": 64}]})


def test_two_stages_of_one_name_are_refused() -> None:
    words = refusal({"stages": [{"name": "same", "images": 64}, {"name": "same", "images": 64}]})
    assert "a name of its own" in words


def test_stages_keep_their_order() -> None:
    recipe = load_recipe("digits", {"stages": [{"name": name, "images": 64} for name in "ba"]})
    assert recipe.stages == (Stage(name="b", images=64), Stage(name="a", images=64))


@given(lengths=st.lists(st.integers(1, 10**6), min_size=1, max_size=5), images=st.integers(5, 10**7))
def test_images_stretch_the_stages_in_proportion(lengths: list[int], images: int) -> None:
    given_stages = [{"name": f"s{index}", "images": length} for index, length in enumerate(lengths)]
    total = sum(lengths)
    try:
        recipe = load_recipe("digits", {"stages": given_stages, "images": images})
    except ValueError as error:
        assert "too few" in str(error) and min(lengths) * images < 2 * total
        return
    assert sum(stage.images for stage in recipe.stages) == recipe.images == images
    for length, stage in zip(lengths, recipe.stages, strict=True):
        assert abs(stage.images - images * length / total) <= 1


def test_stages_that_already_last_so_long_stay_as_they_are() -> None:
    recipe = load_recipe("fashion-mnist")
    assert load_recipe("fashion-mnist", {"images": recipe.images}) == recipe


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_a_hint_names_what_is_allowed(word: str, allowed: list[str]) -> None:
    hint = nearest(word, allowed)
    assert any(repr(name) in hint for name in allowed) or all(name in hint for name in allowed)
