"""Captures steps on a CPU: torch operations, recorded once and repeated without modules, autograd and autocast."""

from __future__ import annotations

import operator
from collections.abc import Callable, MutableMapping
from typing import Any

import torch
from torch import Tensor, fx
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.weak import WeakTensorKeyDictionary

from ganops.training.graphs.captured_steps import Work
from ganops.training.step import StepOutput


class CpuRecorder:
    """Records the operations of one thread."""

    def run(self, work: Work) -> StepOutput:
        """Run eagerly."""
        return work()

    def record(self, work: Work) -> tuple[StepOutput, Callable[[], None]]:
        """Run the work and record it. Raises RuntimeError where an operation depends on computed values."""
        with _Recording() as recording:
            output = work()
        places = output.tensors()
        reoutput = recording.function_of(places)

        def replay() -> None:
            with torch.inference_mode():
                for place, value in zip(places, reoutput(), strict=True):
                    place.copy_(value)

        return output, replay


class _Recording(TorchDispatchMode):
    """Records operations as a graph of torch.fx while they run."""

    def __init__(self) -> None:
        super().__init__()
        self._graph = fx.Graph()
        self._nodes: MutableMapping[Tensor, fx.Node] = WeakTensorKeyDictionary()
        self._given: dict[str, Tensor] = {}  # tensors that existed before: weights, moments, the batch

    def function_of(self, tensors: list[Tensor]) -> Callable[[], tuple[Tensor, ...]]:
        """A function that repeats all operations and returns what these tensors then are."""
        self._graph.output(tuple(self._node(tensor) for tensor in tensors))
        function: Callable[[], tuple[Tensor, ...]] = fx.GraphModule(self._given, self._graph).forward
        return function

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        kwargs = kwargs or {}
        if func.namespace == "profiler":  # annotations, made by optimisers
            return func(*args, **kwargs)
        _check(func, args)
        node_args, node_kwargs = tree_map_only(Tensor, self._node, (args, kwargs))
        found = func(*args, **kwargs)
        node = self._graph.call_function(func, node_args, node_kwargs)
        if isinstance(found, Tensor):
            self._nodes.setdefault(found, node)  # an in-place operation returns a known tensor
        elif isinstance(found, (list, tuple)):
            for index, part in enumerate(found):
                if isinstance(part, Tensor) and part not in self._nodes:
                    self._nodes[part] = self._graph.call_function(operator.getitem, (node, index))
        return found

    def _node(self, tensor: Tensor) -> fx.Node:
        if tensor not in self._nodes:
            name = f"given_{len(self._given)}"
            self._given[name] = tensor
            self._nodes[tensor] = self._graph.get_attr(name)
        return self._nodes[tensor]


def _check(func: OpOverload, args: tuple[Any, ...]) -> None:
    """Raise RuntimeError for values read back into Python, and for shapes that depend on computed values."""
    reads = torch.Tag.data_dependent_output in func.tags
    if func is torch.ops.aten.index.Tensor:
        shapes = any(isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in args[1])
    else:
        shapes = torch.Tag.dynamic_output_shape in func.tags
    if reads or shapes:
        raise RuntimeError(f"the result of {func} depends on computed values")
