"""A task: inputs and outputs of a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from ganops.data.fields.field import Schema
from ganops.data.spec import LABEL


@dataclass(frozen=True)
class Task:
    """Known from recipe and data spec before anything is trained.

    inputs: what the caller gives (a class label, a source image, a caption). outputs: what the model returns.
    latents: standard normal vectors that the caller draws (`z`), which make the outputs differ.
    paired: whether the data hold the true output of each input, as in image-to-image translation.
    class_column: the column of the data that says which class an output should be of: the requested one, or that of the
        source; the input `label` where there is one; None where no column does.
    partner_column: of unpaired data, the column of each domain that says which test rows show the same and so are
        partners; None where this is not known.
    back: the task of the same game that makes inputs of outputs; None where there is none.
    """

    outputs: Schema
    inputs: Schema = field(default_factory=dict)
    latents: Schema = field(default_factory=dict)
    paired: bool = False
    class_column: str | None = None
    partner_column: str | None = None
    back: str | None = None

    def __post_init__(self) -> None:
        if self.class_column is None and LABEL in self.inputs:
            object.__setattr__(self, "class_column", LABEL)
