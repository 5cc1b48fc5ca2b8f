"""The checkout in which a worker runs what it is given: its own, whatever its path, at the commit that is asked for."""

from __future__ import annotations

import os
import subprocess

from pipeline.environment import ROOT
from pipeline.flows.reproduce import StageError

WRITTEN = ("dvc.lock",)  # what DVC itself writes while it works


def enter() -> dict[str, str]:
    """A pull step of prefect.yaml: work in the checkout whose `pipeline` this worker has imported."""
    os.chdir(ROOT)
    return {"directory": str(ROOT)}


def revision() -> str:
    """The commit of this checkout; raises StageError where files differ from it, since others could not have them."""
    changed = [line[3:] for line in _git("status", "--porcelain", "--untracked-files=no").splitlines()]
    if others := [name for name in changed if name not in WRITTEN]:
        raise StageError(
            "other machines cannot see what is not committed",
            code="not-committed",
            expected="a checkout as it was committed and pushed",
            found=", ".join(others[:5]),
            action="commit and push it",
        )
    return _git("rev-parse", "HEAD").strip()


def go_to(commit: str) -> None:
    """Bring this checkout to a commit, fetched where it is not here yet; raises StageError where it cannot be had.

    Its own dvc.lock is dropped: the results are in DVC's cache.
    """
    if revision() == commit:
        return
    try:
        _git("checkout", "--quiet", "--force", "--detach", commit)
    except StageError:
        _git("fetch", "--quiet", "origin")
        _git("checkout", "--quiet", "--force", "--detach", commit)


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - this program's own words, and a commit
        ["git", *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StageError(
            f"git {arguments[0]} failed",
            code="git-failed",
            found=done.stderr.strip()[-300:],
            action="push the commit to where the workers' clones fetch from",
        )
    return done.stdout
