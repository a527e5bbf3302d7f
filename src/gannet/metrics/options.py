"""What is asked of a judgement; no torch is needed to read it."""

from typing import Self

from pydantic import Field, model_validator

from gannet.schema import Options

FAST = 5
"""How many times fewer samples a fast look goes by."""


class JudgeOptions(Options):
    """What is asked of a judgement."""

    num: int = Field(0, json_schema_extra={"minimum": 0})
    """How many fakes to judge; 0: as many as there are reals."""
    seed: int = Field(0, json_schema_extra={"minimum": 0})
    """The same seed gives the same figures."""
    fast: bool = False
    """A look in seconds: a fifth of the samples, fewer measures, no search for copies."""
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
        asked = [name for name in ("utility", "baselines", "leaks") if getattr(self, name)]
        if self.fast and asked:
            raise ValueError(f"fast is a look in seconds, and {asked[0]} takes minutes; leave one of them out.")
        return self

    def reach(self, usual: int) -> int:
        """Give how many samples to judge by, of as many as is usual."""
        return usual // FAST if self.fast else usual
