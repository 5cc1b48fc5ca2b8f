"""The services of compose.yaml without containers: its own commands, settings and environment, on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from postgres_server import serving_postgres
from service import free_port, running, wait_for_answer

FILE: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parent.parent / "compose.yaml").read_text())
SECRETS = {
    "POSTGRES_PASSWORD": "of-postgres",
    "S3_SECRET_KEY": "of-the-s3-server",
    "MLFLOW_ADMIN_PASSWORD": "of-mlflow-0123",
    "PREFECT_PASSWORD": "of-prefect",
}
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::[?-]([^}]*))?\})")  # as Compose reads them: $$, ${A:?}, ${A:-default}
S3_SERVER = "import sys; from moto.server import main; main(['--port', sys.argv[1]])"
HEALTH = {"mlflow": "/health", "prefect": "/api/health"}


@dataclass(frozen=True)
class Services:
    """Addresses of the running services, and the environments that `setup` and `worker` have in compose.yaml."""

    database: str
    mlflow: str
    prefect: str
    setup: Mapping[str, str]
    worker: Mapping[str, str]


class Compose:
    """compose.yaml with other places: addresses of this machine for names of services, files in `home` for mounts."""

    def __init__(self, home: Path, database: str) -> None:
        ports = {name: str(free_port()) for name in ("s3", *HEALTH)}
        self.home, self.database, self.s3_port = home, database, ports["s3"]
        self.address = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        host = database.partition("@")[2]
        self.places = {
            "@postgres/": f"@{host}/",
            "http://s3:9000": self.address["s3"],
            "http://mlflow:5000": self.address["mlflow"],
            "http://prefect:4200": self.address["prefect"],
            "--port=5000": f"--port={ports['mlflow']}",
            "--port=4200": f"--port={ports['prefect']}",
            "--host=0.0.0.0": "--host=127.0.0.1",
            "/etc/mlflow-auth.ini": str(home / "mlflow-auth.ini"),
            "/var/lib/prefect": str(home / "prefect"),
        }

    def text(self, value: str) -> str:
        """A string of the file as its service gets it."""
        value = VARIABLE.sub(lambda found: found[1] or SECRETS.get(found[2], found[3] or ""), str(value))
        for place, ours in self.places.items():
            value = value.replace(place, ours)
        return value

    def command(self, service: str) -> list[str]:
        """What a service runs."""
        return [self.text(word) for word in FILE["services"][service]["command"]]

    def environment(self, service: str) -> dict[str, str]:
        """What a service has of its environment, and where programs are."""
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        own = {"PATH": programs, "HOME": str(self.home), "LANG": "C.UTF-8"}
        return own | {name: self.text(value) for name, value in FILE["services"][service]["environment"].items()}


@contextmanager
def serving_compose(home: Path) -> Iterator[Services]:
    """PostgreSQL with a password, an S3 server, then `setup`, MLflow and Prefect; skips where a part is missing."""
    for package in ("boto3", "flask_wtf", "moto"):
        pytest.importorskip(package)
    owner, secret = FILE["services"]["postgres"]["environment"]["POSTGRES_USER"], SECRETS["POSTGRES_PASSWORD"]
    with serving_postgres(owner, secret) as address, ExitStack() as stack:
        _make_databases(address, secret, FILE["configs"]["databases"]["content"])
        compose = Compose(home, address.rpartition("/")[0])
        (home / "mlflow-auth.ini").write_text(compose.text(FILE["configs"]["mlflow-auth"]["content"]))
        s3 = _start(stack, home / "s3.log", [sys.executable, "-c", S3_SERVER, compose.s3_port], dict(os.environ))
        wait_for_answer(f"{compose.address['s3']}/moto-api/", s3, home / "s3.log")
        setup = compose.environment("setup")
        subprocess.run(compose.command("setup"), check=True, cwd=home, env=setup, stdout=subprocess.DEVNULL)
        servers = {
            name: _start(stack, home / f"{name}.log", compose.command(name), compose.environment(name))
            for name in HEALTH
        }
        for name, server in servers.items():
            wait_for_answer(compose.address[name] + HEALTH[name], server, home / f"{name}.log")
        worker = compose.environment("worker")
        yield Services(
            f"{compose.database}/mlflow", compose.address["mlflow"], compose.address["prefect"], setup, worker
        )


def _start(
    stack: ExitStack, log: Path, command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    """A service that ends with the stack."""
    with log.open("w") as said:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
    stack.enter_context(running(process, log))
    return process


def _make_databases(address: str, password: str, statements: str) -> None:
    """Run the statements as PostgreSQL's image does when it starts for the first time."""
    import psycopg2

    connection = psycopg2.connect(address, password=password)
    connection.autocommit = True  # no database is made within a transaction
    with connection.cursor() as cursor:
        for statement in filter(str.strip, statements.split(";")):
            cursor.execute(statement)
    connection.close()
