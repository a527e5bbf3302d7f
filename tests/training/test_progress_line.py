"""The progress line: at any width what matters is whole, and nothing is cut within a word."""

import io
import json
import re
from pathlib import Path

import pytest
from contracts import check_resumes, make_trainer
from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console

from gannet.runtime.progress import Progress, Watch
from gannet.tasks import generation, video_generation
from gannet.training import progress as progress_module
from gannet.training.callbacks import Status
from gannet.training.layout import lay_out, status_line
from gannet.training.progress import LEGEND, Terminal

VERDICT = "far from your pictures · mode-collapse"


def status(done: int = 40_000, left: float = 2_705.0, speed: float = 355.0) -> Status:
    measures = {"referee/fool_rate": 0.12}
    return Status(done, 1_000_000, seconds=113.0, images_per_second=speed, seconds_left=left, measures=measures)


@pytest.mark.parametrize(
    ("width", "title", "bar", "text"),
    [
        (60, "", 0, "4% · 45 min left · far from your pictures · mode-collapse"),
        (80, "", 22, "4% · 45 min left · far from your pictures · mode-collapse"),
        (120, "", 20, "4% · 45 min left · far from your pictures · mode-collapse · fool rate 12% · "
         "40,000/1,000,000 images"),
        (160, "Training", 24, "4% · 45 min left · far from your pictures · mode-collapse · fool rate 12% · "
         "40,000/1,000,000 images · 355 images/s"),
    ],
)  # fmt: skip
def test_a_line_has_what_matters_most_at_every_width(width: int, title: str, bar: int, text: str) -> None:
    found = lay_out("Training", status(), VERDICT, width)
    assert (found.title, found.bar, found.text) == (title, bar, text)


@pytest.mark.parametrize(
    ("width", "bar", "text"),
    [
        (60, 22, "4% · 45 min left · near your pictures"),
        (80, 24, "4% · 45 min left · near your pictures · fool rate 12%"),
        (120, 24, "4% · 45 min left · near your pictures · fool rate 12% · 40,000/1,000,000 images · 355 images/s"),
    ],
)
def test_speed_goes_first_where_there_is_no_room_then_images(width: int, bar: int, text: str) -> None:
    found = lay_out("Training", status(), "near your pictures", width)
    assert (found.text, found.bar) == (text, bar)


@pytest.mark.parametrize("verdict", ["far from your pictures", "nearing your pictures · discriminator-overfitting"])
@pytest.mark.parametrize("left", [5.0, 299.0, 7_500.0, 35_940.0, 400_000.0])
def test_at_eighty_columns_bar_share_time_and_verdict_are_whole(verdict: str, left: float) -> None:
    found = lay_out("Training", status(1_000_000, left), verdict, 80)
    assert found.bar >= 5 and verdict in found.text and found.text.startswith("100% · ") and " left · " in found.text


@given(
    some.integers(1, 200),
    some.lists(some.sampled_from(["near", "your", "pictures", "·", "mode-collapse", "unentschieden"]), max_size=12),
    some.booleans(),
)
def test_no_word_is_cut_and_no_line_too_long(width: int, words: list[str], of_a_run: bool) -> None:
    shown = status() if of_a_run else Progress(12, 34)
    found, whole = lay_out("Training", shown, " ".join(words), width), status_line(shown, " ".join(words))
    used = len(found.text) + (found.bar + 1 if found.bar else 0) + (len(found.title) + 1 if found.title else 0)
    assert used <= max(width, 5)
    assert set(found.text.split()) - {"..."} <= set(whole.split())


def test_a_budget_of_minutes_is_what_the_share_goes_by() -> None:
    assert status_line(status(left=113.0), "").startswith("50% · ")
    assert status_line(status(left=2_704.2), "").startswith("4% · ")


@pytest.mark.parametrize(
    ("speed", "told"), [(0.04, "0.04"), (0.375, "0.4"), (1.24, "1.2"), (9.96, "10"), (1_234.4, "1,234")]
)
def test_a_slow_game_does_not_seem_to_stand_still(speed: float, told: str) -> None:
    assert status_line(status(speed=speed), "").endswith(f" · {told} images/s")


def test_a_run_counts_what_it_learns_from_by_its_name(tmp_path: Path) -> None:
    told: list[str] = []
    trainer = make_trainer(video_generation.example().model_copy(update={"stages": (), "images": 8}), tmp_path)
    object.__setattr__(trainer.callbacks, "watch", Watch(lambda *status: told.append(status_line(*status))))
    trainer.run()
    assert "/8 clips · " in told[-1] and told[-1].endswith(" clips/s")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_shows_the_line_as_it_was_laid_out(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()

    def console(**_: object) -> Console:
        return Console(file=shown, force_terminal=True, width=width, color_system=None, legacy_windows=False)

    monkeypatch.setattr(progress_module, "QuietConsole", console)
    with Terminal("Training") as terminal:
        terminal(status(1_000_000, 0.0), VERDICT)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.getvalue())
    assert plain.count(LEGEND) == (1 if width >= len(LEGEND) else 0)
    assert LEGEND in " ".join(plain.split())
    last = [line for line in plain.replace("\r", "\n").splitlines() if line.strip()][-1].rstrip()
    fitted = lay_out("Training", status(1_000_000, 0.0), VERDICT, width)
    assert last.endswith(fitted.text) and last.count("━") == fitted.bar and "…" not in last
    assert len(last) <= width


def test_a_run_tells_how_near_it_is_and_never_that_its_game_is_healthy(tmp_path: Path) -> None:
    told: list[str] = []
    trainer = make_trainer(generation.example(), tmp_path)
    object.__setattr__(trainer.callbacks, "watch", Watch(lambda _, words: told.append(words)))
    assert trainer.run() == "finished"
    assert told[-1].split(" · ")[0] == "far from your pictures"
    assert not {"rule", "undecided", "healthy"} & {word for words in told for word in words.split()}
    judged = [json.loads(line) for line in (tmp_path / "judgements.jsonl").read_text().splitlines()]
    assert [line["images"] for line in judged] == [256, 512] and (tmp_path / "reals.png").is_file()


def test_a_run_that_goes_on_has_the_judgements_of_one_that_never_stopped(tmp_path: Path) -> None:
    check_resumes(generation.example(), tmp_path)
    whole, parts = ((tmp_path / name / "judgements.jsonl").read_bytes() for name in ("whole", "parts"))
    assert whole == parts
