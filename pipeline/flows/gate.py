"""The gate at the end of a flow: the registered winner is tested, judged and, where it is good enough, promoted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ganops.errors import RegistryError
from ganops.resolved import load_params
from ganops.workspace import WORKSPACE
from pipeline.flows.command_group import CommandGroup
from pipeline.flows.outcome import verdict
from pipeline.flows.reproduce import reproduce

if TYPE_CHECKING:
    from ganops.registry.promotion import Promotion

UNUSABLE = ("no-challenger", "no-such-version", "files-missing", "files-altered", "foreign-model")


def pass_gate(commands: CommandGroup, log: Callable[[str], None], *, dry_run: bool = False) -> Promotion:
    """Put the registered winner before the gate; params.gate.mode decides what follows; `dry_run`: nothing does.

    The winner is registered again, once, where the registry does not know it (results came by `dvc pull` into a fresh
    clone, or belong to another server) or its files are missing or altered.
    """
    # Imported here: MLflow comes with it.
    from ganops.registry.evidence import keep_evidence
    from ganops.registry.load import problem_with
    from ganops.registry.naming import registered_name
    from ganops.registry.promotion import promote

    params = load_params(WORKSPACE.params)
    try:
        found = promote(params, dry_run=dry_run, workspace=WORKSPACE)
        problem = problem_with(f"models:/{registered_name(params)}/{found.version}")
    except RegistryError as error:
        if error.code not in UNUSABLE:  # such as no turn or no key: another version would fare no better
            raise
        found, problem = None, error.message
    if found is None or problem:
        log(f"{problem}: registering the winner again")
        reproduce("register", commands, log, force=True)
        found = promote(params, dry_run=dry_run, workspace=WORKSPACE)
    if found.moved:
        keep_evidence(params, found.version, WORKSPACE)
    log(verdict(found))
    return found
