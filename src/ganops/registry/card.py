"""The model card: what a model is, its training data, how good it is, and what it must not be used for.

After Mitchell et al. 2019, "Model Cards for Model Reporting", arXiv:1810.03993.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganops.atomic import write_text
from ganops.evaluation.scores import Scores
from ganops.registry.candidate import SHORT, Candidate
from ganops.reporting.contents import PictureEntry
from ganops.reporting.parts import facts
from ganops.reporting.scores import heading, metrics_of, show

CARD = "README.md"
CONSISTENCY = "consistency"  # the metric that says how far outputs agree with their inputs
ENLARGED = "an enlarged image shows what could have been there, not what was"
INVENTED = {  # by kind of derivation, what a model makes up that starts from such images
    "downscaled": ENLARGED,
    "degraded": ENLARGED,
    "grey": "its colours are plausible ones, not those that were there",
    "masked": "what it puts into a hole is plausible, not what was there",
    "edges": "colours and textures between edges are plausible ones, not those that were there",
}
SHOWN = ".png"  # animations would make the card many times larger
MOST_CLASSES = 50


def write_card(folder: Path, candidate: Candidate, lineage: Mapping[str, str]) -> Path:
    """Write the card and the pictures it shows into `folder`; the card's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in _pictures(candidate):
        shutil.copyfile(candidate.folder_of_pictures / picture.file, folder / picture.file)
    write_text(folder / CARD, card(candidate, lineage))
    return folder / CARD


def card(candidate: Candidate, lineage: Mapping[str, str]) -> str:
    """The card as Markdown; pictures are named relative to it."""
    pictures = [_picture(picture) for picture in _pictures(candidate)]
    sections = (
        f"# {escape(candidate.recipe)}, trained on {escape(candidate.manifest.name)}\n\n{short_card(candidate)}",
        *pictures[:1],
        _data(candidate),
        _recipe(candidate),
        _scores(candidate),
        _training(candidate),
        _limits(candidate),
        "## Lineage\n\n" + _table(("what", "value"), [*lineage.items(), ("lineage", candidate.lineage())]),
        *pictures[1:],
    )
    return "\n\n".join(sections) + "\n"


def short_card(candidate: Candidate) -> str:
    """The card in three sentences, for the description of the model version."""
    task, scores = candidate.task, candidate.scores
    made = ", ".join(escape(field.description) for field in task.outputs.values())
    given = ", ".join(f"{escape(name)} ({escape(field.description)})" for name, field in task.inputs.items())
    headline = [metric for metric in metrics_of(scores) if metric.headline]
    shown = ", ".join(f"{metric.title} {show(scores[metric.key])}" for metric in headline)
    shared = scores.protocol.shared
    return (
        f"Generates {made}{f' from {given}' if given else ''} like those of {escape(candidate.family)}. "
        f"Recipe {escape(candidate.recipe)} ({escape(candidate.description.recipe.paper)}). "
        f"Scores: {shown or 'none'} (features {shared.get('features', 'unknown')}, "
        f"{shared.get('generated', 'unknown')} generated samples)."
    )


def _data(candidate: Candidate) -> str:
    manifest = candidate.manifest
    counts = f"{manifest.counts['train']:,} rows for training, {manifest.counts['test']:,} for the test"
    rejected = f"{manifest.rejected_count:,} inputs" if manifest.rejected_count else "nothing"
    fields = [(name, field.kind, field.description) for name, field in manifest.spec.fields.items()]
    text = (
        f"## Data\n\n{escape(manifest.name)}, digest `{manifest.digest[:SHORT]}`: {counts}; {rejected} rejected.\n\n"
        + _table(("field", "kind", "content"), fields)
    )
    splits = list(manifest.class_counts)
    names = manifest.spec.classes
    if 0 < len(names) <= MOST_CLASSES and splits:
        rows = [(name, *(manifest.class_counts[split].get(name, 0) for split in splits)) for name in names]
        text += "\n\n" + _table(("class", *splits), rows)
    return text + "\n\nThe licence of the data is not recorded; check it before you publish samples."


def _recipe(candidate: Candidate) -> str:
    recipe = candidate.description.recipe
    networks = [(name, section.get("kind", ""), _options(section)) for name, section in recipe.networks.items()]
    game = f"`{recipe.game.get('kind')}` ({escape(_options(recipe.game)) or 'default settings'})"
    return (
        f"## Recipe\n\n{escape(recipe.summary[:1].upper() + recipe.summary[1:])}. {escape(recipe.paper)}. Game {game}, "
        f"batch size {recipe.batch_size}, budget of {recipe.budget_kimg:g} thousand training rows; "
        f"digest `{recipe.digest()[:SHORT]}`.\n\n" + _table(("network", "kind", "settings"), networks)
    )


def _scores(candidate: Candidate) -> str:
    text = "## Scores\n\nOf this model:\n\n" + _score_table(candidate.scores)
    if candidate.mean is not None:
        names = ", ".join(escape(name) for name in candidate.seeds)
        text += (
            f"\n\nMeans over {len(candidate.seeds)} seeds of the recipe ({names}), of which this model is the best:\n\n"
            + _score_table(candidate.mean)
        )
    protocol = candidate.scores.protocol
    rows = [(key, value) for key, value in protocol.shared.items() if value is not None]
    rows += [(f"{group}.{key}", value) for group, section in protocol.groups.items() for key, value in section.items()]
    return text + "\n\nScores compare only where their protocols are equal:\n\n" + _table(("protocol", "value"), rows)


def _score_table(scores: Scores) -> str:
    rows = [(heading(metric), show(scores[metric.key]), metric.sentence) for metric in metrics_of(scores)]
    return _table(("metric", "value ± standard error", "meaning"), rows) if rows else "None."


def _training(candidate: Candidate) -> str:
    shown = {key: value for key, value in candidate.training.items() if key not in ("health_events", "init")}
    events = candidate.training.get("health_events") or []
    lines = [
        f"- step {event['step']}: {event['kind']}: " + escape("{detail}; to do: {action}".format_map(event))
        for event in events
    ]
    health = "\n".join(lines) if lines else "The health checks reported nothing."
    return "## Training\n\n" + _table(("fact", "value"), list(facts(shown).items())) + f"\n\n{health}"


def _limits(candidate: Candidate) -> str:
    return (
        "## Intended use and limits\n\n"
        "For experiments, teaching and synthetic data. The model reproduces the gaps and biases of its training data; "
        "rare kinds may be missing, and single samples may resemble training data. The scores measure similarity to "
        "the data as a whole, not fitness for a purpose. Do not present samples as real records." + _invented(candidate)
    )


def _invented(candidate: Candidate) -> str:
    """What outputs must not be used for where parts of them are made up, and how far they agree with their inputs."""
    kinds = {str(section.get("kind")) for section in candidate.description.recipe.derived.values()}
    scores = candidate.scores
    made_up = [words for kind, words in INVENTED.items() if kind in kinds] or [ENLARGED] * (CONSISTENCY in scores)
    if not made_up:
        return ""
    text = (
        f"\n\nThe model invents detail: {'; '.join(dict.fromkeys(made_up))}. Never read faces, number plates, text or "
        "findings of medicine from its outputs."
    )
    if CONSISTENCY not in scores:
        return text
    return text + (
        f" Made small or grey again, outputs agree with their inputs to {show(scores[CONSISTENCY])} dB, which is "
        "infinite for equal images; below about 30 dB one can see the difference."
    )


def _pictures(candidate: Candidate) -> list[PictureEntry]:
    return [picture for picture in candidate.pictures if picture.file.endswith(SHOWN)]


def _picture(picture: PictureEntry) -> str:
    title = escape(picture.title)
    caption = f"\n\n{escape(picture.caption)}" if picture.caption else ""
    return f"![{title}](<{picture.file}>)\n\n**{title}**{caption}"


def _options(section: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in facts({**section, "kind": None}).items())


def escape(text: str) -> str:
    """`text` as plain words of Markdown: no markup, no HTML, no table cells, no line breaks."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", text)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [[escape(str(cell)) for cell in row] for row in (columns, *rows)]
    lines.insert(1, ["---"] * len(columns))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
