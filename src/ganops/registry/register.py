"""The winner becomes a model version with its card and lineage, named challenger; the same lineage only once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ganops.params import Params
from ganops.registry.candidate import Candidate
from ganops.registry.card import short_card, write_card
from ganops.registry.package import log_package
from ganops.registry.versions import CHALLENGER, LINEAGE, PROTOCOL, RECIPE, UNHEALTHY, Versions, measured_tag
from ganops.settings import Settings
from ganops.tracking.lineage import lineage_tags
from ganops.tracking.names import tracked_name
from ganops.tracking.run import resume_run
from ganops.tracking.store import connect
from ganops.tracking.tracked import TrackedRun


class Registration(Settings):
    """registration.json: which version the winner is."""

    model: str
    version: str
    alias: str
    lineage: str
    recipe: str


def register(candidate: Candidate, params: Params, run_file: Path) -> tuple[Registration, bool]:
    """Register a candidate unless its lineage is registered already, and name it challenger; whether it is new.

    Two processes that register the same lineage at once end with one version: the later one takes its own back.
    Raises TrackingError or RegistryError where the server does not answer or refuses.
    """
    versions, lineage = Versions(connect(), params.tracking.model), candidate.lineage()
    known = versions.with_lineage(lineage)
    version = known[0] if known else _create(versions, candidate, params, run_file, lineage)
    versions.set_alias(CHALLENGER, version)
    found = Registration(
        model=versions.model, version=version, alias=CHALLENGER, lineage=lineage, recipe=candidate.recipe
    )
    return found, not known


def _create(versions: Versions, candidate: Candidate, params: Params, run_file: Path, lineage: str) -> str:
    recipe = candidate.description().recipe
    with (
        tempfile.TemporaryDirectory() as folder,
        resume_run(run_file, params=params, recipe=recipe, manifest=candidate.manifest) as run,
    ):
        origin = _origin(candidate, run)
        card = write_card(Path(folder) / "card", candidate, origin)
        for file in sorted(card.parent.iterdir()):
            run.log_file(file, "card")
        uri = log_package(versions.store, run.run_id, candidate.folder, card.parent)
        tags = {LINEAGE: lineage, **origin, **_scores(candidate)}
        about = short_card(candidate)
        own = versions.create(uri, tags, about)
        run.set_tags({"model.version": f"{versions.model}/{own}", "mlflow.note.content": about})
    first = versions.with_lineage(lineage)[0]
    if first != own:
        versions.delete(own)
    return first


def _origin(candidate: Candidate, run: TrackedRun) -> dict[str, str]:
    """Where the model comes from: recipe, data, run, commit and DVC's hashes."""
    description = candidate.description()
    of = ("data/prepared", f"results/train/{candidate.recipe}", f"results/evaluate/{candidate.recipe}")
    return {
        RECIPE: candidate.recipe,
        "recipe.digest": description.recipe.digest(),
        "data.source": candidate.manifest.source,
        "data.digest": candidate.manifest.digest,
        "run": run.run_id,
        **{f"init.{key}": str(value) for key, value in candidate.training.get("init", {}).items()},
        **lineage_tags(Path.cwd(), of),
    }


def _scores(candidate: Candidate) -> dict[str, str]:
    digest = str(candidate.protocol.get("digest", ""))
    shown = {tracked_name(f"score.{key}"): f"{value:.6g}" for key, value in candidate.scores.items()}
    sick = str(bool(candidate.training.get("sick"))).lower()
    return {PROTOCOL: digest, UNHEALTHY: sick, **shown, **measured_tag(candidate.scores, candidate.protocol)}
