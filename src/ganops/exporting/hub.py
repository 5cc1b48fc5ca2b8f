"""A model as a folder for the Hugging Face Hub: card with front matter, description, weights. No network is needed."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from ganops.api import SCHEME, model_folder
from ganops.atomic import write_text
from ganops.errors import ModelError
from ganops.evaluation.scores import Scores
from ganops.games.saved import DESCRIPTION, SavedModel, load_description, load_game
from ganops.games.task import Task
from ganops.registry.card import CARD, escape
from ganops.registry.load import registered
from ganops.registry.versions import Versions
from ganops.reporting.scores import metrics_of
from ganops.tracking.store import connect

LIBRARY = "ganops"
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
FRONT = "---\n"


def export_hub(address: str, folder: Path) -> None:
    """Write the folder; `address` as in ganops.load. Raises ModelError where the folder is there and not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(
            f"{folder} is there already",
            code="folder-exists",
            expected="a new folder, or an empty one",
            action="give -o another name, or remove it",
        )
    card, source, pictures, scores, data = _sources(address)
    description, task = load_description(source), load_game(source).task
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        temporary = Path(scratch) / folder.name
        temporary.mkdir()
        for file in (*sorted(source.iterdir()), *pictures):
            shutil.copyfile(file, temporary / file.name)
        front = yaml.safe_dump(front_matter(description, task, scores, data), sort_keys=False, allow_unicode=True)
        text = card or f"# {escape(description.name)}\n\n{escape(description.recipe.summary)}\n"
        write_text(temporary / CARD, f"{FRONT}{front}{FRONT}\n{text}\n{usage(task)}")
        temporary.replace(folder)


def push(folder: Path, repository: str) -> str:
    """Upload the folder to USER/NAME on the Hub, as the user that huggingface_hub knows; the address of the commit.

    Raises ModelError where huggingface_hub is not installed, and where the Hub refuses or does not answer.
    """
    if find_spec("huggingface_hub") is None:
        raise ModelError(
            "pushing takes the package huggingface_hub, which is not installed",
            code="missing-extra",
            action=f'make env EXTRAS=hub, or pip install "ganops[hub]"; then: hf upload {repository} {folder}',
        )
    import huggingface_hub

    try:
        client = huggingface_hub.HfApi()
        client.create_repo(repository, exist_ok=True)
        return str(client.upload_folder(repo_id=repository, folder_path=folder))
    except Exception as error:  # its own errors, and those of its HTTP client, which changes with its version
        raise ModelError(
            f"{repository} was not pushed",
            code="push-failed",
            found=str(error).partition("\n")[0],
            action=f"log in with `hf auth login`, or correct the name; then: hf upload {repository} {folder}",
        ) from error


def front_matter(description: SavedModel, task: Task, scores: Scores | None, data: str = "") -> dict[str, Any]:
    """The YAML at the top of a card, by which the Hub finds a model. data: what the scores were measured on."""
    recipe = description.recipe
    papers = [f"arxiv:{found}" for found in ARXIV.findall(recipe.paper)]
    kind = pipeline_tag(task)
    front: dict[str, Any] = {
        "license": "unknown",  # the licence of the data is not recorded
        "library_name": LIBRARY,
        "pipeline_tag": kind,
        "tags": ["gan", "pytorch", "safetensors", description.name, *papers],
    }
    if scores is not None and (known := metrics_of(scores)):
        metrics = [
            {"type": metric.key, "name": metric.title, "value": round(scores[metric.key].value, 6)} for metric in known
        ]
        dataset = {"name": data or "unknown", "type": data or "unknown"}
        result = {"task": {"type": kind}, "dataset": dataset, "metrics": metrics}
        front["model-index"] = [{"name": description.name, "results": [result]}]
    return front


def pipeline_tag(task: Task) -> str:
    """The Hub's name for what a model does."""
    given = {field.wire_form for field in task.inputs.values()}
    made = {field.wire_form for field in task.outputs.values()}
    if "picture" not in made:
        return "other"
    if "picture" in given:
        return "image-to-image"
    return "text-to-image" if "text" in given else "unconditional-image-generation"


def usage(task: Task) -> str:
    """How to generate with the folder."""
    forms: Mapping[str, str] = {"picture": "Path('photo.png')", "class": "'...'", "text": "'...'", "numbers": "[...]"}
    given = "".join(f", {name}={forms[field.wire_form]}" for name, field in task.inputs.items())
    return (
        "## Use\n\n```python\nimport ganops\nfrom huggingface_hub import snapshot_download\n\n"
        "model = ganops.load(snapshot_download('USER/NAME'))\n"
        f"model.generate(16, seed=7{given}).grid().save('grid.png')\n```\n\n"
        f"`{DESCRIPTION}` describes the networks, the safetensors files hold their weights; nothing is a pickle.\n"
    )


def _sources(address: str) -> tuple[str, Path, list[Path], Scores | None, str]:
    """The card's text, the model folder, the card's pictures, the scores of a model and its data's name."""
    if not address.startswith(SCHEME):
        return "", model_folder(address), [], None, ""
    store = connect()
    known = registered(address)
    scores, data = Versions(store, known.name).record(known.version).own, known.tags.get("data.source", "")
    if known.card is None or not (known.card / CARD).is_file():
        return "", known.folder, [], scores, data
    pictures = [file for file in sorted(known.card.iterdir()) if file.name != CARD]
    return (known.card / CARD).read_text(encoding="utf-8"), known.folder, pictures, scores, data
