"""The fastest device there is is taken, and each by its name."""

from __future__ import annotations

import pytest
import torch

from ganops import devices
from ganops.devices import find_device, in_float64
from ganops.errors import SettingsError, TrainingError
from ganops.params import TrainParams
from ganops.training import hardware


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose GPU is Apple's."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)


@pytest.mark.usefixtures("apple")
def test_apples_gpu_is_a_device_like_the_others() -> None:
    assert devices.devices() == ["mps", "cpu"]
    assert find_device() == find_device("mps") == torch.device("mps")
    assert find_device("cpu") == torch.device("cpu")


@pytest.mark.usefixtures("two_gpus")
def test_of_several_gpus_the_current_one_is_taken() -> None:
    assert find_device() == find_device("cuda") == torch.device("cuda", 1)
    assert find_device("cuda:0") == torch.device("cuda", 0)
    with pytest.raises(SettingsError) as error:
        find_device("cuda:2")
    assert (error.value.code, error.value.expected) == ("no-device", "cuda, cpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "gpu", "meta", ""])
def test_a_device_that_is_not_there_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError) as error:
        find_device(name)
    assert (error.value.code, error.value.expected, error.value.found) == ("no-device", "cpu", name)


@pytest.mark.usefixtures("apple")
def test_training_on_apples_gpu_leaves_out_what_it_lacks() -> None:
    """bfloat16 only where it is asked for; no graphs, no compilation."""
    chosen = hardware.choose_hardware(TrainParams(), hardware.COMPILE_STEPS, {})
    assert (chosen.device.type, chosen.precision, chosen.compiled, chosen.graphs) == (
        "mps",
        torch.float32,
        False,
        False,
    )
    assert chosen.device_name.startswith("mps")
    assert hardware.choose_hardware(TrainParams(precision="bfloat16"), 1, {}).precision == torch.bfloat16


@pytest.mark.usefixtures("apple")
def test_several_processes_train_on_the_cpu_where_the_gpu_is_apples() -> None:
    assert hardware.choose_hardware(TrainParams(processes=2), 1, {}).device.type == "cpu"
    with pytest.raises(TrainingError) as error:
        hardware.choose_hardware(TrainParams(processes=2, device="mps"), 1, {})
    assert error.value.code == "mps-processes"


@pytest.mark.usefixtures("two_gpus")
def test_without_a_c_compiler_networks_are_not_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (9, 0))
    with_compiler = hardware.choose_hardware(TrainParams(), hardware.COMPILE_STEPS, {})
    monkeypatch.setattr(hardware.shutil, "which", lambda _name: None)
    without = hardware.choose_hardware(TrainParams(), hardware.COMPILE_STEPS, {})
    assert (with_compiler.compiled, without.compiled) == (True, False)
    assert capsys.readouterr().out == "networks are not compiled: there is no C compiler\n"


def test_float64_is_on_the_cpu_where_the_device_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("meta",))
    with pytest.raises(NotImplementedError, match="meta"):  # the numbers of this one cannot be copied anywhere
        in_float64(torch.ones(2, device="meta"))
    assert in_float64(torch.ones(2)).dtype == torch.float64
