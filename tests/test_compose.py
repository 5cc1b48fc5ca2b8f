"""The shared services: open on this machine only, no secret in the file, and each says when it is ready."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.environment import DEFAULTS

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
SECRETS = {"POSTGRES_PASSWORD", "S3_SECRET_KEY", "MLFLOW_ADMIN_PASSWORD", "PREFECT_PASSWORD"}


def test_every_port_is_open_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_passwords_come_from_the_environment_and_stand_in_no_address() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?\}", TEXT))
    assert needed == SECRETS
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET", name) and value:
                assert str(value).startswith("${"), name
    assert not re.search(r"://\w+:[^@\s]+@", TEXT)
    assert not re.search(r"PASSWORD|SECRET", " ".join(str(service.get("command")) for service in SERVICES.values()))


@pytest.mark.parametrize("name", ["postgres", "mlflow", "prefect"])
def test_a_service_that_others_wait_for_says_when_it_is_ready(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


def test_tables_are_made_once_before_any_server_starts() -> None:
    assert SERVICES["setup"]["restart"] == "on-failure"
    for name in ("mlflow", "prefect"):
        assert SERVICES[name]["depends_on"]["setup"]["condition"] == "service_completed_successfully"


def test_mlflow_asks_for_a_password_and_answers_to_known_names_only() -> None:
    command = " ".join(SERVICES["mlflow"]["command"])
    assert "--app-name=basic-auth" in command
    (hosts,) = re.findall(r"--allowed-hosts=\$\{\w+:-([^}]+)\}", command)
    assert "*" not in hosts.replace(":*", "").split(",")


def test_the_server_keeps_its_leases_as_that_of_a_checkout_does() -> None:
    name = "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"
    assert SERVICES["prefect"]["environment"][name] == DEFAULTS[name]


def test_the_image_has_extras_that_exist() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (wanted,) = re.findall(r'EXTRAS="([^"]+)"', (ROOT / "Dockerfile").read_text())
    assert set(wanted.split()) <= extras.keys()
