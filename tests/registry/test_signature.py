"""Signatures and evidence: with a key only what its owner promoted is loaded, and a zip file says why it was."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from small_model import register_small, small_params

from ganops.errors import RegistryError
from ganops.registry import promotion
from ganops.registry.evidence import write_evidence
from ganops.registry.load import package_digest, registered, registered_folder
from ganops.registry.promotion import promote, rollback
from ganops.registry.signature import SIGNATURE, SIGNING_KEY, VERIFY_KEY, check_signature, sign
from ganops.registry.verify import verify
from ganops.registry.versions import CHAMPION, Versions
from ganops.tracking.store import connect
from ganops.workspace import Workspace

pytest.importorskip("model_signing")
pytestmark = pytest.mark.usefixtures("short_source")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Private and public halves of two keys, as PEM files."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    folder, files = tmp_path_factory.mktemp("keys"), {}
    for name in ("own", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for kind, content in (("private", private), ("public", public)):
            files[f"{name}-{kind}"] = folder / f"{name}-{kind}.pem"
            files[f"{name}-{kind}"].write_bytes(content)
    return files


@pytest.fixture
def promoted(tracking_home: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Versions:
    """Version 1 is champion and signed; both keys are configured."""
    monkeypatch.setattr(promotion, "smoke_test", lambda uri: "")
    monkeypatch.setenv(SIGNING_KEY, str(keys["own-private"]))
    monkeypatch.setenv(VERIFY_KEY, str(keys["own-public"]))
    register_small(tracking_home, fid=10.0)
    assert promote(small_params()).moved, "an unsigned challenger can be judged"
    return Versions(connect(), "ganops")


def code(uri: str) -> str:
    """The code of the error with which a version is refused; empty where it is loaded."""
    try:
        registered_folder(uri)
    except RegistryError as error:
        return error.code
    return ""


def test_what_was_promoted_is_loaded_and_nothing_else(promoted: Versions, tracking_home: Path) -> None:
    assert code("models:/ganops@champion") == ""
    register_small(tracking_home, seed=1, fid=9.0)
    assert code("models:/ganops/2") == "not-signed"
    promoted.set_alias(CHAMPION, "2")
    assert code("models:/ganops@champion") == "not-signed", "an alias that somebody moved by hand"
    promoted.mark("2", {SIGNATURE: promoted.get("1").tags[SIGNATURE]})
    assert code("models:/ganops@champion") == "signature-wrong", "the signature of another version"
    assert [problem.partition(":")[0] for _, problem in verify(connect())][1].startswith("the signature of version 2")


def test_a_new_digest_does_not_help_who_alters_files(promoted: Versions) -> None:
    package = registered("models:/ganops/1").package
    (package / "code" / "ganops" / "errors.py").write_text("planted")
    promoted.mark("1", {"package": package_digest(package)})
    assert code("models:/ganops/1") == "signature-wrong"


@pytest.mark.parametrize("value", ["", "{}", "not JSON", '{"dsseEnvelope": {"payload": "e30="}}', "[" * 5000])
def test_what_a_stranger_writes_into_the_tag_is_refused(
    keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VERIFY_KEY, str(keys["own-public"]))
    with pytest.raises(RegistryError) as error:
        check_signature("ganops", "1", "ab" * 32, {SIGNATURE: value})
    assert error.value.code == ("signature-wrong" if value else "not-signed")


def test_only_the_owner_can_sign(keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VERIFY_KEY, str(keys["own-public"]))
    for name, expected in (("own", None), ("other", "signature-wrong")):
        monkeypatch.setenv(SIGNING_KEY, str(keys[f"{name}-private"]))
        tags = {SIGNATURE: sign("ganops", "1", "ab" * 32)}
        if expected is None:
            check_signature("ganops", "1", "ab" * 32, tags)
        else:
            with pytest.raises(RegistryError) as error:
                check_signature("ganops", "1", "ab" * 32, tags)
            assert error.value.code == expected


def test_who_signs_also_checks(promoted: Versions, tracking_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key to verify with, the public half of the key to sign with is taken."""
    monkeypatch.delenv(VERIFY_KEY)
    register_small(tracking_home, seed=1, fid=9.0)
    assert code("models:/ganops/1") == ""
    assert code("models:/ganops/2") == "not-signed"
    promoted.mark("2", {SIGNATURE: promoted.get("1").tags[SIGNATURE]})
    assert code("models:/ganops/2") == "signature-wrong"


def test_a_champion_of_the_time_before_the_key_is_signed_when_somebody_names_it(promoted: Versions) -> None:
    promoted.store.client.delete_model_version_tag("ganops", "1", SIGNATURE)
    assert code("models:/ganops@champion") == "not-signed"
    for version, dry_run, expected in ((None, False, "not-signed"), ("1", True, "not-signed"), ("1", False, "")):
        assert promote(small_params(), version, dry_run=dry_run).decision.verdict == "already champion"
        assert code("models:/ganops@champion") == expected


@pytest.mark.parametrize(("content", "expected"), [(None, "no-key"), ("not a key", "bad-key")])
def test_a_key_that_cannot_be_used_stops_a_promotion(
    promoted: Versions, tracking_home: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, expected: str
) -> None:
    key = tracking_home / "key.pem"
    if content:
        key.write_text(content)
    monkeypatch.setenv(SIGNING_KEY, str(key))
    register_small(tracking_home, seed=1, fid=9.0)
    with pytest.raises(RegistryError) as error:
        promote(small_params())
    assert error.value.code == expected
    assert promoted.at(CHAMPION) == "1"


def test_a_rollback_signs_a_champion_of_the_time_before_the_key(
    promoted: Versions, tracking_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_small(tracking_home, seed=1, fid=9.0)
    promote(small_params())
    promoted.store.client.delete_model_version_tag("ganops", "1", SIGNATURE)
    assert rollback(small_params()) == ("1", "2")
    assert code("models:/ganops@champion") == ""


def test_the_evidence_holds_all_that_speaks_for_a_version(
    promoted: Versions, tracking_home: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tracking_home)
    workspace.registration.parent.mkdir(parents=True)
    workspace.registration.write_text(json.dumps({"model": "ganops", "version": "1"}))
    workspace.report.parent.mkdir(parents=True)
    workspace.report.write_text("<p>report</p>")
    first, again = tmp_path / "first.zip", tmp_path / "again.zip"
    write_evidence(promoted, "1", first, workspace)
    write_evidence(promoted, "1", again, workspace)
    assert first.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(first) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert parts["report.html"] == b"<p>report</p>"
    assert b"## Scores" in parts["card/README.md"]
    (scores,) = json.loads(parts["protocol.json"])
    assert scores["scores"]["fid"]["value"] == 10.0
    decision = json.loads(parts["decision.json"])
    assert decision["tags"]["gate.verdict"] == "accepted"
    assert [entry["event"] for entry in decision["history"]] == ["promoted"]
    signed = json.loads(parts["signed/statement.json"])
    assert signed == {"model": "ganops", "version": "1", "package": promoted.get("1").tags["package"]}
    assert json.loads(parts["signature.json"])["dsseEnvelope"]
    bill = json.loads(parts["sbom.json"])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": signed["package"]}]
    from importlib.metadata import version

    assert f"pkg:pypi/torch@{version('torch')}" in {component["purl"] for component in bill["components"]}


def test_the_report_of_another_version_is_left_out(promoted: Versions, tracking_home: Path, tmp_path: Path) -> None:
    names = write_evidence(promoted, "1", tmp_path / "evidence.zip", Workspace(tracking_home))
    assert "report.html" not in names
    assert {"decision.json", "sbom.json", "signature.json"} <= set(names)
