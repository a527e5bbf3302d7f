"""What is asked of a game in the plane; no torch is needed to read it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gannet.schema import Options

EDGE = 1.6
"""The plane that is shown reaches from minus this to this, on both axes; sets of points lie within."""
MOST_DRAWN, FEWEST_DRAWN = 2_000, 10
"""Points of a drawn distribution: enough to fill the plane by hand, and so few that they still are a shape."""

Coordinate = Annotated[float, Field(ge=-EDGE, le=EDGE, allow_inf_nan=False)]
Point = tuple[Coordinate, Coordinate, Literal[0, 1]]
LearningRate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _known(name: str) -> str:
    from gannet.adversarial.losses import find_loss

    find_loss(name)
    return name


class PlaneOptions(Options):
    """What is asked of a game in the plane."""

    distribution: Literal["ring", "grid", "moons", "spirals", "drawn"] = "ring"
    """Where the real points lie."""
    drawn: tuple[Point, ...] = Field((), max_length=MOST_DRAWN)
    """Points of a drawn distribution, x and y from -1.6 to 1.6, with the class, 0 or 1, that each belongs to."""
    loss: Annotated[str, AfterValidator(_known)] = "minimax"
    """What the players descend: minimax, non-saturating, hinge, least-squares, wasserstein or relativistic."""
    generator_rate: LearningRate = 1e-3
    """The generator's learning rate; zero freezes it."""
    discriminator_rate: LearningRate = 1e-3
    """The discriminator's learning rate; zero freezes it."""
    noise: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    """Standard deviation of the noise on all points that the discriminator sees, in units of the plane."""
    penalty: float = Field(0.1, ge=0, le=100, allow_inf_nan=False)
    """Weight of the gradient penalty on reals (R1); zero leaves it out."""
    latent: int = Field(8, ge=1, le=32)
    """Length of the latent vector, the noise that the generator makes points of."""
    fault: Literal["none", "mode-collapse"] = "none"
    """What is planted: `mode-collapse` keeps the latent vector from the generator, which then gives one point."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Everything random follows from it."""

    @model_validator(mode="after")
    def _drawn_where_asked(self) -> "PlaneOptions":
        if self.distribution == "drawn" and len(self.drawn) < FEWEST_DRAWN:
            raise ValueError(f"{len(self.drawn)} points were drawn; draw at least {FEWEST_DRAWN} in the plane.")
        return self
