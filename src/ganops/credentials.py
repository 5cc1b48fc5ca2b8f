"""User and password leave the addresses of services, so that no record, log or error can show them."""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

# How the tools themselves take what an address may hold.
VARIABLES: dict[str, Callable[[str, str], dict[str, str]]] = {
    "MLFLOW_TRACKING_URI": lambda user, password: {
        "MLFLOW_TRACKING_USERNAME": user,
        "MLFLOW_TRACKING_PASSWORD": password,
    },
    "PREFECT_API_URL": lambda user, password: {"PREFECT_API_AUTH_STRING": f"{user}:{password}"},
}


def hide_credentials() -> None:
    """Move `user:password@` of HTTP addresses to the variables for it, for this process and its children.

    What those variables hold already goes before. Addresses of databases stay: they have no such variables.
    """
    for variable, separate in VARIABLES.items():
        address = os.environ.get(variable, "").strip()
        login, at, rest = address.partition("://")[2].rpartition("@")
        try:
            parts = urlsplit(address)
            user, password = parts.username, parts.password
        except ValueError:  # reported as a wrong address by who asks there
            continue
        if not (at and user and password and parts.scheme in ("http", "https") and "/" not in login):
            continue
        os.environ[variable] = f"{parts.scheme}://{rest}"
        for name, value in separate(unquote(user), unquote(password)).items():
            os.environ.setdefault(name, value)
