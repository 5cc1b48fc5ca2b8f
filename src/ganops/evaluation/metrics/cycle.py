"""Cycle error: how far an input is from what its output is translated back to (Zhu et al. 2017, arXiv:1703.10593)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.data.fields.field import modelled_rows
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.context import EvalContext, Subject
from ganops.evaluation.estimate import from_mean
from ganops.evaluation.metric import Metric, MetricGroup, Result
from ganops.games.task import Task


class _Cycles:
    """Sends the stored outputs, rounded as a user has them, through the task that leads back."""

    def __init__(self, context: EvalContext) -> None:
        self.context = context
        self._errors: list[Tensor] = []

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Take in one batch."""
        del truth
        if self.context.subject is not None and inputs is not None:
            self._errors.append(_errors(self.context.subject, self.context.task, inputs, outputs))

    def compute(self) -> Result:
        """The mean over all inputs; nothing for baselines, which have no way back."""
        if not self._errors:
            return Result({})
        return Result({"cycle_error": from_mean(torch.cat(self._errors))}, {"average": "mean over images, all pixels"})


@torch.no_grad()
def _errors(subject: Subject, task: Task, inputs: Rows, outputs: Rows) -> Tensor:
    """(N,) mean absolute differences, as a share of the range of values."""
    device = next(subject.game.parameters()).device
    returned = subject.game.generate(modelled_rows(outputs, task.outputs).to(device), task.back)
    ((name, field),) = task.inputs.items()
    back = field.to_model(field.to_storage(returned[name]).cpu())
    return (back - field.to_model(inputs[name])).abs().flatten(1).mean(dim=1) / 2  # modelled values lie in [-1, 1]


def _applies(task: Task, _spec: DataSpec) -> bool:
    return task.back is not None


GROUP = MetricGroup(
    "cycle",
    (
        Metric(
            "cycle_error",
            "Cycle error",
            "lower",
            "Mean absolute difference between a source and its translation there and back, as a share of the range.",
        ),
    ),
    _applies,
    _Cycles,
    "a translation that the model can translate back",
    needs_features=False,
    validates=False,
)
