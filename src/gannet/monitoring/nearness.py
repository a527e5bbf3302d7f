"""How near a model is to the data, in one sentence, from what a judgement measured.

Each figure is brought to *closeness*, which is 1 where fakes score what other reals do: precision and coverage over
their floors, and energy distances above their floors as 1 - 2 d, so that the referee's own bounds (divergence at 0.25,
a plateau at 0.1) are those of the others. The figure that is least close decides: below 0.5 it is far, from 0.8 on
near. What clipped density and clipped coverage read (shares of good samples) is said beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from gannet.monitoring.words import catalogue
from gannet.runtime.wording import about

FAR, NEAR = 0.5, 0.8
"""Closeness below which fakes are far from the data, and from which on they are near."""
LITTLE = 0.1
"""Share of the plan that is little to judge by."""
RATIOS, DISTANCES = ("precision", "coverage"), ("energy distance", "energy distance of motion")
PREFERRED = "perceptually near"
"""Measures that closeness goes by, and how those begin that say how often a model is preferred to others."""
GOOD, BAD = {"near", "better"}, {"copies", "worse"}
SHARES = {"good": "clipped density", "reached": "clipped coverage"}
"""Measures that read as shares of good samples, by what the sentence calls them."""


@dataclass(frozen=True)
class Outlook:
    """How much of its plan a run has seen, as a share, and the seconds that the rest takes at its rate."""

    share: float
    seconds_left: float


@dataclass(frozen=True)
class Nearness:
    """What is said of a model's samples.

    Attributes:
        state: far, nearer, no-longer-far, near, copies; better or worse than what needs no learning; measured by
            other figures, or unmeasured.
        words: one sentence.
        short: a few words for a progress line; empty where nothing is known.
        kind: good, bad or open.
    """

    state: str
    words: str
    short: str
    kind: str


def closeness(measure: Mapping[str, Any]) -> float | None:
    """Give how close a measure's value is to what reals score (1), from `name`, `value` and `floor`; None of others."""
    name, value, floor = measure["name"], measure["value"], measure.get("floor")
    if not isfinite(value):
        return 0.0 if name in {*RATIOS, *DISTANCES} else None
    if name in RATIOS and floor:
        return float(value / floor)
    return 1.0 - 2.0 * (value - floor) if name in DISTANCES and floor is not None else None


def tell_nearness(
    judgement: Mapping[str, Any], outlook: Outlook | None = None, language: str = "en", *, light: bool = False
) -> Nearness:
    """Say how near a model is to the data, and how much of its plan it has seen.

    Args:
        judgement: as `Judgement.to_json` or `LightJudge` give it: `measures`, perhaps `memorization`, and `plural`,
            what the data are; empty where nothing was measured.
        light: whether it went by pixels alone, which blurred fakes pass: they are then no longer far, but not near.
    """
    words, plural = catalogue(language)["nearness"], judgement.get("plural") or "samples"
    state, evidence = _state(judgement)
    state = "no-longer-far" if light and state == "near" else state
    said = words[state].format(plural=plural, evidence=evidence + _shares(words, judgement, state))
    plan, copied = _plan(words, outlook) if outlook and outlook.share < 1 else [], _copied(words, judgement, state)
    parts = [said, *_beaten(words, judgement, state), *copied, *plan]
    kind = "good" if state in GOOD else "bad" if state in BAD or (state == "far" and not plan) else "open"
    kind = "bad" if copied else kind
    return Nearness(state, "; ".join(parts) + ".", words["short"].get(state, "").format(plural=plural), kind)


def _state(judgement: Mapping[str, Any]) -> tuple[str, str]:
    """The state and the figure that it rests on."""
    measures = list(judgement.get("measures", []))
    ranked = sorted((close, at) for at, one in enumerate(measures) if (close := closeness(one)) is not None)
    preferred = [one for one in measures if one["name"].startswith(PREFERRED)]
    copies = judgement.get("memorization") or {}
    if copies.get("memorizes") and copies.get("extent", "many") == "many":
        return "copies", copies["words"].rstrip(".")
    if ranked:
        close, at = ranked[0]
        return "far" if close < FAR else "near" if close >= NEAR else "nearer", _figure(measures[at])
    if preferred:
        # Of several comparisons the hardest.
        one = min(preferred, key=lambda found: found["value"])
        return "better" if one["low"] > 0.5 else "worse", f"{one['name']} in {one['value']:.0%}"
    return ("measured", _figure(measures[0])) if measures else ("unmeasured", "")


def _shares(words: Mapping[str, str], judgement: Mapping[str, Any], state: str) -> str:
    """What the fakes are worth in good ones, behind the figure that decides; nothing where that is not known, or is
    nothing.
    """
    found = {one["name"]: one["value"] for one in judgement.get("measures", [])}
    shares = {key: found[name] for key, name in SHARES.items() if name in found and isfinite(found[name])}
    if len(shares) < len(SHARES) or max(shares.values()) < 0.005 or state not in {"far", "nearer", "near"}:
        return ""
    return words["shares"].format(**shares)


def _copied(words: Mapping[str, str], judgement: Mapping[str, Any], state: str) -> list[str]:
    """How many fakes are copies, where some are and not so many that the state says it."""
    copies = judgement.get("memorization") or {}
    return [words["copied"].format(**copies)] if copies.get("extent") == "some" and state != "copies" else []


def _beaten(words: Mapping[str, str], judgement: Mapping[str, Any], state: str) -> list[str]:
    """Which other model does best by the figure that is told, where one does better; nothing where another figure
    decided.
    """
    if state != "measured":
        return []
    told, sign = judgement["measures"][0], {"high": 1, "low": -1}.get(judgement["measures"][0].get("best"), 0)
    others = [
        (one["name"], figure["value"])
        for one in judgement.get("rivals", [])
        for figure in one["measures"]
        if figure["name"] == told["name"]
    ]
    better = [(sign * value, name, value) for name, value in others if sign * value > sign * told["value"]]
    return [words["beaten"].format(name=name, value=_short(value)) for _, name, value in sorted(better)[-1:]]


def _figure(measure: Mapping[str, Any]) -> str:
    floor = measure.get("floor")
    return f"{measure['name']} {_short(measure['value'])}" + ("" if floor is None else f" (reals: {_short(floor)})")


def _short(value: float) -> str:
    """A figure of two decimals without idle zeros; 0 is not said of what is more."""
    told = f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.1g}" if told in {"0", "-0"} and value else told


def _plan(words: Mapping[str, str], outlook: Outlook) -> list[str]:
    amount = "hardly" if outlook.share < 0.01 else "little" if outlook.share < LITTLE else "part"
    seen = words[amount].format(share=f"{outlook.share:.0%}")
    return [seen, *([words["left"].format(left=about(outlook.seconds_left))] if outlook.seconds_left >= 1 else [])]
