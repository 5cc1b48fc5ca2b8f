"""How an execution of the pipeline ended, as the last lines on the screen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganops.params import read_params
from ganops.tracking.location import LOCAL_PAGES, runs_page
from ganops.tracking.store import connect
from ganops.workspace import WORKSPACE

if TYPE_CHECKING:
    from ganops.registry.promotion import Promotion


@dataclass(frozen=True)
class Outcome:
    """ran: names of the stages that ran, the others were up to date. promotion: the gate's decision."""

    ran: tuple[str, ...]
    promotion: Promotion


def describe(outcome: Outcome) -> str:
    """Leaderboard, winner, report, model version, decision of the gate, and how to look at all of it."""
    winner, registration = _read(WORKSPACE.winner), _read(WORKSPACE.registration)
    ran = f"ran: {', '.join(outcome.ran)}" if outcome.ran else "ran: nothing, every stage was up to date"
    table = (WORKSPACE.comparison / "leaderboard.txt").read_text(encoding="utf-8")
    facts = {
        "winner": winner["why"],
        "report": str(WORKSPACE.report.resolve()),
        "model": f"{registration['model']} version {registration['version']}, alias {registration['alias']}",
        "gate": verdict(outcome.promotion),
        "look": where_to_look(),
    }
    return "\n".join([ran, "", table, *(f"{name:<8}{text}" for name, text in facts.items())])


def where_to_look() -> str:
    """The page of the runs in MLflow, and the command that starts MLflow where no server is in use."""
    store = connect()
    page = runs_page(store.uri, store.experiment(read_params(WORKSPACE.params).tracking.experiment))
    return f"make ui, then {page}" if page.startswith(LOCAL_PAGES) else page


def verdict(promotion: Promotion) -> str:
    """The gate's decision, whether the champion changed, and the reasons."""
    if promotion.moved:
        change = f"version {promotion.version} is champion now"
    elif promotion.failure:
        change = f"version {promotion.version} failed its smoke test ({promotion.failure})"
    elif promotion.former:
        change = f"version {promotion.former} is champion"
    else:
        change = "there is no champion"
    return f"{promotion.decision.verdict}: {change} ({'; '.join(promotion.decision.reasons)})"


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values
