"""Rows of the leaderboard that models are judged against: real images scored like a model, and baselines of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ganops.data.packed import Split, read_packed
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.baselines import alternatives_of, baseline_samples, baselines_of
from ganops.evaluation.evaluator import Evaluator, outputs_only
from ganops.evaluation.held_out import sample_count
from ganops.evaluation.real import draw
from ganops.evaluation.scores import Scores
from ganops.games.game import Game
from ganops.games.sampling import HeldOut
from ganops.games.task import Task

FEWEST_REAL = 20  # with fewer, the distance says how few they are: FID 466 of two photos, above that of any model


@dataclass(frozen=True)
class ScoredRow:
    """name: of its file. title: for the leaderboard."""

    name: str
    title: str
    scores: Scores

    def dump(self) -> dict[str, Any]:
        """The JSON form."""
        return self.scores.dump() | {"title": self.title}


def real_row(evaluator: Evaluator) -> ScoredRow | None:
    """Real images of the split that is not compared with, scored as if a model had made them: what can be reached.

    None where that split has fewer than FEWEST_REAL rows.
    """
    made, prepared = evaluator.reference.description, evaluator.prepared
    split: Split = "test" if made.split == "train" else "train"
    if prepared is None or made.counts.get(split, 0) < FEWEST_REAL:
        return None
    target, data = made.spec.target, read_packed(prepared, split)
    task = Task(outputs={target: made.spec.fields[target]})
    rows = draw(len(data), evaluator.params.samples, evaluator.seed)
    groups = evaluator.groups(task).chosen
    if split == "train":  # training images lie at distance 0 from themselves
        groups = {name: chosen for name, chosen in groups.items() if name != "memorisation"}
    samples = outputs_only((data[target][some] for some in torch.split(rows, evaluator.params.batch_size)), target)
    found = evaluator.measure(samples, groups, evaluator.context(groups, task, made.spec, len(rows)), f"real {split}")
    name = "test" if split == "test" else "training"
    return ScoredRow(f"real-{split}", f"real {name} images ({len(rows):,})", found.scores)


def baseline_rows(
    evaluator: Evaluator, task: Task, spec: DataSpec, held_out: HeldOut | None, game: Game | None = None
) -> list[ScoredRow]:
    """The baselines of a task, scored as a model of `spec` is; those that fail to give finite scores are left out.

    game: whose own alternatives count as baselines where this is its first task.
    """
    found, baselines = list[ScoredRow](), dict(baselines_of(task))
    if game is not None and task is game.task:
        baselines |= alternatives_of(game)
    for name, baseline in baselines.items():
        groups = evaluator.groups(task).chosen
        count = sample_count(task, evaluator.params.samples, held_out)
        samples = baseline_samples(baseline, task, count, evaluator.seed, held_out, evaluator.params.batch_size)
        context = evaluator.context(groups, task, spec, count)
        try:
            scores = evaluator.measure(samples, groups, context, f"baseline {name}").scores
        except EvaluationError as error:
            print(f"baseline {name}: no scores: {error.message}", flush=True)
            continue
        found.append(ScoredRow(name, baseline.title, scores))
    return found
