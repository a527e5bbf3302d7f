"""What is asked of a judgement; no torch is needed to read it."""

from typing import Self

from pydantic import Field, model_validator

from gannet.schema import Options


class JudgeOptions(Options):
    """What is asked of a judgement."""

    num: int = Field(0, json_schema_extra={"minimum": 0})
    """How many fakes to judge; 0: as many as there are reals."""
    seed: int = Field(0, json_schema_extra={"minimum": 0})
    """The same seed gives the same figures."""
    utility: bool = False
    """Do the fakes help classifiers? Takes minutes."""
    baselines: bool = False
    """Judge other generative models beside it; flow matching takes its time."""
    leaks: str = ""
    """Look for augmentations in the fakes: own (the run's), or names."""
    features: str = ""
    """What to compare in: inception or its file (FID), or hf:owner/name; else judge-v1."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num < 0 or self.seed < 0:
            raise ValueError(f"num and seed are 0 or more; given: {self.num} and {self.seed}.")
        return self
