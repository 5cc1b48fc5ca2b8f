"""The champion's scores under today's protocol, so that a change of data or protocol does not end all comparisons."""

from __future__ import annotations

from pathlib import Path

from ganops.params import Params
from ganops.registry.gate import ProtocolScores
from ganops.registry.load import load_registered_game
from ganops.registry.versions import Versions, measured_tag


def rescore(versions: Versions, version: str, params: Params, reference: Path, prepared: Path) -> ProtocolScores:
    """Score a registered version as the evaluate stage would now, and keep the scores beside its older ones.

    Raises RegistryError when the version cannot be loaded, EvaluationError when its scores cannot be had.
    """
    import torch

    from ganops.evaluation.evaluate import evaluate_game

    game = load_registered_game(f"{versions.uri}/{version}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    label = f"rescore version {version}"
    found = evaluate_game(game, reference, prepared, params.evaluate, params.seed, device, label=label)
    protocol = found.protocol.model_dump(mode="json") | {"digest": found.protocol.digest()}
    versions.mark(version, measured_tag(found.metrics(), protocol))
    return ProtocolScores(found.metrics(), protocol)
