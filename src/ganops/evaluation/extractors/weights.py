"""Published weight files: found or downloaded, their digest checked before anything is read from them."""

from __future__ import annotations

import hashlib
import pickle
import urllib.error
import urllib.request
from pathlib import Path

import torch
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.progress import progress

BLOCK = 1 << 20


def load_state(path: Path, sha256_prefix: str) -> dict[str, Tensor]:
    """Tensors of a .pth file whose sha256 begins as stated; nothing but tensors is ever unpickled.

    Raises EvaluationError when the file is missing, has another digest, or holds anything else.
    """
    found = sha256_of(path)
    if not found.startswith(sha256_prefix):
        raise EvaluationError(
            f"{path} is damaged or another file",
            code="wrong-digest",
            expected=f"sha256 {sha256_prefix}...",
            found=f"{found[:16]}..., {path.stat().st_size:,} bytes",
            action="remove it and fetch it again",
        )
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise EvaluationError(f"{path} does not hold weights", code="damaged-file", found=str(error)) from error
    return state


def sha256_of(path: Path) -> str:
    """Hex digest of a file; raises EvaluationError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EvaluationError(
            f"{path} cannot be read", code="unreadable-file", found=str(error), action="check the path"
        ) from error


def download(url: str, path: Path, sha256_prefix: str) -> None:
    """Fetch `url` to `path`, resuming an interrupted download; the digest is checked before the file appears.

    Raises EvaluationError when the address cannot be reached or the content is not the expected file.
    """
    part = path.with_suffix(".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310  # a fixed https address
    try:
        # An opener of its own: the shared one keeps the proxies of the first use.
        with urllib.request.build_opener().open(request, timeout=30) as response:
            resumed = response.status == 206
            done = have if resumed else 0
            total = done + int(response.headers.get("Content-Length", 0))
            with part.open("ab" if resumed else "wb") as file, progress("download", total, "bytes", done) as bar:
                while block := response.read(BLOCK):
                    file.write(block)
                    done += len(block)
                    bar.update(done)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # "range not satisfiable": the part is already complete
            raise EvaluationError(f"{url} cannot be fetched", code="download-failed", found=str(error)) from error
    except OSError as error:
        raise EvaluationError(f"{url} cannot be fetched", code="download-failed", found=str(error)) from error
    found = sha256_of(part)
    if not found.startswith(sha256_prefix):
        part.unlink()
        raise EvaluationError(
            f"{url} did not return the expected file",
            code="wrong-digest",
            expected=f"sha256 {sha256_prefix}...",
            found=found[:16],
            action="try again",
        )
    part.replace(path)
