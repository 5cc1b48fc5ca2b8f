"""The extractor that params.yaml asks for."""

from __future__ import annotations

from pathlib import Path

import torch

from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.params import EvaluateParams


def load_extractor(params: EvaluateParams, folder: Path, device: torch.device | str = "cpu") -> FeatureExtractor:
    """The extractor of `params.extractor`; `folder` is the reference, which holds the classifier.

    Only the chosen one's libraries are imported. Raises EvaluationError where its weights cannot be had.
    """
    match params.extractor:
        case "classifier":
            from ganops.evaluation.extractors.classifier import load_classifier
            from ganops.evaluation.validation_reference import VALIDATION

            return load_classifier(folder / VALIDATION, device)
        case "inception-v3":
            from ganops.evaluation.extractors.inception import load_inception

            return load_inception(params.weights, params.resize, device)
        case "efficientnet-lite0":
            from ganops.evaluation.extractors.efficientnet import EfficientNetLite0

            return EfficientNetLite0(params.resize, device)
        case "custom":
            from ganops.evaluation.extractors.custom import Custom

            return Custom(params.custom or "", device)
