"""What the tab's script is answered: games apart from each other, sentences for whatever is wrong, the same words."""

import json
import re
import struct
import threading
from base64 import b64decode
from typing import Any, get_args

import numpy as np
import pytest

from gannet.adversarial.losses import LOSSES
from gannet.api import PlaneOptions
from gannet.studio.learn.answers import MOST_ROUNDS, in_cells, in_thousandths, player_of, portray
from gannet.studio.learn.sessions import Sessions
from gannet.studio.learn.words import FOLDER, catalogue, formulas, languages

PAGE = (FOLDER / "page.html").read_text(encoding="utf-8")


def test_two_tabs_do_not_disturb_each_other() -> None:
    play = player_of(Sessions())
    alone = play({"rounds": 4, "options": {"seed": 1}})
    one, other = play({"options": {"seed": 1}}), play({"options": {"seed": 1, "loss": "hinge"}})
    for _ in range(4):
        one, other = play({"game": one["game"], "rounds": 1}), play({"game": other["game"], "rounds": 1})
    assert len({alone["game"], one["game"], other["game"]}) == 3
    assert one["fakes"] == alone["fakes"] != other["fakes"] and one["field"] == alone["field"]


def test_nothing_runs_between_two_questions() -> None:
    play, before = player_of(Sessions()), set(threading.enumerate())
    first = play({"rounds": 2})
    assert set(threading.enumerate()) <= before
    assert play({"game": first["game"]})["images"] == first["images"] > 0


def test_one_player_steps_alone_and_the_real_points_come_when_they_may_be_others() -> None:
    play = player_of(Sessions())
    first = play({"options": {}})
    second = play({"game": first["game"], "player": "discriminator"})
    assert "reals" in first and "reals" not in second
    assert second["fakes"] == first["fakes"] and second["field"] != first["field"]
    assert set(second["losses"]) == {"discriminator"}
    third = play({"game": first["game"], "options": {"distribution": "moons"}})
    assert third["reals"] != first["reals"] and third["images"] == second["images"]


def test_the_oldest_game_goes_first_and_is_said_to_be_gone() -> None:
    play = player_of(Sessions(most=2))
    names = [play({"rounds": 0})["game"] for _ in range(2)]
    play({"game": names[0]})
    play({})
    assert "images" in play({"game": names[0]})
    assert set(play({"game": names[1]})) == {"gone"} == set(play({"game": "guessed"}))


@pytest.mark.parametrize(
    "given",
    [
        None,
        [1, 2],
        "play",
        {1: 2},
        {"rounds": 10**9},
        {"rounds": MOST_ROUNDS + 1},
        {"rounds": -1},
        {"rounds": "many"},
        {"rounds": float("nan")},
        {"player": "referee"},
        {"game": ["x"]},
        {"game": "x" * 10_000},
        {"language": "../../etc"},
        {"options": [1]},
        {"options": {"drawn": [[1e300, 0, 0]] * 20}},
        {"options": {"drawn": [[0, 0, 2]] * 20}},
        {"options": {"drawn": [[0, 0, 0]] * 100_000}},
        {"options": {"noise": "NaN"}},
        {"options": {"latent": 10**6}},
        {"options": {"__class__": 1}},
        {"path": "/etc/passwd"},
    ],
)
def test_whatever_is_sent_is_answered_in_a_sentence(given: Any) -> None:
    sessions = Sessions()
    for answer in (player_of(sessions)(given), portray(given)):
        assert set(answer) == {"error"} and answer["error"].endswith((".", "?")) and "\n" not in answer["error"]
    assert not sessions.games


def test_a_game_that_diverged_is_answered_in_a_sentence_and_in_plain_json() -> None:
    sessions = Sessions()
    play = player_of(sessions)
    name = play({})["game"]
    game, _ = sessions.games[name]
    game.networks["generator"].output.weight.data.fill_(float("inf"))
    assert play({"game": name, "rounds": 1})["error"].startswith("The game diverged")
    json.dumps(play({"game": name}), allow_nan=False)


def test_points_and_fields_are_sent_as_they_are_read() -> None:
    assert in_thousandths(np.array([[0.25, -1.5], [1e9, -1e9]])) == [250, -1500, 30_000, -30_000]
    sent = b64decode(in_cells(np.array([[0.0, 0.5], [0.25, 1.0]])))
    assert np.allclose(np.array(struct.unpack("<4H", sent)) / 65535, [0, 0.5, 0.25, 1], atol=1e-5)


def test_models_are_answered_with_points_of_their_own_or_with_borders_alone() -> None:
    answer = portray({"distribution": "moons"})
    json.dumps(answer, allow_nan=False)
    drew = {one["name"]: one["drawn"] is not None for one in answer["models"]}
    assert drew == {
        **dict.fromkeys(("naive Bayes", "Gaussian mixture"), True),
        **dict.fromkeys(("decision tree", "random forest", "k-nearest neighbours", "neural network"), False),
    }
    assert all(drew.keys() == catalogue(language)["script"]["models"].keys() for language in languages())


def test_the_verdict_is_said_in_the_tabs_language() -> None:
    play = player_of(Sessions())
    english, persian = (play({"language": language})["verdict"] for language in ("en", "fa"))
    assert english["diagnosis"]["state"] == persian["diagnosis"]["state"] == "too-early"
    assert re.search("[\u0600-\u06ff]", persian["diagnosis"]["words"]) and english != persian


def codes(words: dict[str, Any]) -> set[str]:
    below = [(name, codes(value) if isinstance(value, dict) else {""}) for name, value in words.items()]
    return {f"{name}.{code}".rstrip(".") for name, some in below for code in some}


def test_every_language_says_the_same_and_all_that_the_page_asks_for() -> None:
    assert set(languages()) == {"en", "fa"}
    assert codes(catalogue("en")) == codes(catalogue("fa"))
    asked = set(re.findall(r"\[\[([\w.-]+)\]\]", PAGE)) - {"direction"}
    script = set(re.findall(r"\bwords\.(\w+)", (FOLDER / "page.js").read_text(encoding="utf-8"))) - {"language"}
    said = {f"script.{name}" for name in script - {"models"}} | {"script.generative", "script.discriminative"}
    models = {code for code in codes(catalogue("en")) if code.startswith("script.models.")}
    assert asked | said | models == codes(catalogue("en"))


def test_the_page_asks_for_every_option_by_its_name_and_within_its_bounds() -> None:
    fields = set(re.findall(r'data-option="(\w+)"', PAGE))
    assert fields | {"seed", "drawn", "fault"} == set(PlaneOptions.model_fields)
    offered = set(re.findall(r'<option value="(\w+)"', PAGE))
    assert offered == set(get_args(PlaneOptions.model_fields["distribution"].annotation))
    assert set(re.findall(r"<option>([\w-]+)<", PAGE)) == set(LOSSES) == set(formulas())
    for name, most in re.findall(r'data-option="(\w+)" (?:data-scale="log" )?min="[\d.-]+" max="([\d.-]+)"', PAGE):
        PlaneOptions(**{name: 10 ** float(most) if name.endswith("rate") else float(most)})


def test_the_formulas_are_the_missions_own() -> None:
    assert formulas()["minimax"] == {
        "discriminator": "ascend mean[log D(x) + log(1 - D(G(z)))]",
        "generator": "descend mean log(1 - D(G(z)))",
    }
