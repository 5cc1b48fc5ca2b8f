"""Do new pictures still look like the training data? KID against them, window by window, with a permutation test.

The squared maximum mean discrepancy with KID's kernel is a two-sample statistic (Gretton et al. 2012, "A kernel
two-sample test", JMLR 13); what it would be without any drift is found by exchanging the two samples at random. One
window may be unlucky, so drift takes k of the n newest windows.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganops.data.archive import Archive
from ganops.data.decoders import Whole
from ganops.data.decoding import decode_files, pictures
from ganops.data.fields.image import ImageField
from ganops.data.folder import Folder
from ganops.data.image_format import ImageFormat
from ganops.data.listing import Candidate, Files
from ganops.data.sources.source import SourceContext
from ganops.devices import find_device
from ganops.errors import EvaluationError
from ganops.evaluation.evaluate import open_evaluator
from ganops.evaluation.evaluator import Evaluator
from ganops.evaluation.extract import features_of
from ganops.params import DataParams, Params, WatchParams
from ganops.workspace import Workspace

MOST_REFERENCE = 1000  # real images that a window is compared with
PERMUTATIONS = 999


@dataclass(frozen=True)
class Window:
    """Pictures that came one after the other.

    first, last: their names. kid: the squared MMD to the training data. p: the share of random exchanges that give as
    large a one. drifted: whether p is at most the level.
    """

    first: str
    last: str
    kid: float
    p: float
    drifted: bool


@dataclass(frozen=True)
class Drift:
    """windows: the newest ones, the oldest first. drifted: whether enough of them differ from the training data."""

    windows: tuple[Window, ...]
    needed: int

    @property
    def drifted(self) -> bool:
        """Whether at least `needed` windows have drifted."""
        return sum(window.drifted for window in self.windows) >= self.needed

    def describe(self) -> str:
        """The verdict in one sentence."""
        count = sum(window.drifted for window in self.windows)
        verdict, newest = "drift" if self.drifted else "no drift", len(self.windows)
        return f"{verdict}: {count} of the {newest} newest windows differ from the data, {self.needed} make drift"


def look_for_drift(params: Params, workspace: Workspace, path: Path | None = None) -> Drift:
    """Compare new pictures with what the pipeline in a checkout was trained on.

    path: of the pictures, by default watch.path. Raises EvaluationError as `find_drift` does, and without a path or a
    reference.
    """
    path = path or params.watch.path
    if path is None or not path.exists():
        raise EvaluationError(
            "there are no new pictures to look at",
            code="path-missing",
            expected="watch.path in params.yaml, or a path after `ganops drift`",
            found=f"{path}, which does not exist" if path else "watch.path: null",
        )
    evaluator = open_evaluator(workspace.reference, workspace.prepared, params.evaluate, params.seed, find_device())
    return find_drift(path, evaluator, params.data, params.watch, params.seed)


def find_drift(path: Path, evaluator: Evaluator, data: DataParams, params: WatchParams, seed: int) -> Drift:
    """Compare the newest pictures in a folder or zip file with the data that the evaluator's reference was made of.

    Pictures are read as `prepare` reads them; their order is that of their files' times, in a zip file of their names.
    Where there are held-out images they stand for the data, since a classifier knows its training images too well.
    Raises EvaluationError where the data are not single images, or fewer pictures than one window can be read.
    """
    spec = evaluator.reference.description.spec
    field = spec.fields[spec.target]
    if not isinstance(field, ImageField) or not spec.paired:
        raise EvaluationError(
            "drift is looked for in single images",
            code="no-drift",
            expected="data whose target is an image",
            found=field.description,
        )
    form = ImageFormat(field.size, field.channels, data.options.get("white"))
    names, images = _newest(path, form, data, params)
    column = evaluator.reference.columns[spec.target]
    held_out = column.splits.get("test")
    real = held_out if held_out is not None and len(held_out.features) >= params.window else column.compared
    drawn = torch.Generator().manual_seed(seed)
    reference = real.features[torch.randperm(len(real.features), generator=drawn)[:MOST_REFERENCE]]
    windows = []
    for start in range(0, len(names), params.window):
        rows = torch.arange(start, start + params.window)
        features = features_of(images, evaluator.extractor, rows, params.window, "features of new pictures")
        kid, p = permutation_test(features, reference, PERMUTATIONS, drawn)
        windows.append(Window(names[start], names[start + params.window - 1], kid, p, p <= params.level))
    return Drift(tuple(windows), params.drifted)


def permutation_test(x: Tensor, y: Tensor, permutations: int, generator: torch.Generator) -> tuple[float, float]:
    """The unbiased squared MMD of features (n, d) and (m, d) with KID's kernel, and its p-value.

    The p-value is the share of `permutations` random exchanges, and of what was found, that are as large or larger.
    """
    pooled = torch.cat([x, y]).double()
    kernel = (pooled @ pooled.T / pooled.shape[1] + 1).pow_(3).fill_diagonal_(0)
    orders = [
        torch.arange(len(pooled)),
        *(torch.randperm(len(pooled), generator=generator) for _ in range(permutations)),
    ]
    first = torch.zeros(len(pooled), len(orders), dtype=torch.double)
    for index, order in enumerate(orders):
        first[order[: len(x)], index] = 1
    n, m = len(x), len(y)
    sums = kernel @ first
    within, all_rows = (first * sums).sum(dim=0), kernel.sum()
    across = sums.sum(dim=0) - within
    rest = all_rows - within - 2 * across
    found = within / (n * (n - 1)) + rest / (m * (m - 1)) - 2 * across / (n * m)
    return float(found[0]), (1 + int((found[1:] >= found[0]).sum())) / len(orders)


def _newest(path: Path, form: ImageFormat, data: DataParams, params: WatchParams) -> tuple[list[str], Tensor]:
    """Names and images of the newest whole windows, the oldest first."""
    files: Files = Folder(path) if path.is_dir() else Archive(path)
    candidates = sorted(pictures(files.scan().candidates), key=lambda each: (_time(path, each), each.parts))
    candidates = candidates[-params.window * params.windows :]
    with tempfile.TemporaryDirectory() as scratch:
        context = SourceContext(data, Path(scratch), Path(scratch))
        decoded = decode_files(files, candidates, Whole(form), context, "new pictures")
        usable = [row for row in range(len(candidates)) if row not in decoded.rejected]
        usable = usable[len(usable) % params.window :]
        images = torch.from_numpy(decoded.columns[0][usable].copy())
    if not usable:
        raise EvaluationError(
            f"there are too few pictures in {path}",
            code="too-few-images",
            expected=f"at least one window of {params.window}",
            found=f"{len(candidates) - len(decoded.rejected)} that can be read",
            action="wait for more, or lower watch.window",
        )
    return [candidates[row].name for row in usable], images


def _time(path: Path, candidate: Candidate) -> float:
    try:
        return (path / candidate.name).stat().st_mtime
    except OSError:  # in a zip file
        return 0.0
