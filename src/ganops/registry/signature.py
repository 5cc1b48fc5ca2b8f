"""Signatures of promoted versions: made at promotion with a private key, checked before a version is loaded.

What is signed is a small statement: the name, the number and the digest of all files of a version. It is signed by
model-signing (OpenSSF's format of a Sigstore bundle, an elliptic-curve key, no service), and stored with the version.
Two environment variables name the keys: GANOPS_SIGNING_KEY where models are promoted, GANOPS_VERIFY_KEY wherever they
are loaded. Without the second variable, the public half of the first key is used. Someone who can write to the
registry but does not have the private key cannot bring in their own model.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganops.errors import RegistryError

SIGNING_KEY, VERIFY_KEY = "GANOPS_SIGNING_KEY", "GANOPS_VERIFY_KEY"
SIGNATURE = "signature"  # the tag of a version that holds it
STATEMENT = "statement.json"


def statement(name: str, version: str, package: str) -> str:
    """What is signed. package: the digest of all files of the version."""
    return json.dumps({"model": name, "package": package, "version": version}, indent=2, sort_keys=True) + "\n"


def signs() -> bool:
    """Whether a key to sign with is configured; raises RegistryError where it is not there."""
    return _key(SIGNING_KEY) is not None


def sign(name: str, version: str, package: str) -> str:
    """The signature of a version as JSON; raises RegistryError without a key that can be used."""
    key = _key(SIGNING_KEY)
    if key is None:
        raise RegistryError(f"{SIGNING_KEY} is not set", code="no-key", expected="the path of a PEM file")
    signing = _library().signing
    with _stated(name, version, package) as (folder, signature):
        try:
            signing.Config().use_elliptic_key_signer(private_key=key).sign(folder, signature)
        except (ValueError, TypeError, OSError) as error:
            raise _unusable(SIGNING_KEY, key, error) from error
        return signature.read_text(encoding="utf-8")


def check_signature(name: str, version: str, package: str, tags: Mapping[str, str]) -> None:
    """Raise RegistryError where a key is configured and the version was not signed with its private half.

    Where models are signed they are checked, too: without GANOPS_VERIFY_KEY by the public half of the key that signs.
    """
    variable = VERIFY_KEY if _key(VERIFY_KEY) else SIGNING_KEY
    key = _key(variable)
    if key is None:
        return
    if not tags.get(SIGNATURE):
        raise RegistryError(
            f"version {version} of '{name}' is not signed",
            code="not-signed",
            expected=f"a signature by the owner of the key in {variable}",
            action=f"`ganops promote {version}` where {SIGNING_KEY} is set, or use a version that was promoted there",
        )
    verifying = _library().verifying
    with _stated(name, version, package) as (folder, signature):
        signature.write_text(tags[SIGNATURE], encoding="utf-8")
        try:
            public = key if variable == VERIFY_KEY else _public_half(key, signature.with_name("public.pem"))
            verifier = verifying.Config().use_elliptic_key_verifier(public_key=public)
        except (ValueError, TypeError, OSError) as error:
            raise _unusable(variable, key, error) from error
        try:
            verifier.verify(folder, signature)
        except Exception as error:  # the library raises what its parts raise for whatever a stranger wrote into the tag
            raise RegistryError(
                f"the signature of version {version} of '{name}' is wrong",
                code="signature-wrong",
                expected=f"a signature of its files by the owner of the key in {variable}",
                found=f"{type(error).__name__}",
                action="find out who changed it; `ganops verify` checks all versions",
            ) from error


def _key(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise RegistryError(
            f"{variable} does not name a key", code="no-key", expected="the path of a PEM file", found=str(path)
        )
    return path


def _public_half(key: Path, out: Path) -> Path:
    """Write the public half of a private key to `out`; raises ValueError or TypeError where it is not a private key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    public = load_pem_private_key(key.read_bytes(), password=None).public_key()
    out.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return out


def _library() -> Any:
    try:
        import model_signing
    except ImportError as error:
        raise RegistryError(
            "a key is configured, and the package that signs is not installed",
            code="sign-missing",
            found=str(error),
            action="make env EXTRAS=sign, or pip install 'ganops[sign]'",
        ) from error
    return model_signing


@contextmanager
def _stated(name: str, version: str, package: str) -> Generator[tuple[Path, Path]]:
    """A folder with the statement in it, and where its signature goes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "version"
        folder.mkdir()
        (folder / STATEMENT).write_text(statement(name, version, package), encoding="utf-8")
        yield folder, Path(scratch) / "signature.json"


def _unusable(variable: str, key: Path, error: Exception) -> RegistryError:
    return RegistryError(
        f"the key in {variable} cannot be used",
        code="bad-key",
        expected="an elliptic-curve key in a PEM file, such as `openssl ecparam -name prime256v1 -genkey` makes",
        found=f"{key}: {error}",
    )
