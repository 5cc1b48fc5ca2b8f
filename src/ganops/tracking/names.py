"""Names that MLflow accepts for metrics, params and tags."""

from __future__ import annotations

import re

LONGEST = 250


def tracked_name(name: str) -> str:
    """`name` with every run of characters that MLflow refuses (such as brackets) made one underscore.

    MLflow takes letters, digits, `_ - . / :` and spaces, at most 250 of them, and no path that leads elsewhere;
    "D(G(z))" becomes "D_G_z".
    """
    parts = (re.sub(r"[^\w\-.: ]+", "_", part).strip("_ ") for part in name.split("/"))
    return "/".join(part for part in parts if part.strip("."))[:LONGEST].rstrip("/")
