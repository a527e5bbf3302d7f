"""What a pipeline keeps of itself, as the section that its own task knows."""

from typing import Any, Generic, Self, TypeVar, overload

from gannet.schema import Section

Kind = TypeVar("Kind", bound=Section)


class SettingsOf(Generic[Kind]):
    """A pipeline's config, of the type that it has: `settings = SettingsOf(Settings)` in the class of the pipeline.

    Args:
        kind: the pipeline's `Config`.
    """

    def __init__(self, kind: type[Kind]) -> None:
        self.kind = kind

    @overload
    def __get__(self, pipeline: None, owner: type) -> Self: ...

    @overload
    def __get__(self, pipeline: Any, owner: type) -> Kind: ...

    def __get__(self, pipeline: Any, owner: type) -> Self | Kind:
        """Give the config of a pipeline; of its class, itself."""
        if pipeline is None:
            return self
        assert isinstance(pipeline.config, self.kind), f"the config of {owner.__name__} is none of its own"
        return pipeline.config
