"""`make services-check`: the services of compose.yaml at work, without containers.

They are closed to strangers, and two clients share one registry. PostgreSQL is the machine's; moto is the S3 server.
"""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from compose_services import SECRETS, Services, serving_compose
from forks import Fork
from small_model import small_params
from tracked_processes import promote_or_roll_back

from ganops.registry import promotion
from ganops.registry.history import entries
from ganops.registry.load import problem_with, registered_folder
from ganops.registry.promotion import promote
from ganops.registry.versions import CHAMPION, Versions
from ganops.tracking.artifacts import digests
from ganops.tracking.migrate import SERVED, Place, copy_store
from ganops.tracking.store import connect

MLFLOW_PATH = "/api/2.0/mlflow/registered-models/search"
PREFECT_PATH = "/api/flows/count"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with serving_compose(tmp_path_factory.mktemp("compose")) as served:
        yield served


def status(address: str, password: str = "", host: str = "", *, post: bool = False) -> int:
    """What a request is answered with: `password` is that of the user admin, `host` the name that it was sent to."""
    headers = {"Authorization": "Basic " + b64encode(f"admin:{password}".encode()).decode()} if password else {}
    headers |= {"Host": host} if host else {}
    request = urllib.request.Request(address, data=b"{}" if post else None, headers=headers)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_postgresql_asks_for_its_password(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg2

    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(services.database)
    psycopg2.connect(services.database, password=SECRETS["POSTGRES_PASSWORD"]).close()


def test_mlflow_answers_with_a_password_and_under_a_known_name_only(services: Services) -> None:
    address, password = services.mlflow + MLFLOW_PATH, SECRETS["MLFLOW_ADMIN_PASSWORD"]
    assert status(address) == 401
    assert status(address, "guessed") == 401
    assert status(address, password, host="evil.example") == 403
    assert status(address, password) == 200
    assert status(address, password, host="mlflow:5000") == 200, "as the worker names it"


def test_prefect_answers_with_a_password_only(services: Services) -> None:
    assert services.worker["PREFECT_API_AUTH_STRING"] == f"admin:{SECRETS['PREFECT_PASSWORD']}"
    address = services.prefect + PREFECT_PATH
    assert status(address, post=True) == 401
    assert status(address, "guessed", post=True) == 401
    assert status(address, SECRETS["PREFECT_PASSWORD"], post=True) == 200


def test_two_clients_of_a_store_that_was_moved_there_change_the_champion_at_once(
    services: Services,
    packaged: tuple[Path, str],
    tracking_home: Path,
    register_version: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One rolls back, one promotes; in either order each sees what the other has done."""
    shutil.copytree(packaged[0].parent / "mlruns", tracking_home / "mlruns")
    monkeypatch.setattr(promotion, "smoke_test", problem_with)
    for fid in (10.0, 9.0):
        register_version(fid=fid)
        assert promote(small_params()).moved
    register_version(fid=8.0)
    before, files = entries(Versions(connect(), "ganops")), digests(registered_folder("models:/ganops/1"))
    for name in ("PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MLFLOW_S3_ENDPOINT_URL"):
        monkeypatch.setenv(name, services.setup[name])
    copy_store(Place.local(tracking_home), Place(services.database, "s3://mlflow", SERVED))
    monkeypatch.delenv("MLFLOW_S3_ENDPOINT_URL")  # a client needs the server alone
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, services.worker[name])
    versions = Versions(connect(), "ganops")
    assert entries(versions) == before
    assert digests(registered_folder("models:/ganops/1")) == files
    scratch = [tracking_home / name for name in ("one", "two")]
    for folder in scratch:
        folder.mkdir()
    clients = [
        Fork(promote_or_roll_back, folder, version) for folder, version in zip(scratch, (None, "3"), strict=True)
    ]
    for client in clients:
        assert client.receive() == "ready"
    for client in clients:
        client.send("go")
    champions = [client.receive() for client in clients]
    found = entries(versions)
    assert len(found) == 4
    assert all(later.former == former.version for former, later in pairwise(found))
    assert versions.at(CHAMPION) == found[-1].version in champions
