"""Curve names become names that MLflow takes."""

from __future__ import annotations

import pytest

from ganops.tracking.names import tracked_name


@pytest.mark.parametrize(
    ("name", "tracked"),
    [
        ("D(G(z))", "D_G_z"),
        ("D(x)", "D_x"),
        ("generator/loss", "generator/loss"),
        ("fid", "fid"),
        ("precision @ k=3", "precision _ k_3"),
        ("/odd/", "odd"),
        ("a" * 300, "a" * 250),
    ],
)
def test_brackets_and_other_refused_characters_become_underscores(name: str, tracked: str) -> None:
    assert tracked_name(name) == tracked


def test_mlflow_takes_what_comes_out() -> None:
    from mlflow.utils.validation import _validate_metric_name

    for name in ("D(G(z))", "loss[0]", "R1 penalty (é=10)", "../up", "a//b"):
        _validate_metric_name(tracked_name(name))
