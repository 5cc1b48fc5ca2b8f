"""The registered model as MLflow runs it: requests in, PNG images out.

MLflow keeps a copy of this file with the model, together with the ganops source of that day, and runs it by path; so it
stands alone, and old versions go on working when ganops moves on.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import torch
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel
from PIL import Image

from ganops.games.game import Game
from ganops.games.sampling import sample_images
from ganops.games.saved import load_description, load_game

MOST_IMAGES = 10_000


class ServedGenerator(PythonModel):  # type: ignore[misc]  # mlflow gives no types to inherit from
    """Images on request.

    Input, one row per wish: `n` (how many images, at least 1) and optionally `label` (name of a class, for models that
    make classes). Param `seed` (0 or more): the same seed and rows give the same images.
    Output, one row per image: `png` (base64 of an 8-bit PNG of image_size x image_size pixels, values 0..255, grey or
    RGB), `label` (name of its class, or null) and `image_size`. A model of vectors gives `values`, a list of numbers,
    in place of `png` and `image_size`.
    """

    game: Game
    classes: tuple[str, ...]

    def load_context(self, context: Any) -> None:
        """Build the networks and fill them; `device` in the model config is `cpu` unless it says otherwise."""
        folder = Path(context.artifacts["model"])
        description = load_description(folder)
        self.game = load_game(folder, (context.model_config or {}).get("device", "cpu"))
        self.classes = description.spec.classes if self.game.class_count else ()

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Answer all rows of `model_input` with images drawn from one seed."""
        wishes = [self._wish(row) for row in model_input.to_dict(orient="records")]
        labels = [label for wish in wishes for label in wish]
        if not 0 < len(labels) <= MOST_IMAGES:
            raise refused(f"1 to {MOST_IMAGES} images in one request, not {len(labels)}")
        seed = int((params or {}).get("seed", 0))
        if not 0 <= seed < 2**31:
            raise refused(f"a seed is a whole number from 0 to 2^31 - 1, not {seed}")
        wanted = torch.tensor(labels) if self.classes else None
        batches = sample_images(self.game, len(labels), seed, labels=wanted)
        samples = torch.cat(list(batches)).numpy()
        names = [self.classes[label] for label in labels] if self.classes else None
        if samples.shape[2:] == (1, 1):
            return pd.DataFrame({"values": samples[:, :, 0, 0].astype(float).tolist(), "label": names})
        pictures = [encode_png(sample) for sample in samples]
        return pd.DataFrame({"png": pictures, "label": names, "image_size": samples.shape[-1]})

    def _wish(self, row: Mapping[Hashable, Any]) -> list[int]:
        """The label of each image that one row asks for; without a label, the classes in turn."""
        count, name = int(row["n"]), row.get("label")
        if count < 1:
            raise refused(f"n is at least 1, not {count}")
        if name is None or name != name or name == "":
            return [index % max(1, len(self.classes)) for index in range(min(count, MOST_IMAGES + 1))]
        if not self.classes:
            raise refused(f"this model makes no classes; leave out the label '{name}'")
        if name not in self.classes:
            raise refused(f"there is no class '{name}'; there are: {', '.join(self.classes)}")
        return [self.classes.index(name)] * min(count, MOST_IMAGES + 1)


def encode_png(image: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    """Base64 of the PNG of one (C, H, W) uint8 image."""
    buffer = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def refused(message: str) -> MlflowException:
    """The error that a server answers with status 400."""
    return MlflowException.invalid_parameter_value(message)


mlflow.models.set_model(ServedGenerator())
