"""One task of a game as a module of tensors, which exporters can trace."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.errors import ModelError
from ganops.games.examples import example_rows
from ganops.games.game import Game

EXAMPLE_ROWS = 3  # exporters take a batch of one for a constant
CHECKED_ROWS = (1, 2, 5, 16)
TOLERANCE = 1 / 255  # of numbers in [-1, 1]: half a level of 8 bits

Tensors = tuple[Tensor, ...]


class TaskModule(nn.Module):
    """Modelled inputs and latents of a task, in the order of `inputs`, to its modelled outputs, in that of `outputs`.

    Images are float32 in [-1, 1], classes int64 indices, latents standard normal float32; all have N rows. Of the
    game's networks only those are kept that the task needs.
    """

    def __init__(self, game: Game, name: str) -> None:
        super().__init__()
        task = game.tasks[name]
        self.name, self.task = name, task
        self.inputs, self.outputs = (*task.inputs, *task.latents), tuple(task.outputs)
        # In a file each name stands once: of a task from image to image the output is `image_out`.
        self.output_names = tuple(f"{each}_out" if each in self.inputs else each for each in self.outputs)
        self.game = copy.deepcopy(game).cpu().eval()
        self._drop_unused()

    def forward(self, *tensors: Tensor) -> Tensors:
        """Generate."""
        made = self.game.generate(Rows(dict(zip(self.inputs, tensors, strict=True))), self.name)
        return tuple(made[name] for name in self.outputs)

    def example(self, count: int = EXAMPLE_ROWS) -> Tensors:
        """Random inputs and latents of `count` rows."""
        rows = example_rows(self.task, count)
        return tuple(rows[name] for name in self.inputs)

    @torch.no_grad()
    def _drop_unused(self) -> None:
        """Without discriminators and the like an exported file is a fraction of the size."""
        for name, network in list(self.game.named_children()):
            delattr(self.game, name)
            try:
                self(*self.example())
            except AttributeError:
                setattr(self.game, name, network)


def check_parity(module: TaskModule, exported: Callable[[Tensors], Tensors], what: str) -> float:
    """The largest difference between the outputs of both, at several numbers of rows.

    Raises ModelError where it is more than half a level of 8 bits, or a class differs.
    """
    largest = 0.0
    for count in CHECKED_ROWS:
        given = module.example(count)
        with torch.no_grad():
            expected = module(*given)
        for name, own, other in zip(module.outputs, expected, exported(given), strict=True):
            if own.shape != other.shape:
                raise _differs(what, name, str(tuple(own.shape)), str(tuple(other.shape)))
            difference = (own.double() - other.double()).abs().max().item()
            if not difference <= TOLERANCE:  # nor of NaN, which `max` below would pass over
                raise _differs(what, name, f"differences of at most {TOLERANCE:.2g}", f"{difference:.2g}")
            largest = max(largest, difference)
    return largest


def _differs(what: str, output: str, expected: str, found: str) -> ModelError:
    return ModelError(
        f"the exported {what} answers otherwise than the model: {output}",
        code="export-differs",
        expected=expected,
        found=found,
        action="report it with the recipe's name; another format may do",
    )
