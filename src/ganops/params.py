"""The typed form of params.yaml: what the whole pipeline is asked to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ganops.settings import Settings, read_yaml, validate

SourceName = Literal["digits", "mnist", "fashion-mnist", "stacked-mnist", "cifar10", "ring2d", "grid2d", "images"]
ExtractorName = Literal["classifier", "inception-v3", "efficientnet-lite0", "custom"]
Precision = Literal["auto", "float32", "bfloat16"]
ScoreName = Literal["fid", "is", "kid"]
RecipeName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class DataParams(Settings):
    """Which images, and in which form they are packed."""

    source: SourceName
    home: Path | None = None
    path: Path | None = None
    image_size: int = Field(ge=8, le=1024)
    channels: Literal[1, 3]
    test_share: float = Field(gt=0, lt=0.9)
    max_rejected: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _path_where_it_is_needed(self) -> DataParams:
        if self.source == "images" and self.path is None:
            raise ValueError("data.path: a folder or a zip file, because data.source is 'images'")
        return self

    @model_validator(mode="after")
    def _a_channel_for_each_digit(self) -> DataParams:
        if self.source == "stacked-mnist" and self.channels != 3:
            raise ValueError("data.channels: 3, because each of them is a digit where data.source is 'stacked-mnist'")
        return self


class TrainParams(Settings):
    """What holds for the training of every recipe.

    validate_kimg: thousands of real images shown between two validation metrics; validation_samples: images generated for each.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "auto"
    compile: Literal["auto", "never", "always"] = "auto"
    graphs: Literal["auto", "never"] = "auto"
    processes: int = Field(default=1, ge=1, le=1024)
    threads: int = Field(default=1, ge=1, le=1024)
    deterministic: bool = True
    budget_scale: float = Field(default=1.0, gt=0)
    sample_images: int = Field(default=64, ge=1, le=1024)
    sample_times: int = Field(default=20, ge=1, le=1000)
    validate_kimg: float = Field(default=25.0, gt=0)
    validation_samples: int = Field(default=2000, ge=2)
    checkpoint_seconds: float = Field(default=60.0, gt=0)
    on_unhealthy: Literal["recipe", "warn", "stop", "recover"] = "recipe"
    debug: Literal["off", "overfit-one-batch", "two-steps", "profile"] = "off"


class ClassifierParams(Settings):
    """The small classifier of the data's own classes: a extractor, and what tells generated classes apart.

    max_kimg: thousands of images shown at most, so that many epochs of few images and few of many take alike.
    """

    epochs: int = Field(default=10, ge=1)
    max_kimg: float = Field(default=200.0, gt=0)
    width: int = Field(default=16, ge=4)
    learning_rate: float = Field(default=5e-3, gt=0)
    batch_size: int = Field(default=64, ge=2)


class EvaluateParams(Settings):
    """The protocol of the scores: two scores compare only when all of this is the same.

    scores: the groups of scores to compute; ganops.evaluation.metrics has a file for each.
    custom: for the extractor "custom" a TorchScript file, or `module:callable` that gives a torch module.
    real_samples: how many images of each split the reference takes, drawn by the seed; null takes all.
    pairwise_samples: how many generated and real images are compared each with each (KID, precision, recall, density,
        coverage, diversity), at most.
    neighbours: k of the k nearest neighbours that precision, recall, density and coverage are built on.
    path_length_pairs: pairs of latents between which the path length is measured, where it is asked for.
    """

    scores: tuple[str, ...] = (
        *("fid", "is", "kid", "prdc", "memorisation", "diversity"),
        *("modes", "by-class", "label-accuracy", "mixture"),
    )
    real_samples: int | None = Field(default=None, ge=2)
    pairwise_samples: int = Field(default=5000, ge=2)
    neighbours: int = Field(default=5, ge=1)
    path_length_pairs: int = Field(default=2000, ge=2)
    extractor: ExtractorName = "classifier"
    custom: str | None = None
    weights: Path | None = None
    resize: Literal["pytorch-fid", "clean-fid"] = "pytorch-fid"
    split: Literal["train", "test"] = "train"
    samples: int = Field(default=5000, ge=2)
    batch_size: int = Field(default=250, ge=1)
    is_splits: int = Field(default=10, ge=1)
    kid_subsets: int = Field(default=50, ge=1)
    kid_subset_size: int = Field(default=500, ge=2)
    classifier: ClassifierParams = ClassifierParams()

    @model_validator(mode="after")
    def _custom_where_it_is_needed(self) -> EvaluateParams:
        if (self.extractor == "custom") != (self.custom is not None):
            raise ValueError(
                "evaluate.custom: a TorchScript file or module:callable, exactly when extractor is 'custom'"
            )
        return self


class CompareParams(Settings):
    """How the winner is chosen."""

    score: ScoreName = "fid"


class TrackingParams(Settings):
    """Names under which MLflow keeps runs and models."""

    experiment: str = Field(default="ganops", min_length=1)
    model: str = Field(default="ganops", pattern=r"^[A-Za-z0-9._-]+$")


class Limit(Settings):
    """An absolute bound of one score: the gate refuses a model outside of it."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _leaves_something(self) -> Limit:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: no score is inside")
        return self


class GateParams(Settings):
    """When a challenger may become champion.

    mode: judge and promote, judge and only say so (`dry_run`), or neither.
    score: what has to be better than the champion's, by at least the share `min_improvement` of it and by more than
        `sigmas` standard errors of the difference.
    limits: absolute bounds, which hold for the first champion too.
    """

    mode: Literal["disabled", "dry_run", "enabled"] = "enabled"
    score: ScoreName = "fid"
    min_improvement: float = Field(default=0.0, ge=0, lt=1)
    sigmas: float = Field(default=2.0, ge=0)
    limits: dict[ScoreName, Limit] = Field(default_factory=dict)


class Params(Settings):
    """All of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    recipes: tuple[RecipeName, ...] = Field(min_length=1)
    data: DataParams
    train: TrainParams = TrainParams()
    evaluate: EvaluateParams = EvaluateParams()
    compare: CompareParams = CompareParams()
    tracking: TrackingParams = TrackingParams()
    gate: GateParams = GateParams()

    @model_validator(mode="after")
    def _each_recipe_once(self) -> Params:
        if len(set(self.recipes)) != len(self.recipes):
            raise ValueError("recipes: each name once")
        return self


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml; raises SettingsError naming the file, the key and what was expected."""
    return validate(Params, read_yaml(path), str(path))
