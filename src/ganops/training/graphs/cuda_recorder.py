"""Captures steps as CUDA graphs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch

from ganops.training.graphs.captured_steps import Work
from ganops.training.step import StepOutput


class CudaRecorder:
    """CUDA graphs that share one stream and one pool of memory."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()
        self._pool = torch.cuda.graph_pool_handle()

    def run(self, work: Work) -> StepOutput:
        """Run on the stream that captures; a capture needs its libraries initialised there."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            found = work()
        torch.cuda.current_stream().wait_stream(self._stream)
        return found

    def record(self, work: Work) -> tuple[StepOutput, Callable[[], None]]:
        """Capture the work; none of it runs before the first replay.

        Not by `torch.cuda.graph`: its default error mode forbids other threads to pin memory meanwhile, as prefetching
        does, and after a failed capture it leaves the capture stream current, the allocator in capture mode and the
        random generators unusable.
        """
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        with torch.cuda.stream(self._stream):
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                found = work()
            except BaseException:
                with contextlib.suppress(RuntimeError):
                    graph.capture_end()
                self._recover()
                raise
            try:
                graph.capture_end()
            except RuntimeError:
                self._recover()
                raise
        return found, graph.replay

    def _recover(self) -> None:
        """Undo what `capture_end` skips when it fails."""
        device = torch.cuda.current_device()
        with contextlib.suppress(RuntimeError):
            torch._C._cuda_endAllocateToPool(device, self._pool)
        generator = torch.cuda.default_generators[device]
        generator.graphsafe_set_state(generator.clone_state())
        self._pool = torch.cuda.graph_pool_handle()
