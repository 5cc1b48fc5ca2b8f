"""Generated rows as the body of an answer: JSON, one PNG, a zip of files, or an array."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganops.api import Generated
from ganops.data.fields.pictures import to_png
from ganops.data.rows import Rows
from ganops.errors import DataError
from ganops.serving.request import Format, GenerateRequest, Prepared
from ganops.serving.served import Served

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "png": "image/png",
    "zip": "application/zip",
    "npy": "application/x-npy",
}
CONTENTS = "answer.json"  # in a zip


@dataclass(frozen=True)
class Answer:
    """The body of an answer and its media type."""

    body: bytes
    media_type: str


def answer(served: Served, request: GenerateRequest, prepared: Prepared, outputs: Rows) -> Answer:
    """The answer in the form that was asked for; raises DataError for a picture of what cannot be drawn.

    outputs: stored rows of all outputs of the task.
    """
    generated = Generated(outputs, prepared.task.outputs, prepared.inputs)
    bodies = {"json": _json, "png": _png, "zip": _zip, "npy": _npy}
    return Answer(bodies[request.format](served, request, prepared, generated), MEDIA_TYPES[request.format])


def _json(served: Served, request: GenerateRequest, prepared: Prepared, generated: Generated) -> bytes:
    return _dump(_about(served, request, prepared) | {"rows": _records(prepared, generated)})


def _png(_served: Served, request: GenerateRequest, prepared: Prepared, generated: Generated) -> bytes:
    grid = generated.grid(request.columns)
    if grid is None:
        raise DataError(
            "the outputs of this model cannot be drawn",
            code="no-picture",
            found=", ".join(field.description for field in prepared.task.outputs.values()),
            action="ask for json or npy",
        )
    return to_png(grid)


def _zip(served: Served, request: GenerateRequest, prepared: Prepared, generated: Generated) -> bytes:
    """A PNG for each row that can be seen, and a JSON file with everything else."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # stored, not compressed: PNG is compressed already
        for index, picture in enumerate(generated.pictures()):
            archive.writestr(f"{index:04}.png", to_png(picture))
        others = {name: field for name, field in generated.schema.items() if field.wire_form != "picture"}
        rows = _records(prepared, Generated(generated.rows, others, generated.inputs))
        archive.writestr(CONTENTS, _dump(_about(served, request, prepared) | {"rows": rows}))
    return file.getvalue()


def _npy(_served: Served, _request: GenerateRequest, _prepared: Prepared, generated: Generated) -> bytes:
    """The stored form of the first output, (n, ...); images are uint8 (n, C, H, W)."""
    file = io.BytesIO()
    np.save(file, generated.rows[next(iter(generated.schema))].numpy(), allow_pickle=False)
    return file.getvalue()


def _about(served: Served, request: GenerateRequest, prepared: Prepared) -> dict[str, Any]:
    return {"model": served.name, "recipe": served.recipe, "task": prepared.task_name, "seed": request.seed}


def _records(prepared: Prepared, generated: Generated) -> list[dict[str, Any]]:
    """One mapping per row: its outputs, and the classes that it was to be of."""
    records = generated.records() if generated.schema else [{} for _ in range(len(generated))]
    for name, field in prepared.task.inputs.items():
        if field.wire_form == "class" and prepared.inputs is not None:
            for record, value in zip(records, field.encode(prepared.inputs[name]), strict=True):
                record.setdefault(name, value)
    return records


def _dump(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
