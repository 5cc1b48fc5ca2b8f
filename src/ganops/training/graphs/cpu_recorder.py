"""Rounds recorded on a CPU: torch's operations, noted once and done again without all that leads up to them.

Modules, autograd and autocast take their time in every round, to come to the same operations on the same tensors each
time. A replay does these one after the other and lets go of each tensor after its last use. What that gives is in
docs/benchmarks.md.
"""

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

from ganops.training.graphs.captured_steps import StepOutput


class CpuRecorder:
    """Records what one thread asks of torch."""

    def run(self, work: Callable[[], StepOutput]) -> StepOutput:
        """Do the work as ever."""
        return work()

    def record(self, work: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        """Do the work and note it down. Raises RuntimeError where what is done depends on what the work computes."""
        with _Noting() as noting:
            played = work()
        places = played.tensors()
        replayed = noting.function_of(places)

        def replay() -> None:
            with torch.inference_mode():
                for place, value in zip(places, replayed(), strict=True):
                    place.copy_(value)

        return played, replay


class _Noting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    """Notes operations as a graph of torch.fx while they are done."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._graph = fx.Graph()
        self._nodes: MutableMapping[Tensor, fx.Node] = WeakTensorKeyDictionary()
        self._given: dict[str, Tensor] = {}  # what was there before: weights, moments, the batch

    def function_of(self, tensors: list[Tensor]) -> Callable[[], tuple[Tensor, ...]]:
        """What does all of it again, and gives what these tensors then are."""
        self._graph.output(tuple(self._node(tensor) for tensor in tensors))
        function: Callable[[], tuple[Tensor, ...]] = fx.GraphModule(self._given, self._graph).forward
        return function

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        kwargs = kwargs or {}
        if func.namespace == "profiler":  # marks for people, made by optimisers
            return func(*args, **kwargs)
        _check(func, args)
        noted_args, noted_kwargs = tree_map_only(Tensor, self._node, (args, kwargs))
        found = func(*args, **kwargs)
        node = self._graph.call_function(func, noted_args, noted_kwargs)
        if isinstance(found, Tensor):
            self._nodes.setdefault(found, node)  # it has one already where an operation works in place
        elif isinstance(found, list | tuple):
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
    """Raise RuntimeError for numbers read back into Python, and for shapes that depend on what was computed."""
    reads = torch.Tag.data_dependent_output in func.tags
    if func is torch.ops.aten.index.Tensor:
        shapes = any(isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in args[1])
    else:
        shapes = torch.Tag.dynamic_output_shape in func.tags
    if reads or shapes:
        raise RuntimeError(f"what {func} gives is known only when it is done")
