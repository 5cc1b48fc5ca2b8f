"""How scores were measured: two scores compare only when this is the same."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field

from ganops.data.packed import Split
from ganops.errors import EvaluationError
from ganops.evaluation.real import Reference
from ganops.params import EvaluateParams
from ganops.settings import Settings

SHA256 = r"^[0-9a-f]{64}$"


class Protocol(Settings):
    """All that decides what a score means; neither the recipe nor the machine is part of it.

    extractor, weights, resize: what features come from, the sha256 of its weights, how images get to its size.
    image_shape: (C, H, W) at which images are compared; generated ones of another shape get there as `conversion` says,
        which names ganops.data.convert.
    real_data, split, real_count: digest of the real data, the split and how many of its images were used.
    generated_count, seed: how many images were generated, and the seed of latents and of random subsets.
    pairwise_count: how many generated images were compared with real ones each with each; neighbours: k of these.
    path_length_pairs: between how many pairs of latents the path length was measured.
    classifier: sha256 of the weights of the classifier behind the scores by class; None where there was none.
    """

    version: Literal[1] = 1
    extractor: str
    weights: str = Field(pattern=SHA256)
    resize: str
    image_shape: tuple[int, int, int]
    conversion: Literal["bicubic-antialiased"] = "bicubic-antialiased"
    real_data: str = Field(pattern=SHA256)
    split: Split
    real_count: int = Field(ge=2)
    generated_count: int = Field(ge=2)
    seed: int
    precision: Literal["float32"] = "float32"
    is_splits: int
    kid_subsets: int
    kid_subset_size: int
    neighbours: int
    pairwise_count: int
    path_length_pairs: int
    classifier: str | None = Field(default=None, pattern=SHA256)

    def digest(self) -> str:
        """sha256 of the protocol's meaning."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    def differences(self, other: Protocol) -> dict[str, tuple[object, object]]:
        """What differs from `other`: field to (own value, the other's)."""
        own, its = self.model_dump(), other.model_dump()
        return {name: (own[name], its[name]) for name in own if own[name] != its[name]}


def protocol_of(real: Reference, params: EvaluateParams, seed: int) -> Protocol:
    """The protocol under which these settings score images against this reference.

    Raises EvaluationError where the reference was made with other settings.
    """
    made = real.description
    asked = {
        "extractor": params.extractor,
        "split": params.split,
        "resize": "none" if made.resize == "none" else params.resize,
        "neighbours": params.neighbours,
        "pairwise_samples": params.pairwise_samples,
    }
    for name, value in asked.items():
        if getattr(made, name) != value:
            raise EvaluationError(
                f"the reference was made with another evaluate.{name} than is asked for now",
                expected=str(value),
                found=str(getattr(made, name)),
                action="make it anew: dvc repro reference",
            )
    return Protocol(
        extractor=made.extractor,
        weights=made.weights,
        resize=made.resize,
        image_shape=made.spec.shape,
        real_data=made.real_data,
        split=made.split,
        real_count=made.counts[made.split],
        generated_count=params.samples,
        seed=seed,
        is_splits=params.is_splits,
        kid_subsets=params.kid_subsets,
        kid_subset_size=params.kid_subset_size,
        neighbours=params.neighbours,
        pairwise_count=min(made.pairwise_count, params.samples),
        path_length_pairs=params.path_length_pairs,
        classifier=made.classifier,
    )
