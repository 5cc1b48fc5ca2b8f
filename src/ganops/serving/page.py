"""The page for people at `/`: one template, one style sheet, one script, nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response

from ganops.reporting.scores import metrics_of
from ganops.reporting.template import template
from ganops.serving.describe import describe
from ganops.serving.request import LAST_SEED
from ganops.serving.served import Served, truncatable

if TYPE_CHECKING:
    from ganops.serving.service import Service

SHOWN = 64  # images on the page at most
CHIPS = 12  # classes that are buttons; more are a list
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}


def install(app: FastAPI, service: Service) -> None:
    """Add the page and its two files to the app; they are not part of the API."""
    html = template("page.html", "ganops.serving")
    contents = {name: files("ganops.serving").joinpath("static", name).read_bytes() for name in ASSETS}

    @app.get("/", include_in_schema=False)
    async def page(task: str | None = None) -> HTMLResponse:
        return HTMLResponse(html.render(view(service, task)), headers=HEADERS)

    @app.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in contents:
            return Response(status_code=404)
        return Response(contents[name], media_type=ASSETS[name], headers=HEADERS)


def view(service: Service, task: str | None) -> dict[str, Any]:
    """What the template shows. Raises GanopsError for a task that the model does not have."""
    models = service.models
    served = models.get()
    name, asked = served.find_task(task)
    sides = [describe(alias, each) for alias, each in models.in_service().items()]
    own = next(side for side in sides if side.alias == models.main)
    pictures = [key for key, field in asked.inputs.items() if field.wire_form == "picture"]
    return {
        "sides": sides,
        "scores": {side.alias: _score(side.lineage) for side in sides},
        "task": name,
        "tasks": list(own.tasks),
        "inputs": own.tasks[name].inputs,
        "outputs": {key: field.form for key, field in own.tasks[name].outputs.items()},
        "latents": own.tasks[name].latents,
        "truncation": own.truncation,
        "own_truncation": _own_truncation(served),
        "examples": [row for row in served.example if all(row.get(key) for key in pictures)] if pictures else [],
        "shown": min(SHOWN, service.settings.largest_request),
        "chips": CHIPS,
        "last_seed": LAST_SEED,
    }


def _score(lineage: dict[str, str]) -> str:
    """The score that the gate compares, where there is one; nothing of a tag that somebody has edited."""
    metric = lineage.get("metric", "")
    try:
        value = float(lineage[f"score.{metric}"])
    except (KeyError, ValueError):
        return ""
    return f"{metrics_of([metric])[0].title} {value:.4g}"


def _own_truncation(served: Served) -> float | None:
    """What the slider starts from: the recipe's own truncation, or the end of its range where it has none."""
    own = next((each.truncation for each in truncatable(served.game)), None)
    return own if own is not None else (served.truncation_range or (None, None))[1]
