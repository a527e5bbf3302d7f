"""Judge: a model against real samples."""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from gannet import api
from gannet.studio import actions, bounds, data_fields, work
from gannet.studio.forms import Form
from gannet.studio.places import ModelField, listed, progress, results_field, said_field, stop_work, told
from gannet.studio.settings import Settings
from gannet.studio.translation import ISOLATED, translate
from gannet.studio.words import say

if TYPE_CHECKING:
    from gannet.metrics.measure import Measure

HEADS = ("measure", "value", "interval", "floor", "best")
"""Columns of the table of figures."""


def build(settings: Settings, language: str) -> ModelField:
    """Build the tab; gives the field of models."""
    form = Form.of_schema(api.JudgeOptions.model_json_schema())
    model = gr.Dropdown(
        list(bounds.models_by_name(settings)), label=say(language, "judge.model"), elem_id="judge-model"
    )
    gr.Markdown(say(language, "judge.about"))
    data = data_fields.draw(settings, language, "judge")
    with gr.Accordion(say(language, "use.options"), open=False):
        asked = form.draw(language)
    with gr.Row():
        start = gr.Button(say(language, "judge.start"), variant="primary", elem_id="judge-start")
        stop = gr.Button(say(language, "stop"), variant="stop")
    status = gr.HTML(elem_id="judge-status")
    file, said = results_field(say(language, "judge.file"), "judge-file"), said_field(language)

    def judge(request: gr.Request, name: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        try:
            given = data_fields.chosen(values[: len(data)], settings)
            with actions.workplace(settings) as place:
                words, call = actions.judge(name, given, form.changed(values[len(data) :]), place, settings)
                for step in work.watch(str(request.session_hash), call):
                    if step.result is None:
                        yield progress(step, language), gr.skip(), told(words)
                    else:
                        judgement, found = step.result
                        yield shown(judgement, language), gr.File([str(found)], visible=True), told(words)
        except Exception as error:
            yield "", gr.skip(), gr.skip()  # It waits no more.
            raise work.mistake(error) from None

    start.click(
        judge,
        [model, *data, *asked],
        [status, file, said],
        api_visibility="private",
        concurrency_id="work",
        concurrency_limit=8,
        show_progress="hidden",
    )
    stop.click(stop_work, None, None, api_visibility="private")
    return ModelField(model, lambda: bounds.models_by_name(settings))


def shown(found: "api.Judgement", language: str) -> str:
    """Give a judgement as HTML: its verdict, a table of its figures, and below it what else is said."""
    said = translate(language, found.sentence)
    verdict = f'<p class="said verdict" dir="auto">{escape(said)}</p>' if said else ""
    return f"{verdict}{_table(found, language)}{listed(found.remarks(), language)}"


def _table(found: "api.Judgement", language: str) -> str:
    """Draw the figures, each with its interval, what reals score against reals, and which values are better."""
    named = found.named()
    if not named:
        return ""
    heads = "".join(f"<th>{escape(say(language, f'judge.{one}'))}</th>" for one in HEADS)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _row(*one, language))}</tr>" for one in named)
    return f'<div class="figures"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(name: str, one: "Measure", language: str) -> tuple[str, ...]:
    sure = ISOLATED.format(f"{one.low:.4g} – {one.high:.4g}") if one.low < one.high else "—"
    floor = "—" if one.floor is None else ISOLATED.format(f"{one.floor:.4g}")
    best = say(language, f"judge.{one.best}") if isinstance(one.best, str) else f"{one.best:g}"
    return translate(language, name), ISOLATED.format(f"{one.value:.4g}"), sure, floor, best
