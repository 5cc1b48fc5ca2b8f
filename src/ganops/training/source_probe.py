"""Whether outputs follow their sources: some fixed sources of each task are translated again while training runs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.data.fields.image import first_image
from ganops.data.rows import Rows
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, draw_inputs
from ganops.games.task import Task
from ganops.training.batches import TrainingData
from ganops.training.health import Translations, movement, spread

PROBED, TYPICAL = 32, 256  # sources that are translated; real rows that say what is usual


@dataclass(frozen=True)
class SourceProbe:
    """One task whose inputs and outputs are images.

    inputs: modelled, as training rows give them. sources: the images of these in the output's form, modelled.
    real_spread, real_correlation: `spread` of true outputs, and their correlation with sources: of the pairs where the
    data have any, else of the mean image of each side.
    """

    task: str
    source: str
    output: str
    inputs: Rows
    sources: Tensor
    real_spread: float
    real_correlation: float

    @torch.no_grad()
    def ask(self, game: Game, device: torch.device) -> Translations:
        """What the game makes of the sources, and what it makes of them in another order with all else as before."""
        exchanged = self.inputs.merged({self.source: self.inputs[self.source].roll(1, 0)})
        made, other = (
            game.generate(rows.to(device), self.task)[self.output].float().cpu() for rows in (self.inputs, exchanged)
        )
        return Translations(
            self.task,
            follows=movement(made, other) / max(self.real_spread, 1e-9),
            correlation=correlation(made, self.sources),
            real_correlation=self.real_correlation,
        )


def source_probes(game: Game, data: TrainingData, seed: int) -> list[SourceProbe]:
    """A probe of each task that makes stored images from images, stored or derived."""
    found = []
    for name, task in game.tasks.items():
        source, output = first_image(task.inputs), first_image(task.outputs)
        if source is not None and output is not None and any(output in rows for rows in data.rows):
            found.append(_probe(name, task, data, seed, source, output))
    return found


def correlation(images: Tensor, others: Tensor) -> float:
    """The mean over (N, ...) images of Pearson's correlation with their partner; that of a constant image is 0."""
    one, other = (each.flatten(1).float() - each.flatten(1).float().mean(1, keepdim=True) for each in (images, others))
    return float(torch.nn.functional.cosine_similarity(one, other, dim=1).mean())


def _probe(name: str, task: Task, data: TrainingData, seed: int, source: str, output: str) -> SourceProbe:
    spec, stored = data.spec, source
    while stored in spec.derived:
        stored = str(spec.derived[stored]["of"])
    parts = {
        column: data.converted(rows.select(slice(0, TYPICAL)))
        for column in (stored, output)
        for rows in data.rows
        if column in rows
    }
    held_out = HeldOut(parts[stored], spec)
    drawn = next(iter(draw_inputs(task, min(PROBED, len(held_out.rows)), seed, held_out=held_out)))
    assert drawn.inputs is not None
    from_field, to_field = task.inputs[source], task.outputs[output]
    sources = to_field.to_model(from_field.convert(drawn.inputs[source], to_field))
    targets = to_field.to_model(parts[output][output])
    if drawn.truth is not None:
        usual = correlation(to_field.to_model(drawn.truth[output]), sources)
    else:
        usual = correlation(targets.mean(0, keepdim=True), sources.mean(0, keepdim=True))
    return SourceProbe(name, source, output, drawn.modelled, sources, spread(targets), usual)
