"""How an execution of the pipeline ended, in the words a person reads last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganops.params import Params
from ganops.tracking.location import tracking_uri, ui_command
from pipeline.stages.results import REGISTRATION, REPORT, RESULTS, WINNER

if TYPE_CHECKING:
    from ganops.registry.promotion import Promotion


@dataclass(frozen=True)
class Outcome:
    """ran: names of the stages that ran, the others were up to date. promotion: what the gate came to."""

    ran: tuple[str, ...]
    promotion: Promotion


def describe(outcome: Outcome, params: Params) -> str:
    """Leaderboard, winner, report, model version, verdict of the gate, and how to look at all of it."""
    # Imported here, as in the flow: torch comes with it, and a mistake in params.yaml is told without waiting for that.
    from ganops.reporting.leaderboard import read_row
    from ganops.reporting.tables import leaderboard_text

    winner = _read(WINNER)
    registration = _read(REGISTRATION)
    rows = [read_row(RESULTS, recipe) for recipe in params.recipes]
    ran = f"ran: {', '.join(outcome.ran)}" if outcome.ran else "ran: nothing, every stage was up to date"
    facts = {
        "winner": winner["why"],
        "report": str(REPORT.resolve()),
        "model": f"{registration['model']} version {registration['version']}, alias {registration['alias']}",
        "gate": verdict(outcome.promotion),
        "look": ui_command(tracking_uri()),
    }
    table = leaderboard_text(rows, params.compare.score, winner["recipe"])
    return "\n".join([ran, "", table, *(f"{name:<8}{text}" for name, text in facts.items())])


def verdict(promotion: Promotion) -> str:
    """What the gate found, whether the champion changed, and the reasons."""
    if promotion.moved:
        change = f"version {promotion.version} is champion now"
    elif promotion.failure:
        change = f"version {promotion.version} failed its smoke test ({promotion.failure}) and was taken back"
    elif promotion.former:
        change = f"version {promotion.former} is champion"
    else:
        change = "there is no champion"
    return f"{promotion.decision.verdict}: {change} ({'; '.join(promotion.decision.reasons)})"


def _read(path: Path) -> dict[str, str]:
    values: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return values
