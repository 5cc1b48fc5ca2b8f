"""The Markdown of docs/reference: pages, tables, and the keys of a section of settings as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.source import Section

HEAD = "<!-- Written by `make docs` from the code: do not edit. -->\n\n"
COMMON = {  # what a key means where the class does not say it
    "A": "the first domain",
    "B": "the second domain",
    "alphabets": "which characters are drawn",
    "batch_size": "rows that are computed at once",
    "colours": "of the classes, as red, green and blue",
    "factor": "by which the size is divided or multiplied",
    "fake": "weight of the term of generated rows",
    "first_steps": "how many steps the first value holds",
    "labels": "the classes of the map",
    "least": "the value at the end",
    "length": "numbers or tokens in a row",
    "loss": "the adversarial loss of both sides",
    "norm_momentum": "of the running statistics of batch norm",
    "policy": "which augmentations are drawn",
    "real": "weight of the term of real rows",
    "source_font": "font of the source",
    "spectral": "spectral norm of all weights",
    "target_font": "font of the target",
    "channels": "1 is grey, 3 is colour",
    "classes": "their names, in the order of their indices",
    "dropout": "share of values that are dropped in training",
    "embedding_dim": "length of a class embedding",
    "every": "steps from one computation to the next",
    "growth": "factor on the channels at each halving of the maps",
    "halvings": "how often the maps are halved",
    "kind": "which one it is",
    "last_betas": "betas at the end of the schedule",
    "latent_dim": "length of the noise z",
    "max": "the highest value that passes",
    "max_width": "most channels of a layer",
    "min": "the lowest value that passes",
    "norm": "normalisation between the layers",
    "of": "the column that it is computed from",
    "options": "of that source",
    "schedule": "how the value moves over `steps`",
    "size": "pixels of each side, or length",
    "slope": "of LeakyReLU below zero",
    "source": "where the data come from",
    "steps": "how many steps it takes",
    "weight": "of this term in the loss",
    "width": "channels of the outermost maps",
    "widths": "channels or units of each layer",
}


def headed(section: Section, level: int) -> str:
    """A section under its name."""
    return f"{'#' * level} {section.name}\n\n{table_of(section)}"


def table_of(section: Section, about: bool = True) -> str:
    """The sentence of a section, then its keys as a table."""
    rows = [
        (f"`{key.name}`", key.type, key.default or "has to be given", key.meaning or COMMON.get(key.name, ""))
        for key in section.keys
    ]
    parts = [section.about] if about and section.about else []
    parts += [table(("key", "value", "default", "meaning"), rows)] if rows else []
    parts += [f"It has all keys of [{base.name}](#{base.name.lower()})." for base in section.bases]
    return "\n\n".join(parts) or "It has no keys."


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown themselves."""
    cells = [heading, ["---"] * len(heading), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in cells
    )


def page(parts: Iterable[str]) -> str:
    """The title, a note that the page is written from the code, and the other parts."""
    first, *others = parts
    return f"{first}\n\n{HEAD}" + "\n\n".join(others) + "\n"
