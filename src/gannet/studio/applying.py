"""Applying a model to what its fields on the page hold: at once, step by step, or stroke by stroke."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.studio import actions, bounds, painting, work
from gannet.studio.fields import Field, label_of
from gannet.studio.forms import Form
from gannet.studio.places import listed, progress, told
from gannet.studio.settings import Settings
from gannet.studio.widgets import widget
from gannet.studio.words import say


@dataclass(frozen=True)
class Applying:
    """Applies a model to what its fields hold.

    Attributes:
        name: of the model on the page.
        target: as `gannet.load` knows it.
        interface: its inputs, outputs and options.
        fields: of its inputs.
        form: of its options, whose fields follow those; last come the names of further outputs, where it has any.
    """

    name: str
    target: str
    interface: Mapping[str, Any]
    fields: Sequence[Field]
    form: Form
    settings: Settings
    language: str

    def make(self, request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Give what the page shows, step by step; `request` tells which tab asks."""
        try:
            yield from self._steps(str(request.session_hash), values)
        except Exception as error:
            yield "", gr.skip(), gr.skip(), gr.skip()  # It waits no more.
            raise work.mistake(error) from None

    def follow(self, request: gr.Request, *values: Any) -> Any:
        """Give the picture of the newest stroke; nothing new where a newer one has come meanwhile."""
        if not values[0]:  # An option was changed before the easel was there.
            return gr.skip()
        try:
            held = {field.name: field.held(value) for field, value in self._filled(values) if field.way != "many"}
            inputs = {name: value for name, value in held.items() if value is not None}
            options = bounds.plain_options(self.form.changed(values[len(self.fields) :]))
            made = painting.PAINTERS.painted(str(request.session_hash), self.target, inputs, options)
        except Exception as error:
            raise work.mistake(error) from None
        return gr.skip() if made is None else painting.shown(made, say(self.language, "easel.picture"))

    def _steps(self, session: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        inputs, options, save = self._given(values), *self._asked(values)
        if missing := self._missing(inputs):
            raise ValueError(
                say(self.language, "use.missing", names=", ".join(label_of(name, self.language) for name in missing))
            )
        with actions.workplace(self.settings) as place:
            said, call = actions.apply(self.name, inputs, options, place, self.settings, save)
            for step in work.watch(session, call):
                if step.result is None:
                    yield progress(step, self.language), gr.skip(), gr.skip(), told(said)
                else:
                    shown = self._shown(next(iter(inputs.values()), []), step.result)
                    kept = gr.File([str(one) for one in step.result.files], visible=True)
                    yield listed(step.result.lines, self.language), shown, kept, told(said)

    def _asked(self, values: Sequence[Any]) -> tuple[dict[str, object], list[str]]:
        """The options, and the names of further outputs."""
        asked = list(values[len(self.fields) :])
        save = [str(name) for name in asked.pop() or ()] if len(asked) > len(self.form.keys) else []
        return self.form.changed(asked), save

    def _filled(self, values: Sequence[Any]) -> list[tuple[Field, Any]]:
        return [(field, value) for field, value in zip(self.fields, values, strict=False) if value]

    def _given(self, values: Sequence[Any]) -> dict[str, list[Path]]:
        """The files of each input; those of a whole folder stand for the first one's."""
        found: dict[str, list[Path]] = {}
        for field, value in self._filled(values):
            if files := field.given(value, found.get(self.fields[0].name, [])):
                found[field.name] = files
        return found

    def _missing(self, inputs: Mapping[str, Sequence[Path]]) -> list[str]:
        return [name for name, about in self.interface["inputs"].items() if about["required"] and not inputs.get(name)]

    def _shown(self, before: Sequence[Path], made: actions.Made) -> Any:
        """What the place of results shows; an easel's shows its picture already."""
        if any(field.way == "map" for field in self.fields):
            return gr.skip()
        medium = next(iter(self.interface["outputs"].values()))
        return widget(medium).shown(before, made.results, self.language)
