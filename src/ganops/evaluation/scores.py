"""Scores and the protocol they were measured under: one form from evaluation through files and tags to the gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from ganops.atomic import write_json
from ganops.errors import EvaluationError
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.json_file import read_json
from ganops.settings import Settings


class Protocol(Settings):
    """How scores were measured; neither the recipe nor the machine is part of it.

    shared: what all groups depend on (digest of the real data, split, counts, seed, features and their weights).
    groups: the settings of each metric group, as used. Scores of one group compare where both sections are equal.
    """

    shared: dict[str, Any] = Field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def digest(self, group: str) -> str:
        """sha256 of all that decides the scores of one group; empty where it was not measured."""
        if group not in self.groups:
            return ""
        text = json.dumps([self.shared, group, self.groups[group]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def differences(self, other: Protocol, group: str) -> dict[str, tuple[Any, Any]]:
        """What decides the scores of a group and differs from `other`: name to (own value, the other's)."""
        own, its = ({**each.shared, **each.groups.get(group, {})} for each in (self, other))
        return {name: (own.get(name), its.get(name)) for name in {**own, **its} if own.get(name) != its.get(name)}


@dataclass(frozen=True)
class Scores(Mapping[str, Estimate]):
    """Metric key to estimate.

    group_of: the metric group of each key.
    """

    values_: Mapping[str, Estimate]
    protocol: Protocol
    group_of: Mapping[str, str]

    def __getitem__(self, key: str) -> Estimate:
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def digest(self, key: str) -> str:
        """The digest of the protocol that decides this metric; empty where it was not measured."""
        return self.protocol.digest(self.group_of.get(key, ""))

    def comparable(self, other: Scores, key: str) -> bool:
        """Whether both have this metric, measured under one protocol."""
        return key in self and key in other and self.digest(key) == other.digest(key) != ""

    def differences(self, other: Scores, key: str) -> dict[str, tuple[Any, Any]]:
        """What differs in the protocols that decide this metric."""
        return self.protocol.differences(other.protocol, self.group_of.get(key) or other.group_of.get(key, ""))

    def dump(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "scores": {
                key: {
                    **{"value": found.value, "error": found.error, "group": self.group_of.get(key, "")},
                    **({} if found.freedom is None else {"freedom": found.freedom}),
                }
                for key, found in self.items()
            },
            "protocol": self.protocol.model_dump(mode="json"),
        }

    def write(self, path: Path) -> None:
        """Write the JSON form to a file, atomically."""
        write_json(path, self.dump())


NO_SCORES = Scores({}, Protocol(), {})


def load_scores(value: Any, where: str) -> Scores:
    """The inverse of `Scores.dump`; raises EvaluationError, opened by `where`, for anything else."""
    try:
        found = {
            key: Estimate(float(each["value"]), each["error"], each.get("freedom"))
            for key, each in value["scores"].items()
        }
        groups = {key: str(each["group"]) for key, each in value["scores"].items()}
        return Scores(found, Protocol.model_validate(value["protocol"]), groups)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvaluationError(
            f"{where} does not hold scores", code="damaged-scores", found=f"{type(error).__name__}: {error}"
        ) from error


def read_scores(path: Path, command: str) -> Scores:
    """Read scores.json; raises EvaluationError naming `command`, which makes it, when it is missing or damaged."""
    return load_scores(read_json(path, command), str(path))
