"""Pipelines: what is saved comes back bit for bit, a seed means a picture, and a hostile file gets nowhere."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import normalize

import gannet
from gannet.commands.train import configure
from gannet.pipelines.hub import absolute
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.walks import walk
from gannet.recipe import dump_yaml
from gannet.runtime.files import load_tensors, save_tensors
from gannet.schema import Choice
from gannet.tasks.generation import Description, GenerationPipeline, Settings

Writer = Callable[[Path], None]
seeds = st.integers(0, 2**63 - 1)


@pytest.fixture(scope="module")
def model(tiny_run: Path) -> GenerationPipeline:
    """The tiny run's model."""
    loaded = gannet.load(tiny_run)
    assert isinstance(loaded, GenerationPipeline)
    return loaded


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of the tiny run's model, to be spoilt."""
    return Path(shutil.copytree(tiny_run / "model", tmp_path / "copy"))


def reseal(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change config.json as an attacker would: with a digest that fits."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["digest"]
    change(config)
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({**config, "digest": digest}), encoding="utf-8")


def untrained(classes: tuple[str, ...] = ()) -> GenerationPipeline:
    description = Description(name="points", shape=(2,), classes=classes)
    network = Choice.model_validate({"name": "mlp", "latent": 4, "width": 8, "depth": 1})
    return GenerationPipeline.build(Settings(description=description, network=network, conditional=bool(classes)))


def test_what_is_saved_comes_back_bit_for_bit(model: GenerationPipeline, tmp_path: Path) -> None:
    loaded = gannet.load(model.save_pretrained(tmp_path / "deep" / "model"))
    assert sorted(path.name for path in (tmp_path / "deep" / "model").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert (loaded.name, loaded.config) == (model.name, model.config)
    wanted, found = model(num=70, seed=5), loaded(num=70, seed=5)
    assert torch.equal(found.values, wanted.values)
    assert found.facts == wanted.facts


def test_saving_again_keeps_an_edited_card(model: GenerationPipeline, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    (tmp_path / "README.md").write_text("mine")
    model.save_pretrained(tmp_path, "late")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "late.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


@settings(max_examples=30)
@given(seed=seeds, num=st.integers(1, 140), fewer=st.integers(1, 140))
def test_a_seed_means_the_same_pictures_at_any_number(
    model: GenerationPipeline, seed: int, num: int, fewer: int
) -> None:
    many, few = sorted((num, fewer), reverse=True)
    assert torch.equal(model(num=many, seed=seed).values[:few], model(num=few, seed=seed).values)


def test_other_seeds_mean_other_pictures(model: GenerationPipeline) -> None:
    values = torch.cat([model(num=4, seed=seed, label="0").values for seed in (0, 1, 2)])
    assert len(values.unique(dim=0)) == 12


def test_samples_are_pictures_in_range(model: GenerationPipeline) -> None:
    samples = model(num=3)
    assert samples.values.shape == (3, 1, 8, 8)
    assert samples.values.abs().max() <= 1
    assert not samples.values.requires_grad
    assert [picture.size for picture in samples.pictures()] == [(8, 8)] * 3


def test_samples_are_shown_in_a_line(model: GenerationPipeline) -> None:
    assert repr(model(3, seed=4)).startswith("<Samples 3 pictures of 1x8x8; model=example, seed=4")
    assert "a walk through 4 pictures" in repr(model(2, seed=4, frames=2)) and "1 picture of" in repr(model(1))
    batches = repr(model(3000, seed=4).batches())
    assert len(batches) < 400 and "tensor" not in batches


def test_a_class_is_chosen_by_name_or_number(tmp_path: Path) -> None:
    birds = untrained(classes=("gannet", "auk", "0"))
    assert birds(num=2, label="auk").labels.tolist() == [1, 1]
    assert birds(num=2, label="1").labels.tolist() == [1, 1]
    assert birds(num=1, label="0").labels.tolist() == [2], "a name comes before a number"
    assert birds(num=5).labels.tolist() == [0, 1, 2, 0, 1]
    path = birds(num=1, label="auk").save(tmp_path / "auk.png")
    with Image.open(path) as picture:
        assert json.loads(picture.info["Comment"])["class"] == "auk"


def test_an_unknown_class_is_answered_with_the_nearest() -> None:
    birds = untrained(classes=("gannet", "auk"))
    with pytest.raises(ValueError, match="class 'ganet'; did you mean 'gannet'"):
        birds(label="ganet")
    for label in ("2", "-1", "1.0", ""):
        with pytest.raises(ValueError, match=r"does not know the class"):
            birds(label=label)
    with pytest.raises(ValueError, match="trained without classes"):
        untrained()(label="auk")


def test_a_class_is_chosen_by_an_integer() -> None:
    assert untrained(classes=("gannet", "auk"))(num=2, label=1).labels.tolist() == [1, 1]


@pytest.mark.parametrize("options", [{"num": 0}, {"frames": 0}, {"seed": -1}, {"num": -3}])
def test_numbers_below_one_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="num and frames are 1 or more and seed 0 or more"):
        untrained()(**options)


@given(st.integers(1, 6), st.integers(2, 9), st.integers(0, 999))
def test_a_walk_visits_every_vector_in_even_steps_and_closes(count: int, frames: int, seed: int) -> None:
    vectors = normalize(torch.randn(count, 16, generator=torch.Generator().manual_seed(seed)))
    path = walk(vectors, frames)
    torch.testing.assert_close(path[::frames], vectors, rtol=1e-3, atol=1e-3)
    steps = (path.roll(-1, 0) - path).norm(dim=1).view(count, frames)
    angles = torch.arccos((vectors * vectors.roll(-1, 0)).sum(1).clamp(-1, 1))
    even = (2 * torch.sin(angles / frames / 2))[:, None].expand(count, frames)
    torch.testing.assert_close(steps, even, rtol=1e-2, atol=2e-3)


def test_a_walk_is_saved_with_all_its_frames(model: GenerationPipeline, tmp_path: Path) -> None:
    samples = model(num=3, frames=4, label="3")
    assert samples.animated
    assert samples.values.shape[0] == 12
    torch.testing.assert_close(samples.values[::4], model(num=3, label="3").values, rtol=0.01, atol=0.01)
    # Pillow merges frames that are alike and adds up their time.
    with Image.open(samples.save(tmp_path / "walk.gif")) as film:
        time = 0
        for index in range(film.n_frames):
            film.seek(index)
            film.load()
            time += film.info["duration"]
        assert film.n_frames > 1
    assert time == 12 * 60


def test_samples_are_saved_as_sheet_or_as_files(model: GenerationPipeline, tmp_path: Path) -> None:
    samples = model(num=5, seed=3)
    samples.save(tmp_path / "sheet.png")
    samples.save(tmp_path / "files")
    files = sorted((tmp_path / "files").glob("*/*.png"), key=lambda path: path.name)
    assert [path.name for path in files] == [f"{index:06d}.png" for index in range(5)]
    assert [path.parent.name for path in files] == [samples.classes[label] for label in samples.labels]
    with Image.open(files[4]) as picture:
        assert picture.tobytes() == samples.pictures()[4].tobytes()
        told = json.loads(picture.info["Comment"])
    assert (told["model"], told["seed"], told["index"]) == (model.name, 3, 4)
    for name in ("sheet.png", "files"):
        with pytest.raises(ValueError, match="exists; choose another name"):
            samples.save(tmp_path / name)


def test_any_changed_character_of_the_config_is_found(copy: Path) -> None:
    path = copy / "config.json"
    text = path.read_text(encoding="utf-8")
    meant = json.loads(text)
    for place, character in enumerate(text):
        changed = text[:place] + chr(ord(character) ^ 1) + text[place + 1 :]
        path.write_text(changed, encoding="utf-8")
        with pytest.raises(ValueError, match=r"config\.json"):
            Pipeline.from_pretrained(copy)
    path.write_text(text + " \n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == meant
    Pipeline.from_pretrained(copy)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\x00", '{"digest": 1}', '"config"'])
def test_a_config_of_others_is_refused(copy: Path, text: str) -> None:
    (copy / "config.json").write_text(text)
    with pytest.raises(ValueError, match="damaged or was not written by Gannet; nothing was loaded"):
        gannet.load(copy)


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "../../x", "os", "", "gannet.tasks.generation", "mlp:Mlp"]
)
@pytest.mark.parametrize("section", ["task", "network"])
def test_a_name_in_a_config_cannot_choose_code(copy: Path, section: str, name: str) -> None:
    def change(config: dict[str, Any]) -> None:
        if section == "task":
            config["task"] = name
        else:
            config["config"]["network"]["name"] = name

    reseal(copy, change)
    with pytest.raises(ValueError, match=f"There is no {section} '{name}'; (allowed|did you mean)"):
        gannet.load(copy)


SPOILT: dict[str, Callable[[dict[str, Any]], object]] = {
    "an extra key": lambda config: config["config"].update(run="rm"),
    "an extra key of the description": lambda config: config["config"]["description"].update(code="x"),
    "a missing key": lambda config: config["config"].pop("conditional"),
    "a shape of words": lambda config: config["config"]["description"].update(shape=["a", "b"]),
    "a huge picture": lambda config: config["config"]["description"].update(shape=[1, 10**6, 10**6]),
    "a negative width": lambda config: config["config"]["network"].update(width=-1),
    "a newer format": lambda config: config.update(gannet=2),
    "another width": lambda config: config["config"]["network"].update(width=16),
    "fewer classes": lambda config: config["config"]["description"].update(classes=["0", "1"]),
    "points": lambda config: config["config"]["description"].update(shape=[2]),
    "config as a list": lambda config: config.update(config=[]),
    "task as a number": lambda config: config.update(task=5),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_config_that_does_not_fit_is_refused(copy: Path, spoil: Callable[[dict[str, Any]], object]) -> None:
    reseal(copy, spoil)
    with pytest.raises(ValueError) as caught:
        gannet.load(copy)
    assert "\n" not in str(caught.value)


def test_a_newer_format_asks_for_an_update(copy: Path) -> None:
    reseal(copy, lambda config: config.update(gannet=2))
    with pytest.raises(ValueError, match="is of format 2, this Gannet reads 1; update Gannet"):
        gannet.load(copy)


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "no format": lambda config: config.pop("gannet"),
    "no name": lambda config: config.pop("name"),
    "an unknown option of the network": lambda config: config["config"]["network"].update(run="rm"),
    "an extra key at the top": lambda config: config.update(code="x"),
    "a length of minus one": lambda config: (
        config["config"]["network"].update(name="mlp"),
        config["config"]["network"].pop("normalization"),
        config["config"]["description"].update(shape=[1, -8, 8]),
    ),
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_a_config_with_other_keys_is_refused(copy: Path, spoil: Callable[[dict[str, Any]], object]) -> None:
    reseal(copy, spoil)
    with pytest.raises(ValueError):
        gannet.load(copy)


def test_tensors_that_do_not_fit_are_refused(copy: Path) -> None:
    path = copy / "model.safetensors"
    tensors, meta = load_tensors(path)
    name, tensor = next(iter(tensors.items()))
    less = {key: value for key, value in tensors.items() if key != name}
    for spoilt in (less, {**tensors, "more": tensor}, {**less, name: torch.ones(3)}):
        save_tensors(path, spoilt, meta)
        with pytest.raises(ValueError, match=r"does not fit its config\.json: '.*' is missing or of another shape"):
            gannet.load(copy)


@pytest.mark.parametrize("weights", ["../state/x", "..", "/etc/passwd", "model.safetensors", "", "a b", "model\0"])
def test_weights_are_a_plain_word(copy: Path, weights: str) -> None:
    with pytest.raises(ValueError, match="Weights are named by a plain word"):
        gannet.load(copy, weights)


def test_what_is_missing_is_named(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it has: best, model"):
        gannet.load(copy, "absent")
    (copy / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="no weights .model.; it has: best"):
        gannet.load(copy)
    (copy / "config.json").unlink()
    with pytest.raises(ValueError, match=r"There is no model in .*copy"):
        gannet.load(copy)
    with pytest.raises(ValueError, match=r"There is no run or model at .*absent"):
        gannet.load(tmp_path / "absent")


def test_pushing_uploads_config_weights_and_card(model: GenerationPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, Any]] = []

    class Hub:
        def create_repo(self, repository: str, *, private: bool, exist_ok: bool) -> None:
            calls.append(("create", (repository, private, exist_ok)))

        def upload_folder(self, *, repo_id: str, folder_path: str) -> str:
            names = sorted(path.relative_to(folder_path).as_posix() for path in Path(folder_path).rglob("*"))
            calls.append(("upload", (repo_id, names)))
            assert torch.equal(gannet.load(folder_path)(seed=1).values, model(seed=1).values)
            return "https://hub/commit"

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    assert model.push_to_hub("me/digits") == "https://hub/commit"
    model.push_to_hub("me/digits", private=False)
    uploaded = ("upload", ("me/digits", ["README.md", "config.json", "model.safetensors"]))
    created = [("create", ("me/digits", private, True)) for private in (True, False)]
    assert calls == [created[0], uploaded, created[1], uploaded]


def test_a_model_of_the_hub_is_fetched_without_code(
    model: GenerationPipeline, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None, list[str]]] = []
    tell_sizes(monkeypatch, {"config.json": 900, "model.safetensors": 4_000, "pytorch_model.bin": 10**15})

    def download(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision, allow_patterns))
        return str(tiny_run / "model")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    for load in (gannet.load, Pipeline.from_pretrained):
        assert torch.equal(load("hf:me/digits")(seed=1).values, model(seed=1).values)
        assert torch.equal(load("hf:me/digits@v1")(seed=1).values, model(seed=1).values)
    files = ["config.json", "learned_from.json", "corpora.xz", "*.safetensors", "README.md"]
    assert asked == [("me/digits", "a" * 40, files), ("me/digits", "b" * 40, files)] * 2, (
        "the commits of which it asked"
    )


def tell_sizes(monkeypatch: pytest.MonkeyPatch, sizes: dict[str, int | None]) -> None:
    """A hub that tells how large the files of its only model are."""

    class Hub:
        def model_info(self, name: str, *, revision: str | None, files_metadata: bool, timeout: float) -> object:
            assert name == "me/digits" and revision in (None, "v1") and files_metadata and timeout
            return SimpleNamespace(
                siblings=[SimpleNamespace(rfilename=file, size=size) for file, size in sizes.items()],
                sha=("b" if revision else "a") * 40,
            )

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"config.json": 2**25}, "config.json of 32 MiB, and at most 16 MiB"),
        ({"a.safetensors": 2**32, "deep/b.safetensors": 2**20}, r"\*.safetensors of 4,097 MiB, and at most 4,096 MiB"),
        ({"config.json": 100, "model.safetensors": None}, r"\*.safetensors of a size that the hub does not say"),
    ],
)
def test_a_model_that_would_fill_the_disk_is_not_fetched(
    sizes: dict[str, int | None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_sizes(monkeypatch, sizes)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("it is fetched"))
    with pytest.raises(ValueError, match=rf"hf:me/digits@v1 has {words}.*`hf download me/digits --local-dir FOLDER`"):
        gannet.load("hf:me/digits@v1")


def test_help_is_not_refused_for_the_size_of_weights(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell_sizes(monkeypatch, {"config.json": 900, "model.safetensors": 10**15})
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tiny_run / "model"))
    assert "num" in gannet.interface("hf:me/digits")["options"]["properties"]


def test_what_was_fetched_earlier_needs_no_hub(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere:
        def model_info(self, *_: object, **__: object) -> None:
            raise OfflineModeIsEnabled("no network")

    def download(name: str, *, revision: str | None, allow_patterns: list[str], local_files_only: bool) -> str:
        assert (name, revision, local_files_only) == ("me/digits", None, True) and allow_patterns
        return str(tiny_run / "model")

    monkeypatch.setattr(huggingface_hub, "HfApi", Nowhere)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert gannet.load("hf:me/digits").task == "generation"


@pytest.fixture
def hub(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A hub with a model and a data set; it gives the commits of their revisions, which may move on."""
    commits = {"main": "a" * 40, "v1": "b" * 40}

    def download(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        assert name == "me/digits" and allow_patterns
        folder = tmp_path / "hub" / "snapshots" / commits.get(revision or "main", str(revision))
        return str(folder if folder.is_dir() else shutil.copytree(tiny_run / "model", folder))

    class Hub:
        def model_info(self, name: str, *, revision: str | None, **_: object) -> SimpleNamespace:
            assert name == "me/digits"
            return SimpleNamespace(siblings=[], sha=commits.get(revision or "main", revision))

        def dataset_info(self, name: str, *, revision: str | None) -> SimpleNamespace:
            if name != "me/pets":
                raise RepositoryError
            return SimpleNamespace(sha=commits[revision or "main"])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    return commits


class RepositoryError(Exception):
    """As what a hub raises, no error of Python's own."""


def test_what_lies_on_a_hub_is_named_by_its_commit(hub: dict[str, str]) -> None:
    first = hub["main"]
    assert absolute("hf:me/pets") == f"hf:me/pets@{first}" and absolute("hf:me/pets@v1") == f"hf:me/pets@{hub['v1']}"
    assert absolute("hf:me/digits", "model") == f"hf:me/digits@{first}"
    hub["main"] = "c" * 40
    assert absolute("hf:me/pets") == f"hf:me/pets@{hub['main']}"
    for address in ("hf:me/pets@" + first, "hf:me/unknown", "digits", ""):
        assert absolute(address) == address


def test_what_a_name_stood_for_is_remembered_for_when_the_hub_is_gone(hub: dict[str, str], tmp_path: Path) -> None:
    """The client's own cache has the names as files below `refs`; it writes none when it is asked for a commit."""
    for address in ("hf:me/digits", "hf:me/digits@v1", f"hf:me/digits@{hub['v1']}"):
        gannet.load(address)
    names = tmp_path / "hub" / "refs"
    assert {path.name: path.read_text() for path in names.iterdir()} == hub
    hub["main"] = "c" * 40
    gannet.load("hf:me/digits")
    assert (names / "main").read_text() == hub["main"]


def test_a_run_notes_the_commits_of_what_it_came_from(
    hub: dict[str, str], tiny_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = configure(tiny_yaml.as_posix(), "hf:me/pets", {}, "hf:me/digits@v1")
    assert recipe.data.source == f"hf:me/pets@{hub['main']}" and recipe.start_from == f"hf:me/digits@{hub['v1']}"
    (tmp_path / "own.yaml").write_text(dump_yaml(recipe).replace(f"@{hub['v1']}", ""), encoding="utf-8")
    assert configure("own.yaml", "", {}, "").start_from == f"hf:me/digits@{hub['main']}"
    run = gannet.train("own.yaml", "digits", tmp_path / "run", {"images": 32})
    assert f"start_from: hf:me/digits@{hub['main']}" in (run.folder / "recipe.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "error",
    [
        HFValidationError("bad name"),
        LocalEntryNotFoundError("offline\nand more"),
        OSError("no network"),
        ConnectionError(),
    ],
)
@pytest.mark.parametrize("fails", ["the size", "the download"])
def test_a_hub_that_fails_is_one_sentence(fails: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> str:
        raise error

    tell_sizes(monkeypatch, {})
    monkeypatch.setattr(huggingface_hub, "snapshot_download", failing)
    if fails == "the size":
        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", failing)
    with pytest.raises(ValueError, match=r"\Ahf:me/digits could not be fetched: .*\Z"):
        gannet.load("hf:me/digits")


def test_two_equal_runs_leave_equal_models(tiny_run: Path, tiny_yaml: Path, tmp_path: Path) -> None:
    again = gannet.train(tiny_yaml.as_posix(), out=tmp_path / "again").folder
    for name in ("config.json", "model.safetensors", "best.safetensors", "README.md"):
        content = (again / "model" / name).read_bytes()
        assert content == (tiny_run / "model" / name).read_bytes()
        for place in (tmp_path, tiny_run.parent, tiny_yaml.parent, Path.home()):
            assert str(place).encode() not in content
