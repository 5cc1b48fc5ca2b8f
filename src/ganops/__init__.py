"""ganops: train, evaluate, compare and promote generative adversarial networks.

The public interface, imported when it is first used:

    model = ganops.load("models:/ganops-digits-image@champion")   # or a model folder, or the name of a trained recipe
    pictures = model.generate(n=16, seed=7).pictures()
    scores = ganops.evaluate("samples/", "real/")
    recipes = ganops.recipes()
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganops.api import Generated, Model, evaluate, load, recipes

# Read when torch is imported: operations that Apple's GPUs lack run on the CPU.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__version__ = "0.1.0"
__all__ = ["Generated", "Model", "evaluate", "load", "recipes"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(importlib.import_module("ganops.api"), name)
    raise AttributeError(f"module 'ganops' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
