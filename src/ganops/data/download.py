"""Downloads of standard data sets through torchvision's helper; a file must have the published MD5."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ganops.data.data_root import DATA_HOME_VARIABLE
from ganops.errors import DataError

TIMEOUT_SECONDS = 30.0


def download(mirrors: Sequence[str], name: str, md5: str, folder: Path) -> Path:
    """Fetch the file `name` from the first mirror (an address that ends in a slash) that has it, into `folder`.

    A file that is there already is not fetched again. Raises DataError when no mirror gives the right file.
    """
    target = folder / name
    if target.is_file():
        return target

    from torchvision.datasets.utils import download_url  # takes seconds to import

    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as unchecked, _timeout():
        for mirror in mirrors:
            try:
                download_url(mirror + name, unchecked, name, md5)
            except (OSError, RuntimeError) as error:  # no network, no such file; a wrong md5
                problems.append(f"{mirror}: {error}")
                continue
            return (Path(unchecked) / name).replace(target)
    raise DataError(
        f"{name} is not on this machine and cannot be downloaded",
        code="download-failed",
        found="; ".join(problems),
        action=f"connect to the network and run again, or copy the data set into {folder} or into a folder that "
        f"data.home in params.yaml or {DATA_HOME_VARIABLE} names (docs/data.md says which files)",
    )


@contextmanager
def _timeout() -> Generator[None]:
    """torchvision sets none: a network that never answers would block the stage forever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
