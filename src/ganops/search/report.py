"""The report of a search: one HTML page that opens by itself, offline, and its pictures as files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganops.atomic import write_json, write_text
from ganops.data.fields.pictures import save_png
from ganops.evaluation.metric import Metric, Picture
from ganops.evaluation.metric_names import describe
from ganops.reporting.parts import page_picture
from ganops.reporting.scores import heading, number, show
from ganops.reporting.template import template
from ganops.search import charts
from ganops.search.finals import OWN, Candidate, Final
from ganops.search.order import Order
from ganops.search.study import Study, Trial
from ganops.search.winner import changes, sentence

VERDICTS = {"better": "better", "worse": "worse", "cannot tell": "too close to tell", None: "-"}
PREFIX = "val/"
BUDGET = {"budget_kimg", "validate_kimg"}


@dataclass(frozen=True)
class CandidateLine:
    """One line of the table of finals."""

    name: str
    mean: str
    seeds: list[str]
    verdict: str
    style: str
    changed: str


def write_report(order: Order, study: Study, final: Final, run_id: str) -> Path:
    """Write report.html, its pictures and summary.json into the folder of the search; the page's path."""
    trials = study.trials()
    pictures = _pictures(order, study, trials, final)
    page = template("search.html").render(
        name=order.name,
        sentence=sentence(order, final),
        metric=heading(order.metric),
        validation=heading(_validation(order)),
        about=order.validation.about,
        lines=[_line(order, final, each) for each in final.candidates],
        seeds=[run.seed for run in final.winner.runs],
        pictures=[page_picture(each.title, each.caption, each.image) for each in pictures.values()],
        keys=list(order.space.space),
        trials=[_cells(trial) for trial in trials],
        facts=_facts(order, trials, run_id),
    )
    for name, picture in pictures.items():
        save_png(picture.image, order.folder / f"{name}.png")
    write_json(order.folder / "summary.json", _summary(order, final))
    path = order.folder / "report.html"
    write_text(path, page)
    return path


def _pictures(order: Order, study: Study, trials: Sequence[Trial], final: Final) -> dict[str, Picture]:
    metric, shares = _validation(order), study.importances()
    named = {final.winner.trial.number: "winner", OWN: order.name}
    found = {
        "history": Picture(
            "Values",
            "Each trial in the order of proposals; trial 0 is the recipe itself.",
            charts.history(trials, metric),
        ),
        "front": Picture(
            "Quality against speed",
            "Every complete trial. The line joins those that no other beats in both: what better values cost in speed.",
            charts.front(trials, metric, named),
        ),
        "parallel": Picture(
            "Parallel coordinates",
            "Each line is a trial: its value of each parameter, and at the right what came out; the darker, the "
            "better. Grey: pruned.",
            charts.parallel_coordinates(trials, order.space.space, metric),
        ),
    }
    if shares:
        found["importance"] = Picture(
            "Importance",
            "How much of the difference between good and other trials each parameter explains (PED-ANOVA). Of few "
            "trials it is a rough guess.",
            charts.importance(shares),
        )
    return found


def _validation(order: Order) -> Metric:
    """What trials were compared by, as a metric with a title."""
    metric = describe(order.validation.name.removeprefix(PREFIX))
    return replace(metric, title=f"validation {metric.title}")


def _line(order: Order, final: Final, candidate: Candidate) -> CandidateLine:
    own = candidate.trial.number == OWN
    verdict = final.verdict(candidate)
    return CandidateLine(
        name=f"{order.name} itself" if own else f"trial {candidate.trial.number}",
        mean=show(candidate.mean),
        seeds=[run.reason if run.score is None else number(run.score.value) for run in candidate.runs],
        verdict=VERDICTS[verdict],
        style="" if verdict is None else verdict.replace(" ", "-"),
        changed=", ".join(
            f"{key}: {json.dumps(new)}"
            for key, (_, new) in changes(order, candidate.recipe).items()
            if key not in BUDGET
        ),
    )


def _cells(trial: Trial) -> dict[str, object]:
    return {
        "number": trial.number,
        "state": trial.state,
        "reason": trial.reason,
        "value": "-" if trial.value is None else number(trial.value),
        "speed": "-" if trial.images_per_second is None else f"{trial.images_per_second:,.0f}",
        "kimg": "-" if trial.kimg is None else f"{trial.kimg:.3g}",
        "values": [value if isinstance(value, str) else json.dumps(value) for value in trial.values.values()],
    }


def _facts(order: Order, trials: Sequence[Trial], run_id: str) -> dict[str, str]:
    states = Counter(trial.state for trial in trials)
    counted = ", ".join(f"{count} {state}" for state, count in states.items())
    return {
        "data": f"{order.manifest.name}, {order.manifest.counts['train']:,} training rows",
        "trials": f"{len(trials)}: {counted}",
        "budget of each": str(order.budget),
        "pruner": order.space.pruner,
        "MLflow run": run_id,
        **order.identity(),
    }


def _summary(order: Order, final: Final) -> dict[str, object]:
    """summary.json: the finals as numbers."""
    return {
        "recipe": order.name,
        "metric": order.metric.key,
        "sentence": sentence(order, final),
        "candidates": [
            {
                "trial": each.trial.number,
                "mean": None if each.mean is None else each.mean.value,
                "error": None if each.mean is None else each.mean.error,
                "seeds": {str(run.seed): None if run.score is None else run.score.value for run in each.runs},
                "verdict": final.verdict(each),
                "changes": {key: new for key, (_, new) in changes(order, each.recipe).items()},
            }
            for each in final.candidates
        ],
    }
