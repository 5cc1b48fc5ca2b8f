"""Stage resolve: what `auto` stands for, whether all settings are possible, and which code each training reaches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganops.atomic import write_json, write_text
from ganops.check import divisions, doubtful, impossible, left_out, one_list, outlines
from ganops.code_digest import code_of, digest, modules_of_kinds
from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest, read_manifest
from ganops.errors import GanopsError, SettingsError
from ganops.evaluation.metric_groups import group_of_metric, module_of_group
from ganops.evaluation.metric_names import base_of
from ganops.machine import gpu_ids, places
from ganops.params import AUTO_RECIPES, Params, read_params
from ganops.recipe import find_recipe, load_recipe
from ganops.resolve import choose_recipes, resolve
from ganops.resolved import Resolved, read_resolved, write_resolved
from ganops.training.job import TrainingJob
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage

if TYPE_CHECKING:
    from ganops.games.game import Game

FEATURES = {"classifier": "the data's own classifier"}
TRAINING = ("pipeline.stages.train", "pipeline.stages.torchrun")
LONG = 60.0  # minutes from which on a shorter run is proposed


@dataclass(frozen=True)
class Resolution:
    """The settings with every `auto` replaced, the trainings and their games, and the recipes that cannot be read."""

    params: Params
    resolved: Resolved
    manifest: Manifest
    jobs: dict[str, TrainingJob]
    games: dict[str, Game]
    errors: list[GanopsError]
    stale: bool


def main() -> None:
    """Write results/code, and say in one sentence what will be done.

    Raises SettingsError (code "impossible") with all that cannot work, or (code "stale") where pipeline/resolved.yaml
    was not what params.yaml and the data ask for: DVC has read it already, so the command has to be run again.
    """
    found = bring_up_to_date()
    errors = [*found.errors, *impossible(found.params, found.manifest, found.jobs)]
    if errors:
        raise one_list(errors)
    if found.stale:
        raise SettingsError(
            f"{WORKSPACE.resolved} did not say what params.yaml asks for with these data; it does now",
            code="stale",
            found=f"recipes {', '.join(found.resolved.recipes)}; features {found.resolved.features}; "
            f"metric {found.resolved.compare_metric}",
            action="run the same command again; for `dvc exp run --temp` commit the file first",
        )
    for recipe, job in found.jobs.items():
        kinds = modules_of_kinds([job.recipe.model_dump(mode="json"), found.manifest.spec.model_dump(mode="json")])
        code = code_of([*TRAINING, *kinds, _validation_module(found.games[recipe])])
        write_json(WORKSPACE.code(recipe), {"digest": digest(code), "modules": code})
    write_text(WORKSPACE.checked, "all settings are possible with these data\n")
    print(summary(found), flush=True)


def _validation_module(game: Game) -> str:
    """The module of the metric that finds the best step, which is looked up by name."""
    return module_of_group(group_of_metric(base_of(game.default_metric)) or "")


def bring_up_to_date() -> Resolution:
    """Decide what `auto` stands for and write pipeline/resolved.yaml where it says something else."""
    asked, manifest = read_params(WORKSPACE.params), read_manifest(WORKSPACE.prepared)
    recipes = choose_recipes(asked, manifest.spec, manifest.counts["train"])
    jobs, errors, files = dict[str, TrainingJob](), list[GanopsError](), dict[str, str]()
    for recipe in recipes:
        try:
            file = find_recipe(recipe, WORKSPACE.recipes)
            files[recipe] = file.as_posix()
            jobs[recipe] = TrainingJob(
                *(recipe, load_recipe(file), asked.train, asked.seed, manifest.spec, manifest.digest), where=str(file)
            )
        except GanopsError as error:
            errors.append(error)
    if not files:
        raise one_list(errors)
    games = outlines(jobs)
    resolved, before = resolve(asked, manifest, files, games), read_resolved(WORKSPACE.resolved)
    if resolved != before:
        write_resolved(resolved, WORKSPACE.resolved)
    stale = before is None or _seen_by_stages(resolved) != _seen_by_stages(before)
    return Resolution(resolved.apply(asked), resolved, manifest, jobs, games, errors, stale)


def _seen_by_stages(resolved: Resolved) -> Resolved:
    """What dvc.yaml gives to later stages; size and channels are on record only, since `prepare` decides them."""
    return resolved.model_copy(update={"image_size": None, "channels": None})


def summary(found: Resolution) -> str:
    """One sentence: the data, the recipes, the features and, for data of one's own, the time; then what is left out."""
    manifest, params = found.manifest, found.params
    image, classes = manifest.spec.first(ImageField), len(manifest.spec.classes)
    features = params.evaluate.features
    rows = f"{sum(manifest.counts.values()):,} {'pictures' if image else 'rows'}"
    with_classes = f"with {classes:,} class{'es' if classes > 1 else ''}" if classes else "without classes"
    size = f" at {image.size} px" if image else ""
    parts, sooner = [f"{_and(found.jobs)}{size}", f"features of {FEATURES.get(features, features)}"], ""
    if manifest.source == "images" or read_params(WORKSPACE.params).recipes == AUTO_RECIPES:
        time, sooner = _time(found)
        parts.append(time)
    lines = [f"{rows} {with_classes}: {', '.join(parts)}"]
    if sooner:
        lines.append(f"  {sooner}")
    if missing := left_out(divisions(params, manifest, found.jobs, found.games)):
        reasons = {why: [group for group in missing if missing[group] == why] for why in missing.values()}
        for why, groups in reasons.items():
            need = why if len(groups) == 1 else "need" + why.removeprefix("needs")
            lines.append(f"  metrics left out: {_and(groups)} ({need})")
    lines += [f"  note: {note}" for note in doubtful(found.games, manifest)]
    return "\n".join(lines)


def _time(found: Resolution) -> tuple[str, str]:
    """The time in words; and where that is more than an hour, a note on how to see something sooner."""
    # Imported here: a trial sets up this process as a training does.
    from ganops.trial import estimate, first_look, in_words, minutes_of_all, minutes_of_starts

    starts = minutes_of_starts()
    estimates = [estimate(job, WORKSPACE.prepared, found.params.evaluate) for job in found.jobs.values()]
    gpus, train = gpu_ids(), found.params.train
    at_a_time = places(gpus, train.processes * (1 if gpus else train.threads))
    minutes = minutes_of_all(estimates, at_a_time) + starts
    share = first_look(estimates, at_a_time)
    if minutes <= LONG or share == 1:
        return in_words(minutes), ""
    sooner = in_words(minutes_of_all(estimates, at_a_time, share) + starts)
    scale = f"train.budget_scale={share * train.budget_scale:g}"
    return in_words(minutes), f"a first look takes {sooner}: make set SET={scale}, then the same command again"


def _and(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


if __name__ == "__main__":
    run_stage(main)
