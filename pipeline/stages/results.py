"""Where the stages of dvc.yaml leave what they make; every path is relative to the root of the checkout."""

from __future__ import annotations

from pathlib import Path

PARAMS = Path("params.yaml")
RECIPES = Path("pipeline/recipes")
PREPARED = Path("data/prepared")
CHECKPOINTS = Path("checkpoints")
PROFILES = Path("profiles")

RESULTS = Path("results")
REFERENCE = RESULTS / "reference"
COMPARE = RESULTS / "compare"
LEADERBOARD = COMPARE / "leaderboard.csv"
REPORT = COMPARE / "report.html"
WINNER = COMPARE / "winner.json"
REGISTRATION = RESULTS / "register" / "registration.json"
OUTCOME = RESULTS / "outcome.txt"


def train_folder(recipe: str) -> Path:
    """The trained model, its curves and its samples over time."""
    return RESULTS / "train" / recipe


def run_file(recipe: str) -> Path:
    """The id of the MLflow run that tells the story of this recipe's model."""
    return RESULTS / "runs" / f"{recipe}.json"


def evaluate_folder(recipe: str) -> Path:
    """The scores with their protocol, and the pictures made of the model."""
    return RESULTS / "evaluate" / recipe
