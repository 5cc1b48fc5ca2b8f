"""Sides of a benchmark that count, for child processes to import."""

from __future__ import annotations

import os

import torch

from benchmarks.own_process import Measure


def counting(start: int) -> tuple[Measure, str]:
    """A side that gives what it started with, its steps added; its name is its process and its number of threads."""
    return lambda steps: float(start + steps), f"{os.getpid()} {torch.get_num_threads()}"


def dying() -> tuple[Measure, str]:
    """A side that dies in its first step."""
    return lambda _steps: os._exit(1), "dying"
