"""Addresses lose user and password before anything can print them; the tools get both by their own variables."""

from __future__ import annotations

import os

import pytest

from ganops.credentials import VARIABLES, hide_credentials

NAMES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "PREFECT_API_AUTH_STRING")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *NAMES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("address", "left", "user", "password"),
    [
        ("http://me:p%40ss@host:5000/x", "http://host:5000/x", "me", "p@ss"),
        ("https://me:p@ss@[::1]:5000", "https://[::1]:5000", "me", "p@ss"),
        ("http://host/a:b@c", "http://host/a:b@c", None, None),
        ("http://token@host", "http://token@host", None, None),
        ("postgresql://me:pass@db/x", "postgresql://me:pass@db/x", None, None),
        ("https://[::1", "https://[::1", None, None),
    ],
)
def test_what_mlflow_is_given(
    monkeypatch: pytest.MonkeyPatch, address: str, left: str, user: str | None, password: str | None
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    hide_credentials()
    assert os.environ["MLFLOW_TRACKING_URI"] == left
    assert (os.environ.get(NAMES[0]), os.environ.get(NAMES[1])) == (user, password)


def test_what_prefect_is_given_and_what_is_set_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://me:pass@host/api")
    hide_credentials()
    assert (os.environ["PREFECT_API_URL"], os.environ[NAMES[2]]) == ("http://host/api", "me:pass")
    monkeypatch.setenv("PREFECT_API_URL", "http://other:pass@host/api")
    hide_credentials()
    assert os.environ[NAMES[2]] == "me:pass"
