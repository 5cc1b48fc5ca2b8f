"""What a smoke test looks at; a program of its own: `python smoke_check.py models:/NAME/VERSION`.

It imports nothing of ganops, so that the source which the model carries is what runs, as it does when it is served.
"""

from __future__ import annotations

import base64
import io
import sys

import mlflow
import numpy as np
import pandas as pd
import torch
from PIL import Image

COUNT = 8


def complaint(uri: str) -> str:
    """What is wrong with the model at `uri`; empty when it gives images of the promised shape that are no two alike."""
    model = mlflow.pyfunc.load_model(uri)
    state = model.unwrap_python_model().game.state_dict()
    broken = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if broken:
        return f"the weights {', '.join(broken[:3])} hold numbers that are not finite"
    answer = model.predict(pd.DataFrame({"n": [COUNT]}), params={"seed": 1})
    channels, height, width = model.metadata.metadata["image_shape"]
    if (height, width) == (1, 1):
        images = [np.asarray(values) for values in answer["values"]]
        shape: tuple[int, ...] = (channels,)
    else:
        images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(png)))) for png in answer["png"]]
        shape = (height, width) if channels == 1 else (height, width, channels)
    shapes = {image.shape for image in images}
    if len(images) != COUNT or shapes != {shape}:
        return f"asked for {COUNT} images of {shape}, it gives {len(images)} of {sorted(shapes)}"
    if any(image.min() == image.max() for image in images):
        return "an image has the same value everywhere"
    if all((image == images[0]).all() for image in images):
        return "all images are one and the same"
    return ""


if __name__ == "__main__":
    try:
        sys.exit(complaint(sys.argv[1]) or 0)
    except Exception as error:  # whatever a model does wrong when it is loaded is what this test is for
        sys.exit(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
