"""The interface of a derivation, and the registry that makes one from a recipe's `derived` section."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganops.data.fields.field import Field, Schema
from ganops.data.rows import Rows
from ganops.errors import SettingsError
from ganops.registry_of_kinds import KindRegistry
from ganops.settings import Settings

if TYPE_CHECKING:
    from ganops.data.spec import DataSpec

DERIVATIONS: KindRegistry[Derivation] = KindRegistry("derivation", "ganops.data.derived", "DERIVATIONS")


class Derivation(Settings, ABC):
    """How one column follows from another. It is its own settings; `of` names the stored column it starts from."""

    of: str = "image"

    @abstractmethod
    def field(self, source: Field) -> Field:
        """What the derived column is, given the field of `of`; raises SettingsError where it cannot be derived."""

    @abstractmethod
    def derive(self, modelled: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The derived column, modelled, from the modelled column `of`.

        generator: source of random numbers on the CPU; None: torch's default generator of the column's device, as in
        training, where a captured step replays it.
        """


def derivations(spec: DataSpec) -> Mapping[str, Derivation]:
    """The derivations of a data spec by column name; raises SettingsError for an unknown kind or key."""
    return {name: DERIVATIONS.build(section, f"derived.{name}") for name, section in spec.derived.items()}


def derived_fields(spec: DataSpec) -> Schema:
    """The fields of the derived columns; raises SettingsError where one starts from a column that is not stored."""
    found: dict[str, Field] = {}
    for name, derivation in derivations(spec).items():
        source = spec.fields.get(derivation.of)
        if source is None or name in spec.fields:
            raise SettingsError(
                f"derived.{name}: " + ("a stored column has this name" if source else "its source is not stored"),
                code="bad-derivation",
                expected=f"of: one of {', '.join(spec.fields)}; another name than these",
                found=f"{name}, of: {derivation.of}",
            )
        found[name] = derivation.field(source)
    return found


def with_derived(modelled: Rows, spec: DataSpec, generator: torch.Generator | None = None) -> Rows:
    """Modelled stored columns with the derived ones added."""
    if not spec.derived:
        return modelled
    return modelled.merged(
        {name: each.derive(modelled[each.of], generator) for name, each in derivations(spec).items()}
    )


def normal(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal numbers of the type and on the device of `like`; with a generator they are drawn on the CPU."""
    if generator is None:
        return torch.randn(shape, dtype=like.dtype, device=like.device)
    return torch.randn(shape, generator=generator).to(like)


def uniform(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """As `normal`, uniform in [0, 1)."""
    if generator is None:
        return torch.rand(shape, dtype=like.dtype, device=like.device)
    return torch.rand(shape, generator=generator).to(like)
