"""Train: data and what the doctor says of them, a recipe, and runs that are watched while they are trained."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from gannet import api
from gannet.runtime.wording import short
from gannet.studio import actions, bounds, data_fields, watching, work
from gannet.studio.blocks import DRAWN
from gannet.studio.forms import Form
from gannet.studio.jobs import OWN_KEYS, Jobs
from gannet.studio.live import Live
from gannet.studio.places import progress, said_field, told
from gannet.studio.settings import Settings
from gannet.studio.translation import translate
from gannet.studio.words import catalogue, say

THOUSANDS = str.maketrans("", "", ",٬\u202f\u00a0 ")
"""What may stand between the thousands of a number."""
FIRST = "digits"
"""The recipe that is chosen when the page opens: it is done in a minute."""
CHOSEN = ("name", "about", "task.name")
"""Keys that choosing a recipe sets."""
ESSENTIAL = ("images", "minutes", "batch")
"""Keys that stand above the button that starts; all others are folded away by their sections."""


def build(settings: Settings, jobs: Jobs, language: str, page: gr.Blocks) -> None:
    """Build the tab."""
    gr.Markdown(f"### {say(language, 'train.data')}")
    data = data_fields.draw(settings, language, "train")
    examine = gr.Button(say(language, "train.examine"))
    findings = gr.Markdown()
    gr.Markdown(f"### {say(language, 'train.recipe')}")
    with gr.Row():
        recipe = gr.Dropdown(
            list(api.recipes()), value=FIRST, label=say(language, "train.recipe"), elem_id="train-recipe"
        )
        name = gr.Textbox(label=say(language, "train.name"), elem_id="train-name")
    said = said_field(language, render=False)
    runs = _runs_field(jobs, settings, language)
    _draw_form(settings, jobs, language, [recipe, name, *data], [runs, said])
    said.render()
    gr.Markdown(f"### {say(language, 'train.runs')}")
    runs.render()
    _draw_runs(settings, jobs, language, runs, page)

    def look(request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        try:
            chosen = data_fields.chosen(values, settings)
            if not chosen:
                raise ValueError(say(language, "data.none"))
            words, call = actions.examine(chosen)
            for step in work.watch(str(request.session_hash), call):
                if step.result is None:
                    yield progress(step, language), gr.skip(), told(words)
                else:
                    yield _found(step.result, language), _advised(step.result), told(words)
        except Exception as error:
            raise work.mistake(error) from None

    examine.click(
        look, data, [findings, recipe, said], api_visibility="private", concurrency_id="work", concurrency_limit=8
    )


def _found(report: "api.Report", language: str) -> str:
    return "\n".join(f"- {translate(language, line.removeprefix('- '))}" for line in report.lines())


def _advised(report: "api.Report") -> Any:
    """The recipe that the doctor names, where there is one."""
    return report.advice.recipe if report.advice.recipe in api.recipes() else gr.skip()


def recipe_form(recipe: str) -> Form:
    """Give the form of a recipe's keys, but for those that name files, which have fields of their own."""
    keys = [key for key in api.keys(bounds.recipe_named(recipe)) if key.name not in (*OWN_KEYS, *CHOSEN)]
    return Form.of_recipe([key for key in keys if "<" not in key.name and not key.name.startswith("data.sources")])


def _draw_form(settings: Settings, jobs: Jobs, language: str, given: list[Any], answers: list[Any]) -> None:
    """Draw the form of the recipe that is chosen, anew for every other one, and the button that starts it."""

    @gr.render(inputs=[given[0]], **DRAWN)  # type: ignore[untyped-decorator]
    def draw(recipe: str | None) -> None:
        if not recipe:
            return
        essential, rest = recipe_form(recipe).parted(ESSENTIAL)
        sections, fields = rest.sections(), list[Any]()
        gr.Markdown(translate(language, api.recipes()[recipe]))
        with gr.Row(elem_classes="keys"):
            fields += essential.draw(language)
        start = gr.Button(say(language, "train.start"), variant="primary", elem_id="train-start")
        with gr.Accordion(say(language, "train.rest"), open=False):
            for name, form in sections.items():
                with gr.Accordion(_section(name, language), open=False), gr.Row(elem_classes="keys"):
                    fields += form.draw(language)

        def begin(recipe: str, run: str, *values: Any) -> tuple[Any, Any]:
            try:
                data = data_fields.chosen(values[:3], settings)
                whole = Form({key: node for form in (essential, *sections.values()) for key, node in form.keys.items()})
                begun, words = jobs.start(recipe, data, whole.changed(values[3:]), run)
            except Exception as error:
                raise work.mistake(error) from None
            return gr.Dropdown(_names(jobs, settings), value=[begun]), told(words)

        start.click(begin, [*given, *fields], answers, api_visibility="private")


def _section(name: str, language: str) -> str:
    """What the page calls a section of a recipe, and in other languages also what the recipe does."""
    known = catalogue(language)["sections"].get(name or "run", name)
    return f"{known} ({name})" if name and language != "en" else str(known)


def _names(jobs: Jobs, settings: Settings) -> list[str]:
    """All runs, those first that were started and have no folder yet."""
    return [*jobs.waiting(), *(run.name for run in api.list_runs(settings.runs))]


def _runs_field(jobs: Jobs, settings: Settings, language: str) -> Any:
    return gr.Dropdown(
        _names(jobs, settings),
        multiselect=True,
        max_choices=watching.MOST_BESIDE,
        label=say(language, "train.watched"),
        info=say(language, "train.beside", most=watching.MOST_BESIDE),
        elem_id="train-runs",
        render=False,
    )


def _draw_runs(settings: Settings, jobs: Jobs, language: str, runs: Any, page: gr.Blocks) -> None:
    """Draw the runs that are watched, with what stops and continues the first of them."""
    with gr.Row():
        stop = gr.Button(say(language, "train.stop"), variant="stop", elem_id="train-stop", elem_classes="beside-field")
        images = gr.Textbox(label=say(language, "train.more"))
        resume = gr.Button(say(language, "train.resume"), elem_classes="beside-field")
    shown = Live(jobs, settings, language, lambda: _names(jobs, settings)).field()
    said = said_field(language)

    def find() -> tuple[Any, Any]:
        names = _names(jobs, settings)
        trained = [name for name in names if jobs.running(name) or _trained(name, settings)]
        found = (trained or names)[:1]
        return gr.Dropdown(names, value=found), found

    def halt(names: Sequence[str]) -> None:
        _first(names, language, jobs.stop)

    def go_on(names: Sequence[str], more: str) -> Any:
        return told(_first(names, language, lambda name: jobs.resume(name, _lasting(more, language))))

    runs.change(lambda names: names or [], runs, shown, api_visibility="private", show_progress="hidden")
    stop.click(halt, runs, None, api_visibility="private")
    resume.click(go_on, [runs, images], said, api_visibility="private")
    page.load(find, None, [runs, shown], api_visibility="private")


def _lasting(images: str, language: str) -> dict[str, object]:
    """Read how many images a run is to last in all; empty: as planned."""
    if not images.strip():
        return {}
    try:
        count = int(images.translate(THOUSANDS))
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(say(language, "train.images", given=repr(short(images))))
    return {"images": count}


def _first(names: Sequence[str], language: str, act: Any) -> Any:
    """Do something with the first run that is watched."""
    try:
        if not names:
            raise ValueError(say(language, "train.none"))
        return act(names[0])
    except Exception as error:
        raise work.mistake(error) from None


def _trained(name: str, settings: Settings) -> bool:
    try:
        return bool(actions.view(name, settings).process)
    except ValueError:
        return False
