"""The HTTP API: what the page does, by name, for programs; gradio serves and documents it."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gradio as gr

from gannet import api
from gannet.runtime.wording import short
from gannet.studio import actions, bounds, cards, work
from gannet.studio.blocks import until_answered
from gannet.studio.jobs import Jobs
from gannet.studio.sampling import Sampling
from gannet.studio.settings import Settings

Answer = TypeVar("Answer")
GROUP, MOST_WAITING = "programs", 24
"""The endpoints that take their time, and how many calls of them are taken up at once, of gradio's 40 of all kinds."""


def build(settings: Settings, jobs: Jobs) -> None:
    """Add the endpoints to the page that is being built; they are not seen on it."""
    with gr.Column(visible=False):
        name, data, run = gr.Textbox(label="model"), gr.Textbox(label="data"), gr.Textbox(label="run")
        recipe = gr.Textbox(label="recipe")
        options, changes = gr.JSON(label="options"), gr.JSON(label="changes")
        files = gr.File(label="files", file_count="multiple", type="filepath")
        answer, made = gr.JSON(label="answer"), gr.File(label="results", file_count="multiple")
    use, reading = _Using(settings), _Reading(settings, jobs)
    _offer("apply", use.apply, [name, files, options], [made, answer], GROUP)
    _offer("explore", use.explore, [name, files, options], [made, answer], GROUP)
    _offer("judge", use.judge, [name, data, options], answer, GROUP)
    _offer("doctor", use.doctor, data, answer, GROUP)
    _offer("models", reading.models, [], answer)
    _offer("interface", reading.interface, name, answer)
    _offer("card", reading.card, name, answer)
    _offer("recipes", reading.recipes, [], answer)
    _offer("runs", reading.runs, [], answer)
    _offer("view", reading.view, run, answer)
    _offer("train", reading.train, [recipe, data, changes, run], answer)
    _offer("resume", reading.resume, [run, changes], answer)
    _offer("stop", reading.stop, run, answer)


def _offer(name: str, verb: Callable[..., Any], given: Any, answer: Any, group: str | None = None) -> None:
    """Add an endpoint; those of a group wait together, so few that others have room beside them."""
    gr.on(
        [],
        verb,
        given,
        answer,
        api_name=name,
        api_description=verb.__doc__,
        concurrency_id=group,
        concurrency_limit=MOST_WAITING if group else 4,
    )


def _answered(call: Callable[[], Answer]) -> Answer:
    """Call something; what is wrong with what was given becomes the answer's error."""
    try:
        return call()
    except Exception as error:
        raise work.mistake(error) from None


class _Using:
    """The verbs that take their time."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sampling = settings, Sampling(settings)

    async def apply(self, name: str, files: list[str] | None, options: Any, request: gr.Request) -> tuple[Any, Any]:
        """Apply a model to files or a zip of some; options may give a further input by the name of one of the files."""
        try:
            place = until_answered(actions.workplace(self.settings))
            inputs, asked = self._inputs(name, files or [], options or {})
            said, call = actions.apply(name, inputs, asked, place, self.settings)
            with self.sampling.shared(name, asked, place, call) as drawing:
                made = await work.done(str(request.session_hash), drawing)
            results = [str(file) for result in made.results for file in result.values()]
            return results, {"lines": list(made.lines), "command": said.command()}
        except Exception as error:
            raise work.mistake(error) from None

    def _inputs(self, name: str, files: Sequence[str], options: Any) -> tuple[dict[str, Any], dict[str, object]]:
        """Part what was given into files by input, and options."""
        first, *further = [*api.interface(bounds.model_named(name, self.settings))["inputs"]] or [""]
        paths, named = bounds.checked_files(files) if files else [], dict[str, object]()
        if isinstance(options, dict):
            named = {one: options[one] for one in further if one in options}
            options = {one: value for one, value in options.items() if one not in named}
        asked, by_name, found = bounds.plain_options(options), {path.name: path for path in paths}, dict[str, Any]()
        for one in further:
            if one in named:
                word = str(named[one])
                if word not in by_name:
                    raise ValueError(f"{one} names none of the files that were given: {short(word)}.")
                found[one] = [by_name.pop(word)]
        rest = list(by_name.values())
        if rest and not first:
            raise ValueError(f"{name} makes samples from nothing; leave the files out.")
        return ({first: rest} if rest else {}) | found, asked

    async def explore(self, name: str, files: list[str] | None, options: Any, request: gr.Request) -> tuple[Any, Any]:
        """Explore a generator, from a picture where a file is given; the option `out` names what is made."""
        try:
            place = until_answered(actions.workplace(self.settings))
            asked = bounds.plain_options(options or {})
            out = place / bounds.new_name(asked.pop("out", "explored.png"))
            pictures = bounds.checked_files(files) if files else []
            if len(pictures) > 1:
                raise ValueError(f"{len(pictures)} pictures are given; a walk starts from one.")
            said, call = actions.explore(name, asked, next(iter(pictures), None), out, self.settings)
            made = await work.done(str(request.session_hash), call)
            return [str(file) for file in made.files], {"lines": list(made.lines), "command": said.command()}
        except Exception as error:
            raise work.mistake(error) from None

    async def judge(self, name: str, data: str, options: Any, request: gr.Request) -> Any:
        """Judge a model by data; of a run without any by what it held out."""
        try:
            with actions.workplace(self.settings) as place:
                given = bounds.data_named(data, self.settings) if data else ""
                said, call = actions.judge(name, given, bounds.plain_options(options or {}), place, self.settings)
                found, file = await work.done(str(request.session_hash), call)
                figures = json.loads(file.read_text(encoding="utf-8"))
            return {"lines": found.lines(), "judgement": figures, "command": said.command()}
        except Exception as error:
            raise work.mistake(error) from None

    async def doctor(self, data: str, request: gr.Request) -> Any:
        """Examine data that come along, or a path in the folder of data."""
        try:
            said, call = actions.examine(bounds.data_named(data, self.settings))
            report = await work.done(str(request.session_hash), call)
            return {"lines": report.lines(), "recipe": report.advice.recipe, "command": said.command()}
        except Exception as error:
            raise work.mistake(error) from None


class _Reading:
    """What is answered at once."""

    def __init__(self, settings: Settings, jobs: Jobs) -> None:
        self.settings, self.jobs = settings, jobs

    def models(self) -> Any:
        """List the models that may be applied and judged."""
        names = bounds.models_by_name(self.settings)
        tasks = {one.name: one.task for one in api.models(self.settings.runs)}
        return _answered(lambda: {name: tasks[target] for name, target in names.items()})

    def interface(self, name: str) -> Any:
        """Tell a model's inputs, outputs and options."""
        return _answered(lambda: dict(api.interface(bounds.model_named(name, self.settings))))

    def card(self, name: str) -> Any:
        """Give a model's card."""
        return _answered(lambda: {"card": cards.card_of(name, self.settings)})

    def recipes(self) -> Any:
        """List the recipes that may be trained."""
        return _answered(api.recipes)

    def runs(self) -> Any:
        """List the runs, the one that was begun last first."""
        return _answered(lambda: [run.name for run in api.list_runs(self.settings.runs)])

    def view(self, run: str) -> Any:
        """Tell how far a run is, and what is said of it."""
        return _answered(lambda: self._view(run))

    def _view(self, run: str) -> Any:
        if run in self.jobs.waiting():
            return {"run": run, "training": self.jobs.running(run), "images": 0, "trouble": self.jobs.trouble(run)}
        return actions.view_json(actions.view(run, self.settings), self.jobs.trouble(run))

    def train(self, recipe: str, data: str, changes: Any, run: str) -> Any:
        """Start training a recipe in a process of its own; give the run's name."""
        return _answered(lambda: self._train(recipe, data, changes or {}, run))

    def _train(self, recipe: str, data: str, changes: Any, run: str) -> Any:
        given = bounds.data_named(data, self.settings) if data else ""
        begun, said = self.jobs.start(recipe, given, changes, run)
        return {"run": begun, "command": said.command()}

    def resume(self, run: str, changes: Any) -> Any:
        """Continue a run."""
        return _answered(lambda: {"command": self.jobs.resume(run, changes or {}).command()})

    def stop(self, run: str) -> Any:
        """Save a run and stop training it."""
        _answered(lambda: self.jobs.stop(run))
        return {"stopped": run}
