"""The winner becomes a model version with card and lineage, named challenger; the same lineage is registered once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ganops.data.rows import Rows
from ganops.evaluation.held_out import task_rows
from ganops.evaluation.scores import Scores
from ganops.games.sampling import draw_inputs
from ganops.params import Params
from ganops.registry.candidate import Candidate
from ganops.registry.card import short_card, write_card
from ganops.registry.download import download
from ganops.registry.load import package_digest, problem_with
from ganops.registry.naming import registered_name
from ganops.registry.package import EXAMPLES, log_package
from ganops.registry.sweep import delete_leftover_models
from ganops.registry.versions import (
    CHALLENGER,
    CONTENT,
    DATA_FAMILY,
    LINEAGE,
    MEAN,
    METRIC,
    PACKAGE,
    PROTOCOL,
    QUARANTINED,
    RECIPE,
    SEEDS,
    TASK,
    UNHEALTHY,
    Versions,
    measured_tag,
    protocol_digest,
)
from ganops.settings import Settings
from ganops.tracking.lineage import lineage_tags
from ganops.tracking.outbox import warn
from ganops.tracking.run import resume_run
from ganops.tracking.store import connect
from ganops.tracking.tracked import TrackedRun
from ganops.workspace import Workspace


class Registration(Settings):
    """registration.json: which version the winner is."""

    model: str
    version: str
    alias: str
    lineage: str
    recipe: str


def register(candidate: Candidate, params: Params, workspace: Workspace) -> tuple[Registration, bool]:
    """Register a candidate unless its lineage is registered already, and name it challenger; whether it is new.

    A registered version whose files are missing or altered does not count: it is quarantined, and the candidate becomes
    a new version. Two processes that register the same lineage at once end with one version: the later one deletes its
    own. Raises TrackingError or RegistryError where the server does not answer or refuses.
    """
    versions, lineage = Versions(connect(), registered_name(params)), candidate.lineage()
    delete_leftover_models(versions.store, params.tracking.experiment)
    known = _first_intact(versions, lineage)
    version = known or _create(versions, candidate, params, workspace, lineage)
    versions.describe(version, short_card(candidate))
    versions.mark(version, _mean_tags(candidate))
    versions.set_alias(CHALLENGER, version)
    found = Registration(
        model=versions.model, version=version, alias=CHALLENGER, lineage=lineage, recipe=candidate.recipe
    )
    return found, known is None


def _first_intact(versions: Versions, lineage: str) -> str | None:
    """The oldest version of a lineage whose files are complete and unaltered; the ones before it are quarantined.

    Later ones are left alone: another process may be about to delete its own.
    """
    for version in versions.with_lineage(lineage):
        problem = problem_with(f"{versions.uri}/{version}")
        if not problem:
            return version
        warn(f"version {version} of '{versions.model}' cannot be used and is registered again: {problem}")
        versions.mark(version, {QUARANTINED: problem})
    return None


def _create(versions: Versions, candidate: Candidate, params: Params, workspace: Workspace, lineage: str) -> str:
    recipe = candidate.description.recipe
    with (
        tempfile.TemporaryDirectory() as folder,
        resume_run(
            workspace.run_file(candidate.recipe), params=params, recipe=recipe, manifest=candidate.manifest
        ) as run,
    ):
        origin = _origin(candidate, run)
        card = write_card(Path(folder) / "card", candidate, origin)
        for file in sorted(card.parent.iterdir()):
            run.log_file(file, "card")
        uri = log_package(versions.store, run.run_id, candidate.folder, card.parent, _example(candidate, workspace))
        package = {PACKAGE: package_digest(download(uri))}
        own = versions.create(uri, {LINEAGE: lineage, **origin, **_score_tags(candidate), **package})
        run.set_tags({"model.version": f"{versions.model}/{own}", "mlflow.note.content": short_card(candidate)})
    first = _first_intact(versions, lineage) or own
    if first != own:
        versions.delete(own)
        versions.store.client.delete_logged_model(uri.rpartition("/")[2])
    return first


def _example(candidate: Candidate, workspace: Workspace) -> Rows | None:
    """Stored inputs from the test split, where the model needs a caller's; None where it does not."""
    rows = task_rows(candidate.task, workspace.prepared, candidate.description.spec, EXAMPLES)
    if rows is None:
        return None
    return next(iter(draw_inputs(candidate.task, EXAMPLES, 0, held_out=rows))).inputs


def _origin(candidate: Candidate, run: TrackedRun) -> dict[str, str]:
    """What the model is and where it comes from: recipe, data, task, content, run, commit and DVC's hashes."""
    of = ("data/prepared", f"results/train/{candidate.recipe}", f"results/evaluate/{candidate.recipe}")
    return {
        RECIPE: candidate.recipe,
        "recipe.digest": candidate.description.recipe.digest(),
        "data.source": candidate.manifest.source,
        "data.digest": candidate.manifest.digest,
        DATA_FAMILY: candidate.family,
        TASK: candidate.task_name,
        CONTENT: candidate.content,
        "run": run.run_id,
        **{f"init.{key}": str(value) for key, value in candidate.training.get("init", {}).items()},
        **lineage_tags(Path.cwd(), of),
    }


def _score_tags(candidate: Candidate) -> dict[str, str]:
    return {
        METRIC: candidate.metric,
        PROTOCOL: protocol_digest(candidate.scores),
        UNHEALTHY: str(bool(candidate.training.get("unhealthy"))).lower(),
        **_numbers(candidate.scores),
        **measured_tag(candidate.scores),
    }


def _numbers(scores: Scores) -> dict[str, str]:
    values = {f"score.{key}": each.value for key, each in scores.items()}
    errors = {f"score.{key}_error": each.error for key, each in scores.items()}
    return {name: f"{value:.6g}" for name, value in (values | errors).items() if value is not None}


def _mean_tags(candidate: Candidate) -> dict[str, str]:
    """The recipe's mean over seeds, for people; the gate compares the scores of the models themselves."""
    if candidate.mean is None:
        return {}
    return {SEEDS: ", ".join(candidate.seeds), MEAN: json.dumps(candidate.mean.dump())}
