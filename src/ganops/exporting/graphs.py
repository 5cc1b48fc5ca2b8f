"""A task as a graph without Python: PyTorch's own .pt2, or ONNX. Every file is checked against the model."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from ganops.atomic import atomic_path
from ganops.errors import ModelError
from ganops.exporting.module import TaskModule, Tensors, check_parity

ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
LACKING = re.compile(r"No ONNX function found for <OpOverload\(op='([^']+)'")  # in the text of the exporter's error
DESCRIPTION = "ganops.json"  # in a .pt2 file, and the key of ONNX's metadata without the ending


def export_pt2(module: TaskModule, path: Path) -> float:
    """Write a program for torch.export.load; the largest difference of its outputs from the model's."""
    program = _program(module)
    with atomic_path(path) as temporary, _quiet():
        content = io.BytesIO()  # torch's own writer of files ends the process where the disk is full
        torch.export.save(program, content, extra_files={DESCRIPTION: describe(module)})
        temporary.write_bytes(content.getbuffer())
        loaded = torch.export.load(temporary).module()
        with torch.no_grad():
            return check_parity(module, lambda given: tuple(loaded(*given)), "program")


def export_onnx(module: TaskModule, path: Path) -> float:
    """Write an ONNX model; the largest difference of onnxruntime's outputs from the model's.

    Raises ModelError where the packages of the extra `export` are missing, and for networks that ONNX cannot express.
    """
    missing = [name for name in ONNX_PACKAGES if find_spec(name) is None]
    if missing:
        raise ModelError(
            "exporting to ONNX takes packages that are not installed",
            code="missing-extra",
            expected=", ".join(ONNX_PACKAGES),
            found=f"missing: {', '.join(missing)}",
            action='install the extra `export`: make env EXTRAS=export, or pip install "ganops[export]"',
        )
    with _quiet(), atomic_path(path) as temporary:
        made = _onnx_program(module)
        made.model.metadata_props["ganops"] = describe(module)
        made.save(temporary)
        return check_parity(module, _runtime(temporary, module), "ONNX model")


def _onnx_program(module: TaskModule) -> torch.onnx.ONNXProgram:
    """Raises ModelError where the networks compute something that ONNX does not have."""
    try:
        made = torch.onnx.export(
            _program(module),
            input_names=list(module.inputs),
            output_names=list(module.output_names),
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        lacking = LACKING.search(str(error))
        raise ModelError(
            "this model cannot be written as ONNX",
            code="export-failed",
            found=f"{lacking[1]}, which ONNX does not have" if lacking else type(error).__name__,
            action="take --format pt2, which holds whatever PyTorch computes",
        ) from error
    assert made is not None, "with dynamo it is a program"
    return made


def describe(module: TaskModule) -> str:
    """JSON that says what the tensors are: names in order, what each holds, and of which type and shape it is."""
    task, given = module.task, module.example()
    fields = {name: field.description for name, field in task.inputs.items()}
    made = dict(zip(module.output_names, (field.description for field in task.outputs.values()), strict=True))
    latents = {name: f"{field.shape[0]} standard normal numbers" for name, field in task.latents.items()}
    with torch.no_grad():
        tensors = zip((*module.inputs, *module.output_names), (*given, *module(*given)), strict=True)
    return json.dumps(
        {
            "task": module.name,
            "inputs": module.inputs,
            "outputs": module.output_names,
            "fields": fields | latents | made,
            "tensors": {name: _form(tensor) for name, tensor in tensors},
        }
    )


def _form(tensor: Tensor) -> str:
    """Type and shape of any number of rows: float32 (N, 3, 32, 32)."""
    sizes = ", ".join(["N", *map(str, tensor.shape[1:])])
    return f"{str(tensor.dtype).removeprefix('torch.')} ({sizes})"


def _program(module: TaskModule) -> ExportedProgram:
    """The traced task, for any number of rows."""
    rows = Dim("rows", min=1)
    given = module.example()
    with _quiet(), torch.no_grad():
        return torch.export.export(module, given, dynamic_shapes=(tuple({0: rows} for _ in given),))


def _runtime(path: Path, module: TaskModule) -> Callable[[Tensors], Tensors]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(given: Tensors) -> Tensors:
        fed = {name: tensor.numpy() for name, tensor in zip(module.inputs, given, strict=True)}
        return tuple(torch.from_numpy(each) for each in session.run(list(module.output_names), fed))

    return run


@contextmanager
def _quiet() -> Generator[None]:
    """Exporters warn of their own future; what matters is checked."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
