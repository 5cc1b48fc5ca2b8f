"""The flow registers the winner again where the registry cannot use what it has, once, and judges it then."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluated_home import make_home

from ganops.errors import RegistryError
from ganops.params import Params
from ganops.registry.gate import Decision, Finding
from ganops.registry.promotion import Promotion
from pipeline.flows import gate
from pipeline.flows.command_group import CommandGroup

BROKEN = "the files of models:/m/1 were altered"


class Registry:
    """A registry with version 1, which `register` replaces by version 2. problem: of version 1."""

    def __init__(self, problem: str, known: bool = True) -> None:
        self.problem, self.known, self.forced = problem, known, list[bool]()

    def promote(self, params: Params, *, dry_run: bool, workspace: object) -> Promotion:
        assert not dry_run
        if not self.known and not self.forced:
            raise RegistryError("the model 'm' has no challenger", code="no-challenger")
        verdict = "refused" if self.problem and not self.forced else "accepted"
        findings = (Finding("first-champion", True, "there is no champion yet"),)
        accepted = verdict == "accepted"
        return Promotion(
            Decision(accepted, "accepted" if accepted else "refused", findings), self.version, None, accepted
        )

    @property
    def version(self) -> str:
        return str(1 + len(self.forced))

    def problem_with(self, uri: str) -> str:
        assert uri.endswith(f"/{self.version}")
        return "" if self.forced else self.problem

    def reproduce(self, stage: str, commands: CommandGroup, log: object, *, force: bool) -> None:
        assert stage == "register"
        self.forced.append(force)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_home(tmp_path)
    params = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(params + "tracking: {model: m}\n")
    monkeypatch.chdir(tmp_path)


def passed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> tuple[Promotion, list[str]]:
    monkeypatch.setattr("ganops.registry.promotion.promote", registry.promote)
    monkeypatch.setattr("ganops.registry.load.problem_with", registry.problem_with)
    monkeypatch.setattr(gate, "reproduce", registry.reproduce)
    heard, kept = list[str](), list[str]()
    monkeypatch.setattr(
        "ganops.registry.evidence.keep_evidence", lambda params, version, workspace: kept.append(version)
    )
    found = gate.pass_gate(CommandGroup(), heard.append)
    assert kept == ([found.version] if found.moved else []), "there is evidence for what was promoted"
    return found, heard


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("registry", [Registry(BROKEN), Registry("", known=False)], ids=["altered", "unknown"])
def test_what_cannot_be_used_is_registered_again_and_judged(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, heard = passed(registry, monkeypatch)
    assert registry.forced == [True]
    assert (found.version, found.moved) == ("2", True)
    assert len(heard) == 2
    assert heard[0].endswith(": registering the winner again")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("code", ["no-turn", "turn-lost", "registry-refused", "no-key"])
def test_what_another_version_would_not_mend_makes_none(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    registry = Registry("")

    def fail(*_: object, **__: object) -> Promotion:
        raise RegistryError("not now", code=code)

    monkeypatch.setattr(registry, "promote", fail)
    with pytest.raises(RegistryError, match="not now"):
        passed(registry, monkeypatch)
    assert not registry.forced


@pytest.mark.usefixtures("home")
def test_what_works_is_judged_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry("")
    found, heard = passed(registry, monkeypatch)
    assert not registry.forced
    assert found.version == "1"
    assert len(heard) == 1
