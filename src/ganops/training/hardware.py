"""Where training runs and in which precision: chosen once and recorded."""

from __future__ import annotations

import os
import platform
import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from ganops.data.fields.field import Schema
from ganops.devices import find_device
from ganops.errors import TrainingError
from ganops.params import TrainParams

# Steps on a GPU from which compilation should have paid for its warm-up: an estimate, not a measurement. On a CPU it
# never does: DCGAN at 32 x 32 runs at 0.7 times its speed when compiled (docs/measurements/training-speed.md).
COMPILE_STEPS = 2_000


@dataclass(frozen=True)
class Hardware:
    """Device, precision, whether networks are compiled, whether whole steps are captured."""

    device: torch.device
    precision: torch.dtype
    compiled: bool
    graphs: bool = False

    @property
    def precision_name(self) -> str:
        """`float32` or `bfloat16`."""
        return str(self.precision).removeprefix("torch.")

    @property
    def device_name(self) -> str:
        """The GPU's name, or the CPU with its number of threads."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        if self.device.type == "mps":
            return f"mps, {platform.machine()}"
        return f"cpu, {torch.get_num_threads()} threads"

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which a player's turn computes: matrix products in `precision`, weights in float32."""
        if self.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.precision)


def choose_hardware(params: TrainParams, steps: int, fields: Schema) -> Hardware:
    """Resolve `auto`: a GPU where there is one, bfloat16 where the device computes in it, compilation where it pays.

    fields: of the data. bfloat16 keeps 8 bits of a number: enough for uint8, too few for data stored as floats.
    Raises SettingsError for a device that is not there, TrainingError for other things asked for that are missing.
    """
    device = find_device(params.device)
    if device.type == "mps" and params.processes > 1:
        if params.device == "mps":
            raise TrainingError(
                "several processes cannot train together on mps",
                code="mps-processes",
                action="set train.processes: 1, or train.device: cpu",
            )
        device = torch.device("cpu")
    coarse = not any(field.storage.is_floating_point for field in fields.values())
    wants_bfloat16 = params.precision == "bfloat16" or (
        params.precision == "auto" and coarse and computes_bfloat16(device)
    )
    if params.compile == "always" and not can_compile(device):
        raise TrainingError(
            "train.compile is 'always', but there is no compiler",
            code="no-compiler",
            action="install gcc and g++, or set train.compile: auto in params.yaml",
        )
    pays = params.compile == "auto" and device.type == "cuda" and steps >= COMPILE_STEPS
    if pays and not can_compile(device):
        print("networks are not compiled: there is no C compiler", flush=True)
        pays = False
    precision = torch.bfloat16 if wants_bfloat16 else torch.float32
    compiled = params.compile == "always" or pays
    # Captured steps are proven bit for bit, which takes deterministic algorithms. Compiled CPU code bypasses recording.
    captures = device.type == "cuda" or (device.type == "cpu" and not compiled)
    graphs = params.graphs == "auto" and params.deterministic and captures
    return Hardware(device, precision, compiled, graphs)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 matrix products are done in hardware: Ampere and later, a CPU with AMX or AVX-512 BF16.

    Of Apple's GPUs only later ones do, and torch does not say which.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "mps":
        return False
    can = torch.cpu.get_capabilities()
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))


def can_compile(device: torch.device) -> bool:
    """Whether torch.compile has the compiler it needs: one of C++ for a CPU, one of C (Triton's) for a GPU."""
    compilers = ("gcc", "clang", "cc") if device.type == "cuda" else ("g++", "clang++", "c++")
    return any(shutil.which(compiler) for compiler in compilers)


def make_deterministic(device: torch.device) -> None:
    """Choose algorithms that give the same bits in every run; an operation that has none only warns."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    # A debugging aid that fills all new tensors, and so writes all memory twice.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyrefly: ignore[missing-attribute]  # stub lacks it
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        # Read when cuBLAS is first used: with workspaces of a fixed size sums are always in the same order.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
