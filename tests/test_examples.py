"""The examples that a stranger copies: each works as it stands, found by the entry points of `examples/pyproject.toml`.

They lie on the path beside those entry points, as an installation would leave them; nothing in `src` knows of them.
"""

import inspect
import json
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Ended
from contracts import (
    check_adopted,
    check_gradients,
    check_parts,
    check_resumes,
    check_saved_equals_live,
    check_signs,
    make_trainer,
)
from PIL import Image

import gannet
from gannet.adversarial.losses import find_loss
from gannet.api import JudgeOptions
from gannet.commands.train import prepare
from gannet.media import find_medium
from gannet.recipe import dump_yaml
from gannet.task import Task, find_task

pytestmark = pytest.mark.usefixtures("examples")
SOURCE = Path(gannet.__file__).parent


@pytest.fixture
def task() -> Task:
    return find_task("curves")


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    """Curves in a sub-folder a class, of differing length; one file is no curve, one holds a single number."""
    from source_curves import CLASSES, draw

    for number in range(80):
        path = tmp_path / "curves" / CLASSES[number % 2] / f"{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, draw(number)[: 40 - number % 7])
    (tmp_path / "curves" / "bump" / "words.csv").write_text("no number\n")
    (tmp_path / "curves" / "bump" / "short.csv").write_text("1.0\n")
    return tmp_path / "curves"


def train(task: Task, data: Path | str, out: Path, **changes: Any) -> gannet.Run:
    path = out.with_suffix(".yaml")
    path.write_text(dump_yaml(task.example()), encoding="utf-8")
    return gannet.train(str(path), str(data), out=out, set={"images": 256, **changes})


# The task


def test_the_task_keeps_the_contracts(task: Task, tmp_path: Path) -> None:
    check_parts(task)
    check_adopted(task)
    check_gradients(make_trainer(task.example(), tmp_path / "gradients"))
    check_resumes(task.example(), tmp_path)


def test_a_saved_model_draws_the_same_curves(task: Task, tmp_path: Path) -> None:
    trainer, prepared = make_trainer(task.example(), tmp_path / "run"), prepare(task.example())
    trainer.round()
    pipeline = task.pipeline(prepared.recipe, prepared.description, trainer.setup.average.networks)
    check_saved_equals_live(pipeline, tmp_path / "model", lambda loaded: loaded(5, seed=1).values)


def test_the_task_has_every_name_of_the_protocol(task: Task) -> None:
    assert task.__doc__ and all(field.description for field in task.Config.model_fields.values())
    for name, member in vars(Task).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            wanted = [one for one in inspect.signature(member).parameters if one != "self"]
            assert len(inspect.signature(getattr(task, name)).parameters) == len(wanted), name


def test_it_trains_is_judged_and_reported(task: Task, curves: Path, tmp_path: Path) -> None:
    run = train(task, curves, tmp_path / "run")
    assert run.ending == "finished"
    facts = json.loads((run.folder / "data.json").read_text(encoding="utf-8"))
    assert facts["training"] + facts["held_out"] == 80 and "2 left out" in facts["left_out"][0]
    measures = {measure.name: measure for measure in gannet.judge(run.folder, "bumps-and-steps").measures}
    assert set(measures) == {"energy distance", "diversity"}
    for measure in measures.values():
        assert measure.low < measure.value < measure.high and measure.floor is not None and measure.n_real > 8
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert all(words in page for words in ("Fakes that pass for real", "energy distance", "<svg"))
    with Image.open(sorted((run.folder / "samples").glob("*.png"))[-1]) as sheet:
        assert sheet.size == (256, 8 * 48)


def test_it_is_applied_to_a_file_and_to_a_folder(
    task: Task, tmp_path: Path, gannet_command: Callable[..., Ended]
) -> None:
    run = train(task, "bumps-and-steps", tmp_path / "run").folder
    told = " ".join(gannet_command("apply", run, "--help").out.split())
    assert "--class" in told and "(bump, step)" in told and "Made: - curve (curve)" in told and "--save" not in told
    for out, num in (("one.csv", 1), ("some", 5), ("some.zip", 5), ("sheet.png", 5)):
        ended = gannet_command("apply", run, "--class", "step", "--num", num, "--seed", 2, "--out", tmp_path / out)
        assert ended.code == 0, ended.err
    pipeline: Any = gannet.load(run)
    drawn = pipeline(5, seed=2, **{"class": "step"}).values.numpy()
    files = sorted((tmp_path / "some" / "step").iterdir())
    assert len(files) == 5
    for path, values in zip([*files, tmp_path / "one.csv"], [*drawn, drawn[0]], strict=True):
        np.testing.assert_allclose(find_medium("curve").open(path), values, rtol=1e-6, atol=1e-6)
        told = json.loads(path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))
        assert told["DigitalSourceType"].endswith("/trainedAlgorithmicMedia") and told["class"] == "step"
        assert (told["model"], told["seed"]) == ("example", 2)
    with zipfile.ZipFile(tmp_path / "some.zip") as archive:
        assert len(archive.namelist()) == 5
    ended = gannet_command("apply", run, "--class", "stp", "--out", tmp_path / "other.csv")
    assert ended.code == 2 and "did you mean 'step'" in ended.err


def test_what_has_no_classes_or_no_effect_is_refused_in_a_sentence(task: Task, curves: Path, tmp_path: Path) -> None:
    for wrong, words in (({"network.width": 8}, "network.width"), ({"task.widht": 8}, "task.widht")):
        with pytest.raises(ValueError, match=words):
            train(task, curves, tmp_path / "run", **wrong)
    with pytest.raises(ValueError, match="bump has no classes; put the curves"):
        train(task, curves / "bump", tmp_path / "run")


def test_it_learns(task: Task, tmp_path: Path) -> None:
    """A hundred rounds leave the noise of the first one behind."""
    run = train(task, "bumps-and-steps", tmp_path / "run", images=1_600, **{"task.width": 64})
    referee = [line["referee"] for line in run.log() if "referee" in line]
    looks = [figures["energy_distance"] for figures in referee if "energy_distance" in figures]
    assert looks[-1] < looks[0] / 2


# The medium


def test_curves_are_brought_to_length_and_written_as_they_were_read() -> None:
    medium = find_medium("curve")
    value = medium.read(b"# a word\n0\n1\n2\n")
    assert medium.fit(value, medium.choose(iter([value]), medium.Options(length=5))).tolist() == [0, 0.5, 1, 1.5, 2]
    assert medium.encode(torch.from_numpy(value), ".csv", {}) == b"0\n1\n2\n"
    assert medium.preview(torch.zeros(3, 8)).size == (256, 3 * 48)
    with pytest.raises(ValueError, match="saved as .csv, not .npy"):
        medium.encode(torch.from_numpy(value), ".npy", {})
    with pytest.raises(ValueError, match="cannot be read: a curve is two finite numbers or more"):
        medium.open(b"nan\n1\n")


def test_the_doctor_examines_curves(curves: Path, gannet_command: Callable[..., Ended]) -> None:
    ended = gannet_command("doctor", curves)
    assert ended.code == 0, ended.err
    for words in (
        "curves: 80 curves",
        "2 left out:",
        "The values lie between ",
        "Tasks that learn from curves: curves",
    ):
        assert words in ended.out, words


# Networks, a loss and a measure


def test_a_recipe_names_the_networks_and_the_loss_and_a_judgement_takes_the_measure(
    tiny_yaml: Path, tmp_path: Path
) -> None:
    given = {"network": {"name": "resize", "latent": 4}, "loss.name": "smoothed", "images": 64}
    run = gannet.train(str(tiny_yaml), out=tmp_path / "run", set=given)
    assert run.recipe.network.options == {"latent": 4, "width": 32} and run.recipe.loss.name == "smoothed"
    assert type(gannet.load(run.folder).networks["generator"]).__module__ == "network_resize"
    found = gannet.judge(run.folder, query=JudgeOptions(num=150))
    sliced = next(measure for measure in found.measures if measure.name == "sliced distance")
    assert sliced.best == "low" and sliced.floor is not None and 0 < sliced.floor < sliced.value


def test_the_networks_are_of_every_size_and_with_or_without_classes() -> None:
    from network_resize import Resize

    for shape, classes in (((1, 8, 8), 0), ((3, 13, 20), 2)):
        pair = Resize().sized(shape)
        label = torch.arange(2) if classes else None
        generator, discriminator = pair.generator(shape, classes), pair.discriminator(shape, classes)
        drawn = generator(torch.zeros(2, generator.latent), label)
        assert drawn.shape == (2, *shape) and discriminator(drawn, label).shape == (2,)
    with pytest.raises(ValueError, match="makes pictures"):
        Resize().sized((2,))


def test_the_loss_has_the_signs_and_the_value_of_its_formula() -> None:
    loss = find_loss("smoothed")
    check_signs(loss)
    even = torch.zeros(3)
    assert float(loss.discriminator(even, even)) == pytest.approx(2 * np.log(2))
    real = torch.tensor([np.log(9.0)], requires_grad=True)
    loss.discriminator(real, torch.zeros(1)).backward()
    assert real.grad is not None and abs(float(real.grad)) < 1e-6  # Lowest where D(x) is 0.9.


def test_the_task_plays_with_the_loss(task: Task, tmp_path: Path) -> None:
    assert train(task, "bumps-and-steps", tmp_path / "run", **{"loss.name": "smoothed"}).ending == "finished"


def test_the_measure_is_zero_for_equal_sets_and_the_length_of_a_shift_in_one_dimension() -> None:
    from measure_sliced import sliced

    real = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    assert sliced(real, real.flip(0)) == {"sliced distance": pytest.approx(0, abs=1e-6)}
    assert sliced(real[:, :1], real[:, :1] + 0.5)["sliced distance"] == pytest.approx(0.5, abs=1e-5)


# The folder


def test_every_example_is_installed_and_nothing_in_the_package_knows_of_it(examples: Path) -> None:
    project = tomllib.loads((examples / "pyproject.toml").read_text(encoding="utf-8"))
    modules = set(project["tool"]["setuptools"]["py-modules"])
    assert modules == {path.stem for path in examples.glob("*.py")}
    points = [point for group in project["project"]["entry-points"].values() for point in group.values()]
    assert {point.split(":")[0] for point in points} == modules
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py")))
    assert not [name for name in modules if name in text]
