"""What files say of models goes along with what is made of them, and every result says what made it."""

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
import torch
from contracts import untrained
from PIL import Image

from gannet.media.points import medium as points
from gannet.media.scores import medium as scores
from gannet.provenance.metadata import BEFORE, COMPOSITE, SOURCE_TYPE, SYNTHETIC, metadata, read_facts

EARLIER = {SOURCE_TYPE: COMPOSITE, "model": "earlier"}
RANDOM = np.random.default_rng(0)


def marked(facts: dict[str, Any], mode: str = "RGB") -> bytes:
    content, picture = io.BytesIO(), Image.fromarray(RANDOM.integers(0, 256, (24, 20, 3), np.uint8)).convert(mode)
    picture.save(content, "PNG", **metadata(".png", facts))
    return content.getvalue()


def facts_of(content: bytes) -> dict[str, Any]:
    with Image.open(io.BytesIO(content)) as picture:
        return read_facts(picture)


def test_a_label_map_says_what_its_picture_said() -> None:
    model = untrained("segmentation")
    told = facts_of(model(marked(EARLIER)).encode(".png"))
    assert told == {SOURCE_TYPE: SYNTHETIC, "model": model.name, BEFORE: EARLIER}
    assert facts_of(model(marked({})).encode(".png")) == {SOURCE_TYPE: SYNTHETIC, "model": model.name}


def test_scores_say_what_their_picture_said_and_what_made_them() -> None:
    model = untrained("recognition")
    wanted = {SOURCE_TYPE: SYNTHETIC, "model": model.name, BEFORE: EARLIER}
    made = model(marked(EARLIER))
    told = json.loads(made.encode(".json"))
    assert len(told.pop("probabilities")) == 10 and told == wanted
    table = made.encode(".csv")
    first, *others = csv.DictReader(io.StringIO(table.decode()))
    assert json.loads(first["made_by"]) == wanted and {row["made_by"] for row in others} == {""}
    assert made.value[first["class"]] == max(made.value.values())
    assert scores.read(table) == pytest.approx(made.value, abs=1e-5)


def test_a_table_of_scores_is_read_as_it_was_written_before() -> None:
    assert scores.read(b"class,probability\ncat,0.75\ndog,0.25\n") == {"cat": 0.75, "dog": 0.25}
    assert scores.encode({"cat": 1.0}, ".csv", {}) == b"class,probability\ncat,1\n"


def test_points_say_what_made_them_in_one_line_that_readers_pass_over() -> None:
    content = points.encode(torch.tensor([0.5, -2.0]), ".csv", {"model": "two\nlines", "seed": 3})
    first, second = content.decode().splitlines()
    assert json.loads(first.removeprefix("# ")) == {SOURCE_TYPE: SYNTHETIC, "model": "two\nlines", "seed": 3}
    assert points.read(content).tolist() == [0.5, -2.0] and second == "0.5,-2"
    assert points.encode(torch.tensor([0.5]), ".csv", {}) == b"0.5\n"


def test_a_mask_says_what_its_photograph_said_and_the_photograph_nothing_of_the_mask() -> None:
    model = untrained("restoration")
    made = model(marked(EARLIER))
    assert facts_of(made.encode(".png", "mask"))[BEFORE] == EARLIER
    hole = np.zeros((24, 20), np.uint8)
    hole[4:9, 4:9] = 255
    content = io.BytesIO()
    Image.fromarray(hole).save(content, "PNG", **metadata(".png", {"model": "that finds"}))
    filled = model(marked({}), mask=content.getvalue())
    assert facts_of(filled.encode(".png")) == {SOURCE_TYPE: COMPOSITE, "model": model.name}
    assert facts_of(filled.encode(".png", "mask"))["model"] == "that finds", "given back as it was"
