"""Optimisers, and how their learning rates and betas move over time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ganops.recipe import OptimizerSettings
from ganops.schedules import between


class _InMemoryOrder(torch.optim.Adam):
    """Adam that passes every tensor to its fused step in the order of its memory.

    The fused step ignores strides: on a CPU it copies each channels-last gradient needlessly, and it misreads a
    gradient whose memory order differs from its parameter's.
    """

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        exp_avgs: list[Tensor],
        exp_avg_sqs: list[Tensor],
        max_exp_avg_sqs: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        moments = exp_avgs, exp_avg_sqs, max_exp_avg_sqs
        has_complex: bool = super()._init_group(group, params_with_grad, grads, *moments, state_steps)
        for index, parameter in enumerate(params_with_grad):
            if not parameter.is_contiguous():
                order = sorted(range(parameter.dim()), key=parameter.stride, reverse=True)
                for tensors in (params_with_grad, grads, *filter(None, moments)):
                    tensors[index] = tensors[index].permute(order)
            grads[index] = grads[index].contiguous()
        return has_complex


class Adam(_InMemoryOrder):
    """Kingma & Ba 2014, arXiv:1412.6980."""


class AdamW(_InMemoryOrder, torch.optim.AdamW):
    """Loshchilov & Hutter 2017, arXiv:1711.05101."""


def make_optimizer(
    settings: OptimizerSettings, parameters: Iterable[nn.Parameter], device: torch.device
) -> torch.optim.Optimizer:
    """The optimiser a recipe asks for, fused into one kernel per step where torch has that.

    Everything that a step reads is a tensor where it can be, the learning rate too, so that a captured step follows it;
    on mps, where nothing is captured, it is a number.
    """
    chosen, rate, on_cuda = list(parameters), settings.lr, device.type == "cuda"
    decay, betas, eps = settings.weight_decay, settings.betas, settings.eps
    lr: float | Tensor = rate
    if device.type in ("cuda", "cpu"):
        lr = torch.tensor(rate, dtype=torch.float32 if on_cuda else torch.float64, device=device)
    plain = lr if on_cuda else rate  # for RMSprop and SGD, which on a CPU would read a tensor back
    if settings.kind == "adam":
        return Adam(chosen, lr, betas, eps, decay, capturable=on_cuda, fused=True)
    if settings.kind == "adamw":
        return AdamW(chosen, lr, betas, eps, decay, capturable=on_cuda, fused=True)
    if settings.kind == "rmsprop":
        return torch.optim.RMSprop(chosen, plain, alpha=betas[1], eps=eps, weight_decay=decay, capturable=on_cuda)
    return torch.optim.SGD(chosen, plain, momentum=betas[0], weight_decay=decay, fused=on_cuda)


def lr_factor(settings: OptimizerSettings, kimg: float, budget_kimg: float) -> float:
    """The factor of the learning rate after `kimg` of `budget_kimg`: warm-up times schedule."""
    warmup = min(1.0, kimg / settings.warmup_kimg) if settings.warmup_kimg else 1.0
    if settings.schedule == "constant":
        return warmup
    if settings.schedule == "steps":
        return warmup * float(settings.drop ** sum(kimg >= drop for drop in settings.drops))
    progress = _progress(settings, kimg, budget_kimg)
    return warmup * between(1.0, settings.last_lr / settings.lr, progress, settings.schedule)


def betas_at(settings: OptimizerSettings, kimg: float, budget_kimg: float) -> tuple[float, float]:
    """The betas after `kimg` of `budget_kimg`."""
    if settings.last_betas is None or settings.schedule not in ("linear", "cosine"):
        return settings.betas
    progress = _progress(settings, kimg, budget_kimg)
    first, second = zip(settings.betas, settings.last_betas, strict=True)
    return between(*first, progress, settings.schedule), between(*second, progress, settings.schedule)


def _progress(settings: OptimizerSettings, kimg: float, budget_kimg: float) -> float:
    """The share of the schedule that has passed; none of it where the budget ends before the schedule begins."""
    end = settings.schedule_kimg or budget_kimg
    return (kimg - settings.hold_kimg) / (end - settings.hold_kimg) if end > settings.hold_kimg else 0.0


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of every group, in place where it is a tensor."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def set_betas(optimizer: torch.optim.Optimizer, betas: tuple[float, float]) -> None:
    """Set the decay of the moments in every group, by the name that the optimiser has for it."""
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = betas
        elif "alpha" in group:
            group["alpha"] = betas[1]
        else:
            group["momentum"] = betas[0]


def may_be_captured(optimizer: torch.optim.Optimizer, settings: OptimizerSettings) -> bool:
    """Whether a captured step follows the optimiser's schedule: its learning rate is a tensor, or constant.

    Betas are numbers, which a captured step would keep.
    """
    if settings.last_betas not in (None, settings.betas):
        return False
    changes = settings.schedule != "constant" or settings.warmup_kimg > 0
    return not changes or all(isinstance(group["lr"], Tensor) for group in optimizer.param_groups)


def load_state(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Restore an optimiser's state, each moment in its parameter's memory format.

    A moment in another format is read in another order, which rounds differently: the resume would not be exact.
    Learning rates are not restored: they follow from the step.
    """
    lrs = [group["lr"] for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, lr in zip(optimizer.param_groups, lrs, strict=True):
        group["lr"] = lr
    for parameter, moments in optimizer.state.items():
        for name, moment in moments.items():
            if isinstance(moment, torch.Tensor) and moment.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(moment)
