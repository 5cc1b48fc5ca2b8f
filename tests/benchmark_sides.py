"""Sides of a benchmark that count, for child processes to import."""

from __future__ import annotations

import os

import torch

from benchmarks.own_process import Play


def counting(start: int) -> tuple[Play, str]:
    """A side that gives what it started with, its rounds added; its name is its process and its number of threads."""
    return lambda rounds: float(start + rounds), f"{os.getpid()} {torch.get_num_threads()}"


def dying() -> tuple[Play, str]:
    """A side that ends in its first round."""
    return lambda _rounds: os._exit(1), "dying"
