"""Averages that are made once a run is over, and which of them the judge takes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gannet
from gannet.api import AverageOptions, Stopped
from gannet.commands import average
from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Best, Measure
from gannet.recipe import Average, dump_yaml
from gannet.runtime.files import load_tensors, load_tree
from gannet.tasks import generation

WIDTHS = (0.05, 0.1, 0.2)


@pytest.fixture(scope="module")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that kept averages; what is made of it may stay."""
    folder = tmp_path_factory.mktemp("kept")
    recipe = generation.example().model_copy(update={"average": Average(widths=WIDTHS)})
    (folder / "kept.yaml").write_text(dump_yaml(recipe), encoding="utf-8")
    return gannet.train(str(folder / "kept.yaml"), out=folder / "run").folder


def weights_of(run: Path, name: str) -> dict[str, torch.Tensor]:
    return load_tensors(run / "model" / f"{name}.safetensors")[0]


def test_a_width_that_was_kept_is_written_as_it_was_kept(kept_run: Path, gannet_command: Callable[..., Any]) -> None:
    code, out, err = gannet_command("average", kept_run, "--width", 0.1, "--json")
    result = json.loads(out)["result"]
    assert (code, err) == (0, "") and result["weights"] == "average-0.1" and result["distance"] < 1e-6
    state = load_tree(sorted((kept_run / "state").iterdir())[-1])["observers"]["averages"]
    made = weights_of(kept_run, "average-0.1")
    assert made.keys() == weights_of(kept_run, "model").keys()
    for name, tensor in state["averages"][0.1].items():
        assert torch.allclose(made[name], tensor, rtol=1e-6, atol=1e-7), name


def test_a_width_between_lies_between_and_is_used_as_other_weights_are(
    kept_run: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    for width in (0.05, 0.07, 0.1):
        assert gannet_command("average", kept_run, "--width", width).code == 0
    narrow, made, wide = (weights_of(kept_run, f"average-{width}") for width in (0.05, 0.07, 0.1))
    apart = sum(float((wide[name] - narrow[name]).float().norm()) for name in made)
    off = [sum(float((made[name] - one[name]).float().norm()) for name in made) for one in (narrow, wide)]
    assert 0.1 * apart < min(off) and max(off) < apart
    pictures = []
    for weights in ("model", "average-0.07"):
        out = tmp_path / f"{weights}.png"
        assert gannet_command("apply", kept_run, "--weights", weights, "--num", 4, "--out", out).code == 0
        pictures.append(np.asarray(Image.open(out)))
    assert not np.array_equal(*pictures)
    assert gannet_command("judge", kept_run, "--weights", "average-0.07", "--num", 100).code == 0
    assert json.loads((kept_run / "judgement.json").read_text())["asked"]["weights"] == "average-0.07"


def test_an_average_follows_a_run_that_goes_on(kept_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(kept_run, tmp_path / "run"))
    gannet.average(run, AverageOptions(width=0.1))
    before = weights_of(run, "average-0.1")
    gannet.train(resume=run, set={"images": 640})
    assert gannet.average(run, AverageOptions(width=0.1)).path == run / "model" / "average-0.1.safetensors"
    after = weights_of(run, "average-0.1")
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(("best", "picked"), [("low", 0.05), ("high", 0.2), (0.5, 0.1)])
def test_the_judge_picks_the_width_whose_measure_is_best(
    best: Best, picked: float, kept_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted measure grows with the width: 0.1, 0.3, 0.5, 0.7, 0.9; that of the run's own average is best."""
    values = iter([{"low": 0.0, "high": 1.0}.get(str(best), 0.5), 0.1, 0.3, 0.5, 0.7, 0.9])

    def judged(*_: object) -> Judgement:
        return Judgement([Measure("planted", next(values), 0.0, 1.0, None, "", 9, 9, "", best)])

    monkeypatch.setattr(generation, "evaluate", judged)
    made = gannet.average(kept_run)
    assert made.width == picked and made.path.is_file()
    assert list(made.judged) == ["model", "0.05", "0.071", "0.1", "0.14", "0.2"]


def test_the_judge_picks_by_what_was_held_out_and_keeps_no_judgement(kept_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(kept_run, tmp_path / "run"))
    (run / "judgement.json").unlink(missing_ok=True)
    told: list[str] = []
    made = gannet.average(run, on_progress=lambda _, words: told.append(words))
    values = {name: one.value for name, one in made.judged.items()}
    assert made.judged["model"].n_fake == average.FAKES and made.judged["model"].n_real > 100
    assert values[f"{made.width:g}"] == min(value for name, value in values.items() if name != "model")
    assert "Judging averages: 0.14" in told and not (run / "judgement.json").exists()


def test_an_average_that_was_stopped_leaves_nothing(kept_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(kept_run, tmp_path / "run", ignore=shutil.ignore_patterns("average-*")))
    asked: list[bool] = []
    with pytest.raises(Stopped, match="Stopped while judging"):
        gannet.average(run, should_stop=lambda: asked.append(True) or len(asked) > 2)
    assert not list((run / "model").glob("average-*"))


@pytest.mark.parametrize("width", [0.04, 0.21])
def test_a_width_beyond_those_kept_is_refused(width: float, kept_run: Path, gannet_command: Callable[..., Any]) -> None:
    code, out, err = gannet_command("average", kept_run, "--width", width)
    assert (code, out) == (2, "") and "from 0.05 to 0.2" in err and err.count("\n") == 1


def test_widths_that_cannot_be_kept_are_refused(gannet_command: Callable[..., Any]) -> None:
    for given, named in (("[0.5]", "average.widths.0"), ("0.1", "average.widths"), ("[0.1,0]", "average.widths.1")):
        code, _, err = gannet_command("train", "digits", "--dry-run", "--set", f"average.widths={given}")
        assert code == 2 and named in err and err.count("\n") == 1, err
