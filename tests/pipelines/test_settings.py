"""The config of a pipeline, as the type that its task knows."""

import pytest

from gannet.pipelines.settings import SettingsOf
from gannet.schema import Section


class Own(Section):
    """A config."""

    width: int = 3


class Configured:
    """What has a config, as a pipeline does."""

    settings = SettingsOf(Own)

    def __init__(self, config: Section) -> None:
        self.config = config


def test_settings_are_the_config_that_a_pipeline_has_now() -> None:
    pipeline = Configured(Own())
    assert pipeline.settings is pipeline.config
    pipeline.config = Own(width=5)
    assert pipeline.settings.width == 5


def test_the_config_of_another_pipeline_is_refused() -> None:
    with pytest.raises(AssertionError, match="the config of Configured is none of its own"):
        _ = Configured(Section()).settings
