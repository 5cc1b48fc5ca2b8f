"""Everything that is known to be impossible right after `prepare`: settings held against the data and the machine.

It is said in one list, before anything is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest
from ganops.errors import GanopsError, SettingsError
from ganops.evaluation.auto import classifier_possible
from ganops.evaluation.metric_groups import chosen_groups, group_of_metric
from ganops.evaluation.metric_names import base_of, describe, metric_key
from ganops.evaluation.unmeasurable import Division, divide
from ganops.games.build import outline_game
from ganops.games.game import Game
from ganops.memory_needs import BYTES, COPIES, GIB, memory, too_large, too_many_samples, weights_of
from ganops.params import Params
from ganops.training.job import TrainingJob

SMALL_NETWORK, LARGE_IMAGE = 1_000_000, 64  # weights of a generator below which images above so many pixels stay vague
LARGE_NETWORK = 200_000_000  # weights of one network; StyleGAN2 and BigGAN have 30 to 100 M at 256 to 1024 pixels


def impossible(params: Params, manifest: Manifest, jobs: Mapping[str, TrainingJob]) -> list[GanopsError]:
    """What cannot work, each with the key and the value to take. params: with every `auto` replaced."""
    found: list[GanopsError] = []
    for recipe, job in jobs.items():
        found += [_of_recipe(recipe, error) for error in job.problems(manifest.counts["train"])]
    games = outlines(jobs)
    found += too_large(jobs, games, memory(gpu=params.train.device in ("auto", "cuda")))
    found += too_many_samples(params.evaluate, len(manifest.spec.classes), memory(gpu=False))
    try:
        groups = divisions(params, manifest, jobs, games)
    except GanopsError as error:
        return [*found, error]
    return [*found, *_features(params, manifest), *_metrics(params, groups)]


def divisions(
    params: Params, manifest: Manifest, jobs: Mapping[str, TrainingJob], games: Mapping[str, Game]
) -> dict[str, Division]:
    """For each recipe, which metric groups can be measured, and why the others cannot."""
    groups, counts = chosen_groups(params.evaluate), manifest.counts
    classifier = classifier_possible(manifest.spec, counts)
    return {recipe: divide(groups, game.task, jobs[recipe].spec, counts, classifier) for recipe, game in games.items()}


def left_out(groups: Mapping[str, Division]) -> dict[str, str]:
    """Metric groups that no recipe gets because the data have too little of something, with the reason."""
    reasons = {group: why for each in groups.values() for group, why in each.too_little.items()}
    return {group: why for group, why in reasons.items() if not any(group in each.chosen for each in groups.values())}


def doubtful(games: Mapping[str, Game], manifest: Manifest) -> Iterator[str]:
    """What works and will disappoint."""
    image = manifest.spec.first(ImageField)
    for recipe, game in games.items():
        weights = sum(weights_of(game, network) for network in game.ema_networks)
        if image is not None and image.size > LARGE_IMAGE and weights < SMALL_NETWORK:
            yield (
                f"{recipe} has {weights / 1e6:.1f} M weights to make images of {image.size} pixels: "
                "they will stay vague; raise width and max_width in its recipe"
            )
        for network, _ in game.named_children():
            if (weights := weights_of(game, network)) > LARGE_NETWORK:
                memory_of = weights * COPIES * BYTES / GIB
                yield (
                    f"{recipe}'s {network} has {weights / 1e6:,.0f} M weights, {memory_of:.1f} GiB in training: "
                    "fully connected layers of large images; take a convolutional recipe or smaller images"
                )


def outlines(jobs: Mapping[str, TrainingJob]) -> dict[str, Game]:
    """The games of all recipes that can be built, without memory for their weights."""
    games: dict[str, Game] = {}
    for recipe, job in jobs.items():
        try:
            games[recipe] = outline_game(job.recipe, job.spec, job.where)
        except GanopsError:
            continue  # TrainingJob.problems says why
    return games


def _of_recipe(recipe: str, error: GanopsError) -> GanopsError:
    """The same error, naming the recipe where its text does not."""
    if recipe in error.message:
        return error
    return type(error)(
        f"{recipe}: {error.message}",
        code=error.code,
        expected=error.expected,
        found=error.found,
        action=error.action,
    )


def _features(params: Params, manifest: Manifest) -> Iterator[GanopsError]:
    if params.evaluate.features == "classifier" and not classifier_possible(manifest.spec, manifest.counts):
        yield SettingsError(
            "evaluate.features: a classifier of the data's own classes cannot be trained",
            code="no-classifier",
            expected="at least 2 classes with enough images of each",
            found=f"{len(manifest.spec.classes)} classes, {manifest.counts['train']:,} training images",
            action="set evaluate.features: auto",
        )
    for key, path in (("weights", params.evaluate.weights), ("custom", _file(params.evaluate.custom))):
        if path is not None and not path.expanduser().is_file():
            yield SettingsError(
                f"evaluate.{key}: {path} does not exist",
                code="missing-file",
                expected="a file",
                action=f"correct evaluate.{key} in params.yaml",
            )


def _file(custom: str | None) -> Path | None:
    """The TorchScript file of features `custom`; None for module:callable."""
    return None if custom is None or ":" in custom else Path(custom)


def _metrics(params: Params, groups: Mapping[str, Division]) -> Iterator[GanopsError]:
    """Metrics that decide something and will not be measured."""
    wanted, optional = {"compare.metric": params.compare.metric}, set[str]()
    if params.gate.mode != "disabled":
        wanted |= {"gate.metric": params.gate.metric} | {f"gate.limits.{key}": key for key in params.gate.limits}
        optional = {f"gate.limits.{key}" for key, limit in params.gate.limits.items() if limit.if_measured}
    for setting, key in wanted.items():
        decides = setting.endswith(".metric")
        try:
            metric = describe(key)
            task = key.removesuffix(key.rpartition("/")[2])
            expected = task + metric_key(base_of(key), params.evaluate.features)
        except GanopsError as error:
            yield SettingsError(f"{setting}: {error.message}", code=error.code, found=key, action=error.action)
            continue
        group = group_of_metric(base_of(key)) or ""
        if setting in optional:
            continue
        if group not in params.evaluate.metrics:
            reason = f"the group '{group}' is not in evaluate.metrics"
            yield _unmeasured(setting, key, reason, f"add {group}: {{}} there")
        elif key != expected:
            action = f"set {setting}: {expected}" if decides else f"take the key {expected}"
            yield _unmeasured(setting, key, f"evaluate.features is {params.evaluate.features}", action)
        elif metric.better is None and decides:
            yield _unmeasured(setting, key, "neither more nor less of it is better", f"set {setting}: auto")
        elif reason := _reason(group, groups):
            yield _unmeasured(setting, key, reason, f"set {setting}: auto" if decides else f"remove {setting}")


def _reason(group: str, groups: Mapping[str, Division]) -> str:
    """Why a group cannot be measured for one of the recipes; empty where it can be for all."""
    for recipe, each in groups.items():
        if group not in each.chosen:
            return f"{recipe}: the group '{group}' {(each.other_tasks | each.too_little)[group]}"
    return ""


def _unmeasured(setting: str, key: str, reason: str, action: str) -> SettingsError:
    return SettingsError(f"{setting}: {key} will not be measured", code="unmeasured", found=reason, action=action)


def one_list(errors: Sequence[GanopsError]) -> SettingsError:
    """All errors as one, a paragraph each."""
    parts = [" ".join(error.describe().replace("\n  ", "; ").split("\n")) for error in errors]
    opening = f"{len(errors)} setting{'s are' if len(errors) > 1 else ' is'} impossible with these data on this machine"
    return SettingsError("\n".join([opening, *(f"  - {part}" for part in parts)]), code="impossible")
