"""The champion's scores under the present protocol, so that a change of the protocol does not end all comparisons."""

from __future__ import annotations

from ganops.evaluation.scores import Scores
from ganops.games.saved import load_description, load_game
from ganops.params import Params
from ganops.registry.load import registered_folder
from ganops.registry.versions import Versions, measured_tag
from ganops.workspace import Workspace


def rescore(versions: Versions, version: str, params: Params, workspace: Workspace) -> Scores:
    """Score a registered version as the evaluate stage would now, and keep the scores next to its older ones.

    Raises RegistryError when the version cannot be loaded, EvaluationError when it cannot be scored.
    """
    from ganops.devices import find_device
    from ganops.evaluation.evaluate import evaluate_game

    folder = registered_folder(f"{versions.uri}/{version}", signed=False)
    game, spec = load_game(folder), load_description(folder).spec
    label = f"rescore version {version}"
    scores = evaluate_game(
        game, workspace.reference, workspace.prepared, params.evaluate, params.seed, find_device(), label, spec=spec
    ).scores
    versions.mark(version, measured_tag(scores))
    return scores
