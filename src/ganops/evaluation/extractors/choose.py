"""The feature extractor that params.yaml asks for."""

from __future__ import annotations

from pathlib import Path

import torch

from ganops.errors import EvaluationError
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.params import EvaluateParams


def load_extractor(
    params: EvaluateParams, classifier: Path | None = None, device: torch.device | str = "cpu"
) -> FeatureExtractor:
    """The extractor of `params.features`; `classifier` is the folder that holds the classifier's files.

    Only the chosen one's libraries are imported. Raises EvaluationError where its weights cannot be had.
    """
    match params.features:
        case "classifier" if classifier is not None:
            from ganops.evaluation.extractors.classifier import load_classifier

            return load_classifier(classifier, device)
        case "inception-v3":
            from ganops.evaluation.extractors.inception import load_inception

            return load_inception(params.weights, params.resize, device)
        case "efficientnet-lite0":
            from ganops.evaluation.extractors.efficientnet import EfficientNetLite0

            return EfficientNetLite0(params.resize, device)
        case "custom":
            from ganops.evaluation.extractors.custom import Custom

            return Custom(params.custom or "", device)
        case _:
            raise EvaluationError(
                f"features '{params.features}' cannot be had here",
                code="features-unresolved",
                action="set evaluate.features: efficientnet-lite0, inception-v3 or custom",
            )
