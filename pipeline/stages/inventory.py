"""Stage inventory: what a person's own data and extractors are made of, so that DVC notices a change of them.

DVC itself fails at dangling links, sockets and unreadable files, and sees nothing outside of the checkout. `prepare`
therefore depends on this file instead of on the data. Data sets known by name do not change: for them it is empty.
The stages that measure depend on the digests of the files that `evaluate` names, wherever these lie.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ganops.atomic import write_json
from ganops.data.folder import Folder
from ganops.errors import DataError
from ganops.file_digest import file_sha256
from ganops.params import DataParams, read_params
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import run_stage

Known = dict[str, tuple[int, int, str]]  # path below the data: size, time of change in ns, sha256


def main() -> None:
    """Write data/inventory.json and data/measuring-files.json."""
    write_inventory()


def write_inventory() -> None:
    """Write both files; data whose size and time are as before are not read again."""
    params = read_params(WORKSPACE.params)
    named = sorted(set(_files_named(params.evaluate.model_dump(mode="json"))))
    write_json(WORKSPACE.measuring_files, {str(path): file_sha256(path) for path in named})
    root, data = checkout_root(), located(params.data)
    cache = root / ".dvc" / "tmp" / "ganops-inventory.json"
    if data.path is None or not _reads_images(data):
        write_json(WORKSPACE.inventory, {"entries": 0, "digest": ""})
        return
    known = _read(cache)
    entries, found = _entries(data.path.expanduser(), known)
    digest = hashlib.sha256("\n".join(entries).encode(errors="surrogateescape")).hexdigest()
    write_json(WORKSPACE.inventory, {"entries": len(entries), "digest": digest})
    if found != known:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(found), encoding="ascii")


def _files_named(value: Any) -> Iterator[Path]:
    """The files that values of settings name, and those of modules, as in `module:callable`."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _files_named(each)
    elif isinstance(value, str):
        module = value.partition(":")[0].replace(".", "/")
        yield from (path for path in (Path(value).expanduser(), Path(f"{module}.py")) if path.is_file())


def _reads_images(data: DataParams) -> bool:
    """Whether the source, or one of its domains, is a folder or zip file of one's own images."""
    domains = (each.get("source") for each in data.options.values() if isinstance(each, dict))
    return "images" in (data.source, *domains)


def checkout_root() -> Path:
    """The checkout that raw data lie in: a temporary copy (dvc exp run --temp) has none of the ignored files."""
    return Path(os.environ.get("DVC_ROOT", "."))


def located(data: DataParams) -> DataParams:
    """The same settings with relative paths counted from the checkout, unless they exist from here."""
    moved = {
        key: checkout_root() / path
        for key, path in (("home", data.home), ("path", data.path))
        if path is not None and not path.expanduser().is_absolute() and not path.exists()
    }
    return data.model_copy(update=moved)


def _entries(path: Path, known: Known) -> tuple[list[str], Known]:
    """One line for each file and each thing that is not a file, and what is now known of the files."""
    if not path.is_dir():
        names, entries = ([""], list[str]()) if path.exists() else (list[str](), ["missing"])
    else:
        try:
            listing = Folder(path).scan()
        except DataError as error:
            return [error.found], {}
        names = [each.name for each in listing.candidates]
        entries = [f"{each.name}\0{each.words}" for each in listing.rejections]
    found: Known = {}
    for name in names:
        try:
            status = (path / name).stat()
            size, time, digest = known.get(name, (-1, -1, ""))
            if (status.st_size, status.st_mtime_ns) != (size, time):
                digest = file_sha256(path / name)
            found[name] = (status.st_size, status.st_mtime_ns, digest)
            entries.append(f"{name}\0{digest}")
        except OSError as error:
            entries.append(f"{name}\0{error.strerror}")
    return sorted(entries), found


def _read(cache: Path) -> Known:
    try:
        return {name: (size, time, digest) for name, (size, time, digest) in json.loads(cache.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


if __name__ == "__main__":
    run_stage(main)
