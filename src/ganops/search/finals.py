"""The best trials and the recipe itself, trained again with several seeds: who wins, and by more than chance?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ganops.errors import SearchError
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.verdict import Verdict, judge, pool
from ganops.recipe import Recipe
from ganops.search.crew import Failure, Work
from ganops.search.order import Order
from ganops.search.study import Study, Trial
from ganops.search.trial_folder import Assignment, Outcome, TrialFolder

OWN = 0  # the number of the first trial, the recipe itself


@dataclass(frozen=True)
class SeedRun:
    """One training of a candidate: the full score, or why there is none."""

    seed: int
    score: Estimate | None
    reason: str = ""


@dataclass(frozen=True)
class Candidate:
    """One trial with its trainings with other seeds."""

    trial: Trial
    recipe: Recipe
    runs: Sequence[SeedRun]

    @property
    def mean(self) -> Estimate | None:
        """Over all seeds, with the spread between them; None where a training failed or became unhealthy."""
        scores = [run.score for run in self.runs if run.score is not None]
        return pool(scores) if len(scores) == len(self.runs) else None


@dataclass(frozen=True)
class Final:
    """All candidates, the winner first, then by their means; `verdict`: on the winner against the recipe itself."""

    candidates: Sequence[Candidate]
    better: Literal["lower", "higher"]

    @property
    def winner(self) -> Candidate:
        """The best mean."""
        return self.candidates[0]

    @property
    def own(self) -> Candidate:
        """The recipe itself."""
        return next(each for each in self.candidates if each.trial.number == OWN)

    def verdict(self, candidate: Candidate) -> Verdict | None:
        """On a candidate against the recipe itself; None for that one, and where either has no mean."""
        mean, own = candidate.mean, self.own.mean
        if candidate is self.own or mean is None or own is None:
            return None
        return judge(mean, own, self.better)


def finalists(order: Order, study: Study) -> list[Trial]:
    """The recipe itself and the best complete trials, at most `top` of them."""
    complete = [trial for trial in study.trials() if trial.state == "complete" and trial.number != OWN]
    ranked = sorted(complete, key=lambda trial: _rank(trial, study.better))
    return [trial for trial in study.trials() if trial.number == OWN] + ranked[: order.top]


def seeds(order: Order) -> range:
    """Other seeds than that of the trials, which the best of them were chosen by."""
    first = order.job(order.recipe).seed + 1
    return range(first, first + order.seeds)


def final_works(order: Order, study: Study) -> Iterator[Work]:
    """The trainings of all finalists with all seeds."""
    for seed in seeds(order):
        for trial in finalists(order, study):
            folder = order.seed_folder(trial.number, seed)
            if folder.outcome() is None:
                folder.assign(_assignment(order, trial, seed))
            yield Work(folder, partial(_said, order, folder))


def read_final(order: Order, study: Study) -> Final:
    """What the finals found; raises SearchError where no candidate could be scored with every seed."""
    candidates = [
        Candidate(
            trial,
            order.trial_folder(trial.number).assignment().recipe,
            [_run(order, order.seed_folder(trial.number, seed), seed) for seed in seeds(order)],
        )
        for trial in finalists(order, study)
    ]
    better = order.metric.better
    assert better is not None
    sign = 1 if better == "lower" else -1
    scored = [each for each in candidates if each.mean is not None]
    if not scored:
        raise SearchError(
            "none of the best trials trains well with every seed",
            code="no-winner",
            found="; ".join(sorted({run.reason for each in candidates for run in each.runs if run.reason})),
            action="search more trials, or look at the logs below results/search",
        )
    scored.sort(key=lambda each: sign * each.mean.value if each.mean else 0.0)
    return Final([*scored, *(each for each in candidates if each.mean is None)], better)


def _assignment(order: Order, trial: Trial, seed: int) -> Assignment:
    """The recipe of the trial, its budget included, with another seed."""
    tried = order.trial_folder(trial.number).assignment()
    return tried.model_copy(
        update={
            "name": f"{order.name}-trial-{trial.number:04d}-seed-{seed}",
            "recipe": tried.recipe.model_copy(update={"seed": seed}),
            "scored": True,
            "tags": {**tried.tags, "search.seed": str(seed)},
        }
    )


def _run(order: Order, folder: TrialFolder, seed: int) -> SeedRun:
    outcome = folder.outcome()
    if outcome is None:
        return SeedRun(seed, None, "failed")
    if outcome.state != "complete":
        return SeedRun(seed, None, f"{outcome.state}: {outcome.reason}")
    return SeedRun(seed, folder.scores()[order.metric.key])


def _said(order: Order, folder: TrialFolder, found: Outcome | Failure) -> None:
    if isinstance(found, Failure):
        text = f"failed: {found.reason}"
    elif found.state != "complete":
        text = f"{found.state}: {found.reason}"
    else:
        text = f"{order.metric.title} {folder.scores()[order.metric.key].value:.4g}"
    print(f"{folder.assignment().name}: {text}", flush=True)


def _rank(trial: Trial, better: Literal["lower", "higher"]) -> float:
    assert trial.value is not None
    return trial.value if better == "lower" else -trial.value
