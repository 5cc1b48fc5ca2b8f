"""A person's own feature extractor: a TorchScript file, or a callable that returns a torch module."""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from ganops.errors import EvaluationError
from ganops.evaluation.extractors.extractor import FeatureExtractor, digest_of
from ganops.evaluation.resize import as_rgb
from ganops.networks.weight_files import sha256_of


class Custom(FeatureExtractor):
    """The module takes images (n, 3, H, W), values 0..255, at their own size, and does all preprocessing itself.

    It returns features (n, d), or features and logits (n, k); without logits the inception score is left out.
    """

    name = "custom"
    resize = "none"

    def __init__(self, where: str, device: torch.device | str = "cpu") -> None:
        module, self.weights_digest = _load_script(Path(where)) if Path(where).is_file() else _load_callable(where)
        self.where = where
        super().__init__(module, device)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See FeatureExtractor; raises EvaluationError when the module returns anything but features."""
        given = self.network(as_rgb(images))
        features, logits = given if isinstance(given, tuple) else (given, None)
        for what, rows in (("features", features), ("logits", logits)):
            if rows is not None and (not isinstance(rows, Tensor) or rows.ndim != 2 or len(rows) != len(images)):
                raise EvaluationError(
                    f"the extractor {self.where} returned {what} of the wrong form",
                    code="wrong-features",
                    expected=f"({len(images)}, d)",
                    found=str(tuple(rows.shape)) if isinstance(rows, Tensor) else type(rows).__name__,
                )
        return features, features.new_empty(len(images), 0) if logits is None else logits


def _load_script(path: Path) -> tuple[nn.Module, str]:
    try:
        return torch.jit.load(str(path), map_location="cpu"), sha256_of(path)
    except RuntimeError as error:
        raise EvaluationError(
            f"{path} is not a TorchScript file",
            code="not-torchscript",
            found=str(error).splitlines()[0],
            action="save it with torch.jit.script(module).save(path)",
        ) from error


def _load_callable(where: str) -> tuple[nn.Module, str]:
    name, _, attribute = where.partition(":")
    if not (name and attribute):
        raise EvaluationError(
            f"evaluate.custom: '{where}' does not exist",
            code="unknown-extractor",
            expected="a TorchScript file, or module:callable",
            action="check the path",
        )
    if str(Path.cwd()) not in sys.path:  # a file next to params.yaml is meant, as with `python -m`
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = getattr(importlib.import_module(name), attribute)()
    except (ImportError, AttributeError) as error:
        raise EvaluationError(
            f"evaluate.custom: '{where}' cannot be imported", code="not-importable", found=str(error)
        ) from error
    if not isinstance(module, nn.Module):
        raise EvaluationError(
            f"evaluate.custom: '{where}' did not return a torch module",
            code="not-a-module",
            expected="torch.nn.Module",
            found=type(module).__name__,
        )
    weights = digest_of(module.state_dict())
    return module, hashlib.sha256(f"{where} {weights}".encode()).hexdigest()
