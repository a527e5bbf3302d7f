"""Diagnosis: what the looks of a run's audit show, by name; the first that applies, causes before their effects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

Look = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What is known of a run.

    Attributes:
        looks: the figures of every audit and of the window before it, the oldest first, at least three.
        facts: what the data are like.
    """

    looks: Sequence[Look]
    facts: dict[str, Any]


SYMPTOMS: dict[str, Callable[[Case], bool]] = {}


def diagnose(case: Case) -> str:
    """Name what the case shows; healthy when no symptom does."""
    return next((name for name, shows in SYMPTOMS.items() if shows(case)), "healthy")
