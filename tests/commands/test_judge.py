"""Judging from the command line and from Python: a run by what it held out, a model by data that are given."""

import json
import subprocess
import sys
from html import escape
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gannet
from gannet.api import JudgeOptions
from gannet.cli import main
from gannet.commands.train import prepare, split_of
from gannet.metrics.features import fit_components
from gannet.metrics.memorization import relative_nearest
from gannet.runs.folder import read_recipe


def trained(folder: Path, **changes: object) -> Path:
    settings = {"images": 2_000, "batch": 16, "precision": "32", "device": "cpu", "network.width": 8}
    gannet.train("digits", out=folder, set={**settings, **changes})
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("judged") / "run")


def call(words: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["gannet", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    if left.value.code:
        raise SystemExit(left.value.code)


def test_a_run_is_judged_by_what_it_held_out(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(["judge", run, "--num", 200, "--json"], monkeypatch)
    answer = json.loads(capsys.readouterr().out)
    assert answer["verb"] == "judge"
    result = answer["result"]
    held_out = json.loads((run / "data.json").read_text())["held_out"]
    for measure in result["measures"]:
        assert measure["features"].startswith("pixel-components") and measure["n_real"] == held_out
        assert measure["n_fake"] == 200 and measure["protocol"] and measure["floor"] is not None
    assert not result["memorization"]["memorizes"] and result["sentence"].startswith("Far from your pictures: ")
    asked = {"images": 2_000, "weights": "model", "data": "", "seed": 0, "fast": False}
    assert json.loads((run / "judgement.json").read_text()) == {**result, "plural": "pictures", "asked": asked}
    assert "frechet distance" in (run / "report.html").read_text()
    assert "256 of each" in result["left_out"]["frechet distance, corrected"]


def test_a_fast_look_is_kept_unless_a_whole_judgement_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path / "run")
    call(["judge", run, "--fast", "--json"], monkeypatch)
    result = json.loads(capsys.readouterr().out)["result"]
    names = [one["name"] for one in result["measures"]]
    assert names[0] == "sliced wasserstein distance" and {"clipped density", "clipped coverage"} < set(names)
    assert "frechet distance" not in names and result["memorization"] is None
    assert "--fast" in result["left_out"]["memorization"]
    assert all(one["low"] <= one["value"] <= one["high"] and one["floor"] is not None for one in result["measures"])
    fast = (run / "judgement.json").read_bytes()
    assert json.loads(fast)["asked"]["fast"]
    gannet.judge(run, query=JudgeOptions(num=200))
    whole = (run / "judgement.json").read_bytes()
    assert whole != fast
    gannet.judge(run, query=JudgeOptions(fast=True))
    assert (run / "judgement.json").read_bytes() == whole
    (run / "judgement.json").write_text("half a fi")
    gannet.judge(run, query=JudgeOptions(fast=True))
    assert (run / "judgement.json").read_bytes() == fast


@pytest.mark.parametrize("asked", ["utility", "baselines", "leaks"])
def test_what_takes_minutes_is_refused_of_a_fast_look(asked: str) -> None:
    with pytest.raises(ValueError, match=f"fast is a look in seconds, and {asked} takes minutes; leave one of them"):
        JudgeOptions(fast=True, **{asked: "own" if asked == "leaks" else True})


def test_the_same_seed_gives_the_same_judgement_in_python(run: Path) -> None:
    one, two = (gannet.judge(run, query=JudgeOptions(num=120, seed=3)).to_json() for _ in range(2))
    assert one == two


def test_a_model_without_its_run_needs_data(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gannet.load(run).save_pretrained(tmp_path / "bare")
    with pytest.raises(ValueError, match="no run around it"):
        gannet.judge(tmp_path / "bare")
    found = gannet.judge(tmp_path / "bare", "digits", JudgeOptions(num=120))
    assert found.measures[0].n_real == 1_797 and "memorization" in found.left_out


def test_a_recognizer_is_judged_by_its_accuracy(tmp_path: Path) -> None:
    changes = {"stages": [], "images": 4_000, "batch": 16, "network.width": 8, "network.depth": 2, "device": "cpu"}
    gannet.train("recognition", "digits", out=tmp_path / "run", set=changes)
    (found,) = gannet.judge(tmp_path / "run").measures
    assert found.name == "accuracy" and found.low < found.value < found.high and found.value > 0.5


def test_a_shipped_model_is_found_by_its_name_and_its_newest_version(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("owls-v1", "owls-v2", "owls-v10"):
        gannet.load(run).save_pretrained(tmp_path / name)
    monkeypatch.setattr("gannet.pipelines.hub.SHIPPED", tmp_path)
    from gannet.pipelines.hub import model_folder

    assert model_folder("owls").name == "owls-v10" and model_folder("owls-v1").name == "owls-v1"
    with pytest.raises(ValueError, match="owls-v10"):
        model_folder("bats")


def test_the_model_inside_a_run_is_judged_as_the_run_is(run: Path) -> None:
    query = JudgeOptions(num=120, seed=3)
    assert gannet.judge(run / "model", query=query).to_json() == gannet.judge(run, query=query).to_json()


def test_data_that_were_brought_to_another_kind_are_said_to_be(run: Path, tmp_path: Path) -> None:
    for index in range(120):
        colours = np.random.default_rng(index).integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(colours).save(tmp_path / f"{index}.png")
    (note,) = gannet.judge(run, tmp_path, JudgeOptions(num=100)).notes
    assert note == "The data, about 20 pixels a side in colour, were brought to 8 in grey."


def test_the_report_says_when_a_judgement_is_older_than_the_run(tmp_path: Path) -> None:
    folder = trained(tmp_path / "run")
    gannet.judge(folder, query=JudgeOptions(num=100))
    assert "The run has gone on since" not in (folder / "report.html").read_text()
    gannet.train(resume=folder, set={"images": 3_000})
    assert "The run has gone on since: judge it again." in (folder / "report.html").read_text()


def test_utility_and_baselines_are_asked_for_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gannet.metrics.utility.SEEDS", 2)
    monkeypatch.setattr("gannet.metrics.baselines.BoltzmannMachine.STEPS", 5)
    folder = trained(tmp_path / "run", **{"data.limit": 200, "task.conditional": True})
    call(["judge", folder, "--num", 120, "--utility", "--baselines", "--json"], monkeypatch)
    result = json.loads(capsys.readouterr().out)["result"]
    assert "200 samples" in result["utility"]["protocol"] and len(result["utility"]["scores"]) == 20
    assert [one["name"] for one in result["rivals"]][:2] == ["this model", "naive Bayes"]
    assert len(result["rivals"]) == 6 and result["rivals"][-1]["name"] == "flow matching"
    assert escape(result["utility"]["answer"]) in (folder / "report.html").read_text()


def test_utility_of_a_model_that_learned_from_too_many_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gannet.tasks.generation.evaluation.MOST", 1_000)
    with pytest.raises(ValueError, match=r"data\.limit of at most 1,000"):
        gannet.judge(run, query=JudgeOptions(utility=True))


def test_modes_of_stacked_pictures_are_told_by_a_classifier_that_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gannet.tasks.generation.evaluation.CLASSIFIER_IMAGES", 6_000)
    monkeypatch.setattr("gannet.tasks.generation.evaluation.SAMPLES", 500)
    folder = trained(tmp_path / "run", **{"data.stack": 3, "data.channels": 3})
    monkeypatch.setattr("gannet.tasks.generation.evaluation.SUREST", 1.01)
    assert "it needs 101.0%" in gannet.judge(folder, query=JudgeOptions(num=100)).left_out["modes found"]
    monkeypatch.setattr("gannet.tasks.generation.evaluation.SUREST", 0.5)
    found = {measure.name: measure for measure in gannet.judge(folder, query=JudgeOptions(num=100)).measures}
    modes, divergence = found["modes found"], found["mode divergence (KL)"]
    assert 1 <= modes.value < modes.floor < 500 and divergence.value > divergence.floor > 0
    assert "500 fakes" in modes.protocol


def test_people_are_not_torn_apart(tmp_path: Path) -> None:
    """Six hundred pictures of 120 people: those held out are of people that nobody learned from."""
    for index in range(600):
        person = np.random.default_rng(index // 5).integers(0, 256, (8, 8), dtype=np.uint8)
        noise = np.random.default_rng(1_000 + index).integers(0, 16, (8, 8), dtype=np.uint8)
        (tmp_path / "faces").mkdir(exist_ok=True)
        Image.fromarray(person // 2 + noise).save(tmp_path / "faces" / f"{index // 5}-{index % 5}.png")
    changes = {"images": 500, "batch": 16, "device": "cpu", "network.width": 8, "data.group": "^(.+)-"}
    run = gannet.train("images", tmp_path / "faces", out=tmp_path / "run", set=changes)
    counts = json.loads((run.folder / "data.json").read_text())
    assert counts["held_out"] % 5 == 0 and counts["training"] % 5 == 0
    # Halves that hold other people differ more than halves that share them.
    torn = gannet.train("images", tmp_path / "faces", out=tmp_path / "torn", set=changes | {"data.group": ""})
    floors = [
        gannet.judge(folder, tmp_path / "faces", JudgeOptions(num=600)).measures[0].floor
        for folder in (run.folder, torn.folder)
    ]
    assert floors[0] > 1.2 * floors[1]


@pytest.mark.parametrize(("pattern", "words"), [("(", "is not a regular expression"), ("abc", "has no group")])
def test_a_pattern_that_tells_nobody_apart_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gannet.train("images", "digits", set={"data.group": pattern})


def test_two_processes_judge_as_one_does(run: Path, tmp_path: Path) -> None:
    words = ["judge", str(run), "--json"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "--no-python"]
    found = subprocess.run(
        [*launcher, sys.executable, "-m", "gannet", *words], capture_output=True, text=True, timeout=240
    )
    assert found.returncode == 0, found.stderr
    (answer,) = found.stdout.splitlines()
    assert json.loads(answer)["result"]["measures"] == gannet.judge(run).to_json()["measures"]


def test_the_closest_pairs_that_are_shown_are_those_that_were_found(run: Path) -> None:
    judgement = gannet.judge(run, query=JudgeOptions(num=150, seed=4))
    assert judgement.closest is not None and judgement.memorization is not None
    fakes, originals = judgement.closest.chunk(2)
    split = split_of(prepare(read_recipe(run)))
    training, held_out = split.training, split.held_out
    features = fit_components(held_out.spread(5_000)["real"])
    known = training.spread(len(training))["real"]
    distances, partners = relative_nearest(features(fakes), features(known))
    assert torch.equal(known[partners], originals)
    torch.testing.assert_close(distances, judgement.memorization.distances, atol=1e-4, rtol=1e-3)
    assert (run / "closest.png").is_file() and "The fakes nearest to training samples" in (
        run / "report.html"
    ).read_text()
