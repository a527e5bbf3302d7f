"""The report: verdict first, nothing from elsewhere, nothing that runs, and right without any of its files."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gannet.commands.callbacks import write_curves
from gannet.commands.summary import summarize
from gannet.metrics.augmentation_leak import Leak, rate
from gannet.monitoring.nearness import Outlook
from gannet.monitoring.referee import Referee
from gannet.runs.folder import Run
from gannet.runs.report import write_report
from gannet.runs.report.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Curve, Mark, draw_curves
from gannet.runs.standing import add_judgement, light_judgements, outlook, standing

VERDICT = {
    "rule": {"state": "undecided", "words": "RULE", "since_images": 0},
    "diagnosis": {"state": "healthy", "words": "DIAGNOSIS <b>", "since_images": 40},
    "advice": "ADVICE",
}


def fill(run: Path) -> None:
    (run / "samples").mkdir(parents=True)
    for images in range(0, 2_000, 100):
        Image.new("RGB", (4, 4)).save(run / "samples" / f"{images:012d}.png")
    (run / "verdict.json").write_text(json.dumps(VERDICT))
    (run / "recipe.yaml").write_text("name: <script>alert(1)</script>\n")
    (run / "data.json").write_text(json.dumps({"training": 7, "held_out": 3}))
    write_curves(run, {"referee": Referee})  # type: ignore[dict-item]
    line = {"images": 100, "losses": {"d/d/adversarial": 1.5}, "referee": {"fool_rate": 0.4}}
    line["clock"] = {"seconds": 60.0, "images_per_second": 1.7}
    (run / "log.jsonl").write_text("".join(json.dumps({**line, "images": images}) + "\n" for images in (50, 100)))


def test_the_verdict_comes_first_and_everything_is_inside(tmp_path: Path) -> None:
    fill(tmp_path / "run")
    html = write_report(tmp_path / "run").read_text()
    order = [html.index(word) for word in ("DIAGNOSIS", "ADVICE", "RULE", "What it shows", "The game", "Recipe")]
    assert order == sorted(order)
    assert html.count("data:image/png;base64,") == 6 and "1,900 images" in html
    assert "50 %: on track" in html and "90 %: converged" in html
    assert not re.search(r"https?:|src=\"(?!data:)|href=|@import|url\(", html)


def test_nothing_of_a_recipe_or_a_verdict_can_run(tmp_path: Path) -> None:
    fill(tmp_path / "run")
    html = write_report(tmp_path / "run").read_text()
    assert "<script" not in html and "&lt;script&gt;" in html and "DIAGNOSIS &lt;b&gt;" in html


def test_an_empty_run_still_has_a_page(tmp_path: Path) -> None:
    assert "<h1>" in write_report(tmp_path).read_text()


def test_a_judgement_is_a_table_with_its_protocol(tmp_path: Path) -> None:
    fill(tmp_path / "run")
    found = {"name": "precision", "value": 0.5, "low": 0.4, "high": 0.6, "floor": 0.9}
    found |= {"features": "judge-v0", "protocol": "PROTOCOL"}
    judgement = {
        "measures": [found],
        "by_class": {"owl": found},
        "memorization": {"memorizes": True, "words": "COPIES"},
        "left_out": {"modes": "REASON"},
        "utility": None,
        "leaks": [Leak("rotation", 15, *(rate(hits, 100) for hits in (7, 2, 99))).to_json()],
        "rivals": [],
        "notes": ["NOTE"],
        "asked": {"images": 100, "weights": "best", "data": "photos", "seed": 0},
    }
    (tmp_path / "run" / "judgement.json").write_text(json.dumps(judgement))
    html = write_report(tmp_path / "run").read_text()
    for words in (
        "precision",
        "kernel distance of owl",
        "precision: PROTOCOL; features: judge-v0.",
        "COPIES",
        "modes: left out, REASON.",
        "NOTE",
        "weights: best) against photos",
        "<td>rotation (15)</td><td>7.0%</td><td>3.4% to 13.7%</td><td>2.0%</td><td>98.5%</td>",
    ):
        assert words in html


@pytest.mark.parametrize("best", ["high", "low", 0.5, 1.0, None])
def test_the_table_says_what_is_best_of_each_measure(tmp_path: Path, best: str | float | None) -> None:
    """Judgements from before measures said so leave it open; nothing is guessed from a name."""
    found = {"name": "flicker", "value": 0.5, "low": 0.4, "high": 0.6, "floor": 0.9, "features": "none", "protocol": ""}
    found |= {} if best is None else {"best": best}
    judgement = {"measures": [found], "by_class": {}, "memorization": None, "left_out": {}, "utility": None}
    judgement |= {"rivals": [], "notes": [], "asked": {"images": 100, "weights": "model", "data": "", "seed": 0}}
    (tmp_path / "judgement.json").write_text(json.dumps(judgement))
    shown = "" if best is None else str(best)
    assert f"<td>0.4 to 0.6</td><td>{shown}</td>" in write_report(tmp_path).read_text()


def test_the_charts_are_those_that_the_observers_want(tmp_path: Path) -> None:
    lines = [{"images": i, "scale": {"drift": i / 9, "hidden": 1.0}, "losses": {"a/b": 1.0}} for i in range(3)]
    lines = [{**line, "clock": {"seconds": 1.0, "images_per_second": 1.0}} for line in lines]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    by_name = write_report(tmp_path).read_text()
    assert "<figcaption>scale</figcaption>" in by_name and "<span><i" in by_name and "hidden" in by_name
    mark = {"value": 0.1, "words": "too far"}
    wanted = [{"observer": "scale", "title": "How far it drifts", "names": ["drift"], "marks": [mark]}]
    (tmp_path / "curves.json").write_text(json.dumps(wanted))
    told = write_report(tmp_path).read_text()
    assert "How far it drifts" in told and "too far" in told and "hidden" not in told and "Losses" in told


def points(drawing: str) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in re.search('points="([^"]*)"', drawing)[1].split()]


def test_a_curve_runs_from_corner_to_corner() -> None:
    found = points(draw_curves("title", [Curve("line", [0, 50, 100], [0.0, 0.5, 1.0])]))
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    assert found == [(LEFT, floor), ((LEFT + right) / 2, (TOP + floor) / 2), (right, TOP)]


def test_a_mark_stretches_the_scale_and_lies_at_its_value() -> None:
    drawing = draw_curves("title", [Curve("line", [0, 100], [0.0, 0.5])], [Mark(1.0, "all")])
    assert f'y1="{TOP:.1f}"' in drawing and points(drawing)[1][1] == pytest.approx((TOP + HEIGHT - BOTTOM) / 2)


def test_what_is_not_finite_is_left_out_and_long_curves_are_thinned() -> None:
    drawing = draw_curves(
        "title", [Curve("line", range(5_000), [float("nan") if i % 2 else 1.0 for i in range(5_000)])]
    )
    assert 200 < len(points(drawing)) <= 400 and "nan" not in drawing
    assert draw_curves("title", [Curve("line", [1], [float("inf")])]) == ""


def judged_at(images: int, precision: float) -> dict[str, Any]:
    found = {"name": "precision", "value": precision, "low": 0.0, "high": 0.1, "floor": 0.7, "features": "judge-v1"}
    asked = {"images": images, "weights": "model", "data": "", "seed": 0}
    judgement = {"measures": [{**found, "protocol": "P", "best": "high"}], "plural": "pictures", "asked": asked}
    return judgement | {
        "by_class": {},
        "memorization": None,
        "left_out": {},
        "utility": None,
        "rivals": [],
        "notes": [],
    }


@pytest.mark.parametrize("light", [False, True])
def test_a_game_that_goes_well_is_not_called_good_above_pictures_that_are_far(tmp_path: Path, light: bool) -> None:
    """A planted run: the players keep up with each other, and no picture lies among the reals."""
    fill(tmp_path / "run")
    (tmp_path / "run" / "recipe.yaml").write_text("{name: planted, task: {name: generation}, images: 2500}")
    if light:
        add_judgement(tmp_path / "run", 100, judged_at(100, 0.0))
    else:
        (tmp_path / "run" / "judgement.json").write_text(json.dumps(judged_at(100, 0.0)))
    html = write_report(tmp_path / "run").read_text()
    first = "Far from your pictures: precision 0 (reals: 0.7); only 4% of the plan seen; at this rate 24 min more."
    assert html.index(first) < html.index("DIAGNOSIS") < html.index("RULE")
    assert "healthy" not in html and 'class="verdict good"' not in html
    result, (said, *others) = summarize(Run(tmp_path / "run", "finished"))
    assert said == first == result["nearness"]["words"] and not any("healthy" in line for line in others)


def test_the_newest_judgement_counts_and_a_whole_one_before_a_light_one(tmp_path: Path) -> None:
    fill(tmp_path / "run")
    (tmp_path / "run" / "judgement.json").write_text(json.dumps(judged_at(100, 0.0)))
    for images, state in ((50, "far"), (100, "far"), (150, "no-longer-far")):
        add_judgement(tmp_path / "run", images, judged_at(images, 0.7))
        assert standing(tmp_path / "run").state == state


@pytest.mark.parametrize(
    "damaged", ['{"images": null, "measures": []}', '{"images": 1, "measures": [3]}', '{"images": 1, "measures": [{}]}']
)
def test_damaged_judgements_can_be_missed(damaged: str, tmp_path: Path) -> None:
    fill(tmp_path / "run")
    (tmp_path / "run" / "judgements.jsonl").write_text(damaged + "\n")
    (tmp_path / "run" / "judgement.json").write_text(damaged)
    add_judgement(tmp_path / "run", 100, judged_at(100, 0.0))
    assert standing(tmp_path / "run").state == "far"


def test_judgements_of_what_a_run_went_back_from_are_forgotten(tmp_path: Path) -> None:
    for images in (10, 20, 30, 20):
        add_judgement(tmp_path, images, judged_at(images, 0.7))
    assert [line["images"] for line in light_judgements(tmp_path)] == [10, 20]
    (tmp_path / "judgements.jsonl").write_text('{"images": 10}\nhalf a li')
    assert light_judgements(tmp_path) == []


@pytest.mark.parametrize(("minutes", "share", "left"), [(None, 0.1, 540.0), (2, 0.5, 60.0)])
def test_the_outlook_goes_by_images_or_by_a_budget(
    minutes: int | None, share: float, left: float, tmp_path: Path
) -> None:
    fill(tmp_path / "run")
    budget = f", minutes: {minutes}" if minutes else ""
    (tmp_path / "run" / "recipe.yaml").write_text(
        f"{{name: planned, task: {{name: generation}}, images: 1000{budget}}}"
    )
    assert outlook(tmp_path / "run") == Outlook(share, pytest.approx(left))
    (tmp_path / "run" / "log.jsonl").unlink()
    assert outlook(tmp_path / "run") is None


def test_reals_stand_beside_the_newest_sheet_and_small_pictures_are_shown_large(tmp_path: Path) -> None:
    fill(tmp_path / "run")
    Image.new("RGB", (4, 4)).save(tmp_path / "run" / "reals.png")
    html = write_report(tmp_path / "run").read_text()
    beside = html[html.index('<div class="beside">') : html.index('<div class="pictures">')]
    assert beside.count("<img") == 2 and "1,900 images" in beside and "Reals that were held out" in beside
    assert html.count("data:image/png;base64,") == 7
    assert re.search(r"\.beside img \{ width: 100%; image-rendering: pixelated; \}", html)
    assert "minmax(18rem" in html


@pytest.mark.parametrize("noted", [True, False])
def test_charts_say_what_their_lines_mean(noted: bool, tmp_path: Path) -> None:
    """Also those that were noted before charts had words."""
    fill(tmp_path)
    if not noted:
        charts = json.loads((tmp_path / "curves.json").read_text())
        (tmp_path / "curves.json").write_text(json.dumps([{**chart, "about": ""} for chart in charts]))
    for images in (50, 100):
        add_judgement(tmp_path, images, judged_at(images, images / 200))
    html = write_report(tmp_path).read_text()
    about = html[html.index("50 %: on track") :]
    assert "share of fakes that the discriminator takes for real" in about[: about.index("</figure>")]
    trend = html[html.index("How near the fakes are") :]
    trend = trend[: trend.index("</figure>")]
    assert "0.8: near" in trend and "The lowest line decides" in trend and len(points(trend)) == 2
