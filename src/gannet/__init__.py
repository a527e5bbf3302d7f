"""Gannet trains, judges and applies adversarial models (GANs) on your own data."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public names load when first used (PEP 562), so that `import gannet` and `gannet --help` do not wait for torch.
_HOMES = {
    "train": "gannet.api",
    "judge": "gannet.api",
    "apply": "gannet.api",
    "augment": "gannet.api",
    "average": "gannet.api",
    "plan": "gannet.api",
    "bench": "gannet.api",
    "doctor": "gannet.api",
    "recipes": "gannet.api",
    "card": "gannet.api",
    "models": "gannet.api",
    "explore": "gannet.api",
    "export": "gannet.api",
    "interface": "gannet.api",
    "load": "gannet.api",
    "Run": "gannet.runs.folder",
    "Pipeline": "gannet.pipelines.pipeline",
    "GeneratorPipeline": "gannet.pipelines.pipeline",
    "ConverterPipeline": "gannet.pipelines.pipeline",
    "Input": "gannet.pipelines.pipeline",
    "Samples": "gannet.pipelines.samples",
    "Made": "gannet.pipelines.samples",
    "Recipe": "gannet.recipe",
    "load_recipe": "gannet.recipe",
    "Task": "gannet.task",
    "Medium": "gannet.media.medium",
    "Field": "gannet.media.medium",
    "Game": "gannet.adversarial.game",
    "Turn": "gannet.adversarial.game",
    "Outcome": "gannet.adversarial.game",
    "Network": "gannet.networks.pair",
    "Measure": "gannet.metrics.measure",
    "register_loss": "gannet.adversarial.losses",
    "register_measure": "gannet.metrics.measure",
    "register_network": "gannet.networks",
}
__all__ = [*sorted(_HOMES), "__version__"]

if TYPE_CHECKING:
    from gannet.adversarial.game import Game as Game
    from gannet.adversarial.game import Outcome as Outcome
    from gannet.adversarial.game import Turn as Turn
    from gannet.adversarial.losses import register_loss as register_loss
    from gannet.api import apply as apply
    from gannet.api import augment as augment
    from gannet.api import average as average
    from gannet.api import bench as bench
    from gannet.api import card as card
    from gannet.api import doctor as doctor
    from gannet.api import explore as explore
    from gannet.api import export as export
    from gannet.api import interface as interface
    from gannet.api import judge as judge
    from gannet.api import load as load
    from gannet.api import models as models
    from gannet.api import plan as plan
    from gannet.api import recipes as recipes
    from gannet.api import train as train
    from gannet.media.medium import Field as Field
    from gannet.media.medium import Medium as Medium
    from gannet.metrics.measure import Measure as Measure
    from gannet.metrics.measure import register_measure as register_measure
    from gannet.networks import register_network as register_network
    from gannet.networks.pair import Network as Network
    from gannet.pipelines.pipeline import ConverterPipeline as ConverterPipeline
    from gannet.pipelines.pipeline import GeneratorPipeline as GeneratorPipeline
    from gannet.pipelines.pipeline import Input as Input
    from gannet.pipelines.pipeline import Pipeline as Pipeline
    from gannet.pipelines.samples import Made as Made
    from gannet.pipelines.samples import Samples as Samples
    from gannet.recipe import Recipe as Recipe
    from gannet.recipe import load_recipe as load_recipe
    from gannet.runs.folder import Run as Run
    from gannet.task import Task as Task


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gannet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
