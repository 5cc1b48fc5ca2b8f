"""A task: inputs and outputs of a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from ganops.data.fields.field import Schema


@dataclass(frozen=True)
class Task:
    """Known from recipe and data spec before anything is trained.

    inputs: what the caller gives (a class label, a source image, a caption). outputs: what the model returns.
    latents: standard normal vectors that the caller draws (`z`), which make the outputs differ.
    paired: whether the data hold the true output of each input, as in image-to-image translation.
    """

    outputs: Schema
    inputs: Schema = field(default_factory=dict)
    latents: Schema = field(default_factory=dict)
    paired: bool = False
