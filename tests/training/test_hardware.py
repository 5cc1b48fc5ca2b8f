"""Precision is chosen by what the device computes in and by how fine the data are."""

from __future__ import annotations

import pytest
import torch

from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.params import TrainParams
from ganops.training import hardware
from ganops.training.hardware import choose_hardware

IMAGES, POINTS = {"image": ImageField(channels=1, size=8)}, {"vector": VectorField(size=2)}


def test_auto_takes_bfloat16_for_images_and_never_for_finer_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "computes_bfloat16", lambda _device: True)
    auto = TrainParams(device="cpu", compile="never")
    assert choose_hardware(auto, 10, IMAGES).precision == torch.bfloat16
    assert choose_hardware(auto, 10, POINTS).precision == torch.float32


def test_what_a_person_asks_for_is_taken_for_any_data() -> None:
    asked = TrainParams(device="cpu", compile="never", precision="bfloat16")
    assert choose_hardware(asked, 10, POINTS).precision == torch.bfloat16


@pytest.mark.parametrize(
    ("capabilities", "computes"),
    [
        ({"amx_bf16": True}, True),
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx2": True}, False),
        ({}, False),
    ],
)
def test_a_cpu_computes_bfloat16_in_tiles_or_vectors(
    capabilities: dict[str, bool], computes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert hardware.computes_bfloat16(torch.device("cpu")) == computes


def test_steps_are_captured_where_a_captured_step_can_be_proven() -> None:
    """Compiled CPU code bypasses torch's dispatcher; without determinism nothing can be compared."""
    auto = TrainParams(device="cpu", compile="never")
    assert choose_hardware(auto, 10, IMAGES).graphs
    for change in ({"graphs": "never"}, {"deterministic": False}, {"compile": "always"}):
        assert not choose_hardware(auto.model_copy(update=change), 10, IMAGES).graphs
