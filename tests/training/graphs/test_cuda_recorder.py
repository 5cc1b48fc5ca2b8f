"""On a GPU: a failed capture leaves the device usable, and data streamed from the host do not disturb captures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_training import make_trainer, run, shrunk, weights

from ganops.training import batches
from ganops.training.batches import StreamedRows
from ganops.training.graphs.captured_steps import CapturedSteps
from ganops.training.graphs.cuda_recorder import CudaRecorder
from ganops.training.step import StepOutput

pytestmark = pytest.mark.gpu


def test_after_a_failed_capture_everything_works() -> None:
    """The stream, random numbers, memory, and the next capture."""
    recorder, numbers = CudaRecorder(), torch.ones(8, device="cuda")
    stream = torch.cuda.current_stream()

    def reads_back() -> StepOutput:
        noise = torch.randn(8, device="cuda")
        return StepOutput([{"loss": numbers * float(noise.sum())}], None)

    def doubles() -> StepOutput:
        return StepOutput([{"loss": numbers * 2 + torch.randn(8, device="cuda") * 0}], None)

    for _ in range(2):
        with pytest.raises(RuntimeError):
            recorder.record(reads_back)
        assert torch.cuda.current_stream() == stream
        assert torch.isfinite(torch.randn(1000, device="cuda")).all()
    recorder.run(doubles)
    output, replay = recorder.record(doubles)
    numbers.fill_(3)
    replay()
    assert output.values[0]["loss"].tolist() == [6.0] * 8


def test_streamed_data_are_captured_and_train_as_resident_data_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker pins memory while a step is captured."""
    recipe = shrunk("dcgan", kimg=0.48)
    resident = run(make_trainer(tmp_path / "resident", recipe, device="cuda"))
    monkeypatch.setattr(batches, "RESIDENT_SHARE", 0.0)
    streamed = make_trainer(tmp_path / "streamed", recipe, device="cuda")
    assert isinstance(streamed.batches.source, StreamedRows)
    run(streamed)
    assert isinstance(streamed.stepper.capture, CapturedSteps)
    assert streamed.stepper.capture.proven, streamed.stepper.capture.refused
    wanted, found = weights(resident), weights(streamed)
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)
