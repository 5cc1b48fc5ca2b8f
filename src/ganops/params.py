"""The typed form of params.yaml: what the whole pipeline is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ganops.errors import SettingsError
from ganops.recipe import bare_name
from ganops.settings import Settings, read_yaml, validate
from ganops.workspace import how_to_enter

FeaturesName = Literal["auto", "classifier", "inception-v3", "efficientnet-lite0", "custom"]
Precision = Literal["auto", "float32", "bfloat16"]
RecipeName = Annotated[
    str,
    BeforeValidator(lambda value: bare_name(value) if isinstance(value, str) else value),
    Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
]


def _of_a_known_user(path: Path) -> Path:
    try:
        path.expanduser()
    except RuntimeError:
        raise ValueError("a path; this machine knows no such user") from None
    return path


UserPath = Annotated[Path, AfterValidator(_of_a_known_user)]  # it may begin with ~ or ~USER
AUTO = "auto"
AUTO_RECIPES = (AUTO,)  # how `recipes: auto` is held until pipeline/resolved.yaml says which recipes these are


class DataParams(Settings):
    """Which data, and the form in which they are packed.

    source: a name that ganops.data.sources knows. home: folder with the raw files of standard data sets.
    path: folder or zip file of your own images, for source `images`.
    image_size, channels: `auto` is decided from the data alone by the rules of ganops.data.auto; a source of a known
        data set takes that data set's own. manifest.json records what was used.
    max_rejected: share of damaged or unreadable image files above which the stage stops.
    options: what only this source knows (docs/data.md); the source checks them.
    """

    source: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    home: UserPath | None = None
    path: UserPath | None = None
    image_size: Annotated[int, Field(ge=8, le=1024)] | Literal["auto"] = "auto"
    channels: Literal[1, 3, "auto"] = "auto"
    test_share: float = Field(default=0.2, gt=0, lt=0.9)
    max_rejected: float = Field(default=0.25, ge=0, le=1)
    options: dict[str, Any] = Field(default_factory=dict)


class TrainParams(Settings):
    """What holds for the training of every recipe.

    graphs: whether whole steps are captured and replayed, where the game allows it. cpu_kernels: whether faster CPU
    convolutions and allocator settings are installed in the training process.
    validate_kimg: thousands of real images shown between two validations; validation_samples: images generated for
        each.
    """

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Precision = "auto"
    compile: Literal["auto", "never", "always"] = "auto"
    graphs: Literal["auto", "never"] = "auto"
    cpu_kernels: Literal["auto", "off"] = "auto"
    processes: int = Field(default=1, ge=1, le=1024)
    threads: int = Field(default=1, ge=1, le=1024)
    deterministic: bool = True
    budget_scale: float = Field(default=1.0, gt=0, le=1000)
    sample_images: int = Field(default=64, ge=1, le=1024)
    sample_times: int = Field(default=20, ge=1, le=1000)
    validate_kimg: float = Field(default=25.0, gt=0)
    validation_samples: int = Field(default=2000, ge=2, le=100_000)
    checkpoint_seconds: float = Field(default=60.0, gt=0)
    on_unhealthy: Literal["recipe", "warn", "stop", "recover"] = "recipe"
    debug: Literal["off", "overfit-one-batch", "two-steps", "profile"] = "off"


def _empty_sections(value: Any) -> Any:
    """`fid:` without anything below it means `fid: {}`."""
    if not isinstance(value, Mapping):
        return value
    return {name: dict[str, Any]() if section is None else section for name, section in value.items()}


class ClassifierParams(Settings):
    """The small classifier of the data's own classes: a feature extractor, and the judge of generated classes.

    max_kimg: thousands of images shown at most, so that many epochs on few images and few on many take equally long.
    """

    epochs: int = Field(default=10, ge=1, le=10_000)
    max_kimg: float = Field(default=200.0, gt=0, le=1_000_000)
    width: int = Field(default=16, ge=4, le=1024)
    learning_rate: float = Field(default=5e-3, gt=0)
    batch_size: int = Field(default=64, ge=2, le=10_000)


DEFAULT_METRICS: dict[str, dict[str, Any]] = {
    name: {}
    for name in (
        *("fid", "is", "kid", "prdc", "memorisation", "diversity"),
        *("modes", "by-class", "label-accuracy", "mixture", "pairs", "perceptual", "consistency", "cycle"),
        *("own-truth", "segmentation"),
    )
}


class EvaluateParams(Settings):
    """What is measured, and how: the protocol of the scores.

    features: the network that images are compared with; `auto` is decided from the data (ganops.evaluation.auto).
    custom: for the features "custom" a TorchScript file, or `module:callable`, whose code runs and gives a module.
    real_samples: how many images of each split the reference uses, drawn by the seed; null: all.
    pairwise_samples: most generated and real images of which every pair is compared (KID, precision, recall, density,
        coverage, diversity).
    metrics: metric groups by name, each with its settings; ganops.evaluation.metrics has a file for each, which checks
        them (ganops.evaluation.metric_groups.chosen_groups).
    """

    features: FeaturesName = "auto"
    custom: str | None = None
    weights: UserPath | None = None
    resize: Literal["pytorch-fid", "clean-fid"] = "pytorch-fid"
    split: Literal["train", "test"] = "train"
    real_samples: int | None = Field(default=None, ge=2)
    samples: int = Field(default=5000, ge=2, le=1_000_000)
    pairwise_samples: int = Field(default=5000, ge=2, le=100_000)
    batch_size: int = Field(default=250, ge=1, le=10_000)
    metrics: Annotated[dict[str, dict[str, Any]], BeforeValidator(_empty_sections)] = Field(
        default_factory=lambda: dict(DEFAULT_METRICS), min_length=1
    )
    classifier: ClassifierParams = ClassifierParams()

    @model_validator(mode="after")
    def _custom_where_it_is_needed(self) -> EvaluateParams:
        if (self.features == "custom") != (self.custom is not None):
            raise ValueError(
                "evaluate.custom: a TorchScript file or module:callable, exactly when features is 'custom'"
            )
        return self


class CompareParams(Settings):
    """How the winner is chosen.

    metric: key of the metric that ranks the recipes; `auto` is the default metric of their games, with the name of the
        features.
    """

    metric: str = Field(default="auto", min_length=1)


class TrackingParams(Settings):
    """Names under which MLflow keeps runs and models.

    model: the registered model that gets the versions; `auto` names it after the data and the task, since models of
        different data do not compare.
    """

    experiment: str = Field(default="ganops", min_length=1)
    model: str = Field(default="auto", pattern=r"^[A-Za-z0-9._-]+$")


class Limit(Settings):
    """Absolute bounds of one metric: the gate refuses a model that is outside by more than chance.

    if_measured: a model without this metric is not refused either; the gate says that it was not measured.
    """

    min: float | None = None
    max: float | None = None
    if_measured: bool = False

    @model_validator(mode="after")
    def _min_is_below_max(self) -> Limit:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing lies between")
        return self


# What a distance between distributions hides (docs/promotion.md has the reasons for the numbers).
DEFAULT_LIMITS = {
    "memorisation": Limit(max=0.8, if_measured=True),
    "rarest_class": Limit(min=0.1, if_measured=True),
}


class GateParams(Settings):
    """When a challenger may become champion.

    mode: judge and promote, judge and only report (`dry_run`), or neither.
    metric: what has to be better than the champion's, by at least the share `min_improvement` of it and by more than
        `sigmas` standard errors of the difference; `auto`: the default metric of the model's game.
    limits: absolute bounds by metric, which hold for the first champion too; broken where they are exceeded by more
        than `sigmas` standard errors of the metric.
    """

    mode: Literal["disabled", "dry_run", "enabled"] = "enabled"
    metric: str = Field(default="auto", min_length=1)
    min_improvement: float = Field(default=0.0, ge=0, lt=1)
    sigmas: float = Field(default=2.0, ge=0)
    limits: dict[str, Limit] = Field(default_factory=lambda: dict(DEFAULT_LIMITS))


class WatchParams(Settings):
    """Whether new pictures still look like the training data (`ganops drift`, the deployment `watch`).

    path: folder or zip file of new pictures; null: nothing is compared. window: pictures in one comparison, which are
    consecutive. windows: so many of the newest are looked at; drifted: so many of them that differ make drift.
    level: of significance of one window.
    """

    path: UserPath | None = None
    window: int = Field(default=200, ge=20, le=5000)
    windows: int = Field(default=5, ge=1, le=100)
    drifted: int = Field(default=3, ge=1)
    level: float = Field(default=0.01, ge=0.001, lt=0.5)

    @model_validator(mode="after")
    def _can_happen(self) -> WatchParams:
        if self.drifted > self.windows:
            raise ValueError(f"watch.drifted: {self.drifted} of {self.windows} windows cannot differ")
        return self


class NotifyParams(Settings):
    """Who hears of what.

    urls: names of environment variables, each with an address for Apprise in it (mailto://, slack://, msteams:// ...),
        since such an address holds a password. events: of which a message is sent.
    """

    urls: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], ...] = ("GANOPS_NOTIFY_URL",)
    events: tuple[Literal["verdict", "failure", "drift"], ...] = ("verdict", "failure", "drift")


def _recipe_names(value: Any) -> Any:
    """`auto`, or a list of names, each once."""
    if value == AUTO:
        return AUTO_RECIPES
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"a list of names such as [{value}], or auto")
    if not value:
        raise ValueError("at least one name, or auto")
    if any(name in value[:place] for place, name in enumerate(value)):
        raise ValueError("each name once")
    return tuple(value)


class Params(Settings):
    """All of params.yaml."""

    seed: int = Field(ge=0, lt=2**31)
    recipes: Annotated[tuple[RecipeName, ...], BeforeValidator(_recipe_names)]
    data: DataParams
    train: TrainParams = TrainParams()
    evaluate: EvaluateParams = EvaluateParams()
    compare: CompareParams = CompareParams()
    tracking: TrackingParams = TrackingParams()
    gate: GateParams = GateParams()
    watch: WatchParams = WatchParams()
    notify: NotifyParams = NotifyParams()


def read_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml as it is written, with every `auto`.

    Raises SettingsError naming the file, the key and what was expected.
    """
    if not path.exists():
        folder = path.parent.resolve()
        raise SettingsError(
            f"{path} is missing", code="missing-file", found=f"no such file in {folder}", action=how_to_enter(folder)
        )
    return validate(Params, read_yaml(path), str(path))
