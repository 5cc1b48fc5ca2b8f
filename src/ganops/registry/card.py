"""The model card: what a model is, on what it was trained, how good it is, and what it must not be used for.

After Mitchell et al. 2019, "Model Cards for Model Reporting", arXiv:1810.03993.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganops.atomic import write_text
from ganops.registry.candidate import SHORT, Candidate
from ganops.reporting.scores import HEADLINE_SCORES, ShownScore, in_order

CARD = "README.md"


def write_card(folder: Path, candidate: Candidate, lineage: Mapping[str, str]) -> Path:
    """Write the card and the pictures it shows into `folder`; the card's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in candidate.pictures:
        shutil.copyfile(picture, folder / picture.name)
    write_text(folder / CARD, card(candidate, lineage))
    return folder / CARD


def card(candidate: Candidate, lineage: Mapping[str, str]) -> str:
    """The card as Markdown; pictures are named relative to it."""
    sections = (
        f"# {candidate.recipe}, trained on {candidate.manifest.source}\n\n{short_card(candidate)}",
        *(f"![{picture.stem}]({picture.name})" for picture in candidate.pictures[:1]),
        _data(candidate),
        _recipe(candidate),
        _scores(candidate),
        _training(candidate),
        _limits(candidate),
        "## Lineage\n\n" + _table(("what", "value"), [*lineage.items(), ("lineage", candidate.lineage())]),
        *(f"![{picture.stem}]({picture.name})" for picture in candidate.pictures[1:]),
    )
    return "\n\n".join(sections) + "\n"


def short_card(candidate: Candidate) -> str:
    """The card in two sentences, for the description of the model version."""
    headline = [score for score in _known_scores(candidate) if score.key in HEADLINE_SCORES]
    scores = ", ".join(f"{score.title} {score.show(candidate.scores)}" for score in headline)
    seeds = f", means of {len(candidate.seeds)} seeds" if candidate.seeds else ""
    extractor = candidate.protocol.get("extractor", "unknown")
    return (
        f"Makes {candidate.description().spec.words} in the manner of "
        f"{candidate.manifest.source}, with the recipe {candidate.recipe} ({candidate.description().recipe.paper}). "
        f"Scores{seeds}: {scores or 'none'} "
        f"(extractor {extractor}, {candidate.protocol.get('generated_count', '?')} images, "
        f"protocol {str(candidate.protocol.get('digest', ''))[:SHORT]})."
    )


def _data(candidate: Candidate) -> str:
    manifest = candidate.manifest
    counts = ", ".join(f"{count:,} {split}" for split, count in manifest.counts.items())
    rejected = f"{manifest.rejected_count:,} inputs were rejected" if manifest.rejected_count else "none was rejected"
    return (
        f"## Data\n\nSource `{manifest.source}`, digest `{manifest.digest[:SHORT]}`: {counts} images, classes: "
        f"{manifest.spec.class_words}; {rejected}.\n\n"
        "The licence of the data is not recorded; whoever publishes samples has to know it."
    )


def _recipe(candidate: Candidate) -> str:
    recipe = candidate.description().recipe
    networks = [(name, section.get("kind", ""), _options(section)) for name, section in recipe.networks.items()]
    return (
        f"## Recipe\n\n{recipe.summary}. {recipe.paper}. Game `{recipe.game.get('kind')}` ({_options(recipe.game)}), "
        f"batch size {recipe.batch_size}, {recipe.budget_kimg:g} thousand images; digest `{recipe.digest()[:SHORT]}`."
        "\n\n" + _table(("network", "kind", "settings"), networks)
    )


def _scores(candidate: Candidate) -> str:
    rows = [(score.heading, score.show(candidate.scores), score.sentence) for score in _known_scores(candidate)]
    protocol = [(key, value) for key, value in candidate.protocol.items() if value is not None]
    return (
        f"## Scores\n\n{_means(candidate)}"
        + _table(("score", "value ± standard error", "what it says"), rows)
        + "\n\nThey compare only with scores of the same protocol:\n\n"
        + _table(("protocol", "value"), protocol)
    )


def _means(candidate: Candidate) -> str:
    if not candidate.seeds:
        return ""
    names = ", ".join(candidate.seeds)
    return f"Means over {len(candidate.seeds)} seeds of the recipe ({names}), of which this model is the best.\n\n"


def _training(candidate: Candidate) -> str:
    facts = [(key, value) for key, value in candidate.training.items() if key != "health_events"]
    events = candidate.training.get("health_events") or []
    told = [f"- step {event['step']}: {event['kind']}; {event['detail']}" for event in events]
    health = "\n".join(told) if told else "Nothing sick was seen."
    return "## Training\n\n" + _table(("fact", "value"), facts) + f"\n\n{health}"


def _limits(candidate: Candidate) -> str:
    return (
        "## Intended use and limits\n\n"
        f"For experiments, teaching and synthetic {candidate.description().spec.words}. It knows only what its "
        "training data show: their gaps and biases are its own, rare kinds may be missing, and single samples may "
        "resemble training data (see `neighbours.png`). The scores measure likeness to the data as a whole, not "
        "fitness for a purpose. Do not pass samples off as real records."
    )


def _known_scores(candidate: Candidate) -> list[ShownScore]:
    return [score for score in in_order(set(candidate.scores)) if score.value(candidate.scores) is not None]


def _options(section: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in section.items() if key != "kind" and value is not None)


def _table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
