"""Published weight files: downloaded once, their digest checked before the file appears."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from ganops.errors import EvaluationError
from ganops.networks.weight_files import sha256_of
from ganops.progress import progress

BLOCK = 1 << 20


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
