"""The backbone that params.yaml asks for."""

from __future__ import annotations

from pathlib import Path

import torch

from ganops.evaluation.backbones.backbone import Backbone
from ganops.params import EvaluateParams


def load_backbone(params: EvaluateParams, folder: Path, device: torch.device | str = "cpu") -> Backbone:
    """The backbone of `params.backbone`; `folder` is the reference, which holds the classifier.

    Only the chosen one's libraries are imported. Raises EvaluationError where its weights cannot be had.
    """
    match params.backbone:
        case "classifier":
            from ganops.evaluation.backbones.classifier import load_classifier
            from ganops.evaluation.light_reference import LIGHT

            return load_classifier(folder / LIGHT, device)
        case "inception-v3":
            from ganops.evaluation.backbones.inception import load_inception

            return load_inception(params.weights, params.resize, device)
        case "efficientnet-lite0":
            from ganops.evaluation.backbones.efficientnet import EfficientNetLite0

            return EfficientNetLite0(params.resize, device)
        case "custom":
            from ganops.evaluation.backbones.custom import Custom

            return Custom(params.custom or "", device)
