"""Folders and zip files of pictures from anywhere, scored against each other without preparing a data set."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganops.data.archive import Archive
from ganops.data.decode import SUFFIXES, read_picture
from ganops.data.fields.image import ImageField
from ganops.data.folder import Folder
from ganops.data.listing import Files
from ganops.data.rejection import RefusedError, Rejection
from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.evaluator import Evaluation, Evaluator, outputs_only
from ganops.evaluation.extract import extract
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.real import RealFeatures, Reference, ReferenceDescription, make_column
from ganops.evaluation.statistics import Statistics, StatisticsGatherer
from ganops.games.task import Task
from ganops.params import EvaluateParams

READERS = 4  # threads that decode ahead; Pillow decodes without holding Python's lock


class Oblong(ImageField):
    """Pictures that need not be square: `size` is their height."""

    width: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return (self.channels, self.size, self.width)

    @property
    def description(self) -> str:
        """What the column holds."""
        return f"RGB images of {self.width} x {self.size} pixels"


@dataclass(frozen=True)
class Pictures:
    """The picture files of a folder or zip file, in the order of their names."""

    path: Path
    files: Files
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)


def find_pictures(path: Path) -> Pictures:
    """List a folder with its sub-folders, or a zip file; raises EvaluationError for fewer than 2 pictures."""
    if not path.exists():
        raise EvaluationError(f"{path} does not exist", code="path-missing", action="check the path")
    files: Files = Folder(path) if path.is_dir() else Archive(path)
    names = sorted(each.name for each in files.scan().candidates if each.name.lower().endswith(SUFFIXES))
    if len(names) < 2:
        raise EvaluationError(
            f"there are too few images in {path}",
            code="too-few-images",
            expected=f"at least 2 files of the kinds {', '.join(SUFFIXES)}",
            found=str(len(names)),
        )
    return Pictures(path, files, names)


def read_pictures(pictures: Pictures, batch_size: int, size: int | None = None) -> Iterator[Tensor]:
    """Yield RGB batches (n, 3, H, W) uint8 in order, decoded ahead, a batch in memory at a time.

    Pictures are read as `prepare` reads them: first frame, upright, over white, 16-bit grey scaled; not cropped.
    size: convert all to this height and width, bicubic; None: they must have one size already.
    Raises EvaluationError for a file that cannot be read and for sizes that differ.
    """
    first: tuple[str, Tensor] | None = None
    batch: list[Tensor] = []
    for name, image in _decode_ahead(pictures, size):
        first = first or (name, image)
        if image.shape != first[1].shape:
            raise EvaluationError(
                "the images differ in size",
                code="sizes-differ",
                expected=f"{_size(first[1].shape)}, as {first[0]} has",
                found=f"{_size(image.shape)} in {name}",
                action="give a size (--size) to convert all of them to",
            )
        batch.append(image)
        if len(batch) == batch_size:
            yield torch.stack(batch)
            batch = []
    if batch:
        yield torch.stack(batch)


def evaluate_folders(
    generated: Path, real: Path, extractor: FeatureExtractor, params: EvaluateParams, seed: int, size: int | None = None
) -> tuple[Evaluation, Statistics]:
    """Score the pictures of one folder or zip file against those of another; also the statistics of the real ones.

    Every picture is used: `samples` of params does not matter. Raises EvaluationError as `read_pictures` does, and for
    folders of different sizes.
    """
    made, originals = find_pictures(generated), find_pictures(real)
    params = params.model_copy(update={"samples": len(made), "split": "train"})
    reference = _reference(originals, extractor, params, seed, size)
    spec = reference.description.spec
    evaluator = Evaluator(reference, params, seed, extractor)
    task = Task(outputs={IMAGE: spec.fields[IMAGE]})
    groups = evaluator.groups(task)
    batches = _same_size(read_pictures(made, params.batch_size, size), spec.fields[IMAGE].shape, generated)
    context = evaluator.context(groups.chosen, task, spec, len(made))
    found = evaluator.measure(outputs_only(batches, IMAGE), groups.chosen, context, f"score {generated.name}")
    return replace(found, left_out=groups.too_little), reference.columns[IMAGE].statistics


def folder_statistics(path: Path, extractor: FeatureExtractor, batch_size: int, size: int | None = None) -> Statistics:
    """Mean and covariance of the features of all pictures in a folder or zip file."""
    pictures, gatherer = find_pictures(path), StatisticsGatherer()
    batches = read_pictures(pictures, batch_size, size)
    for _, activations in extract(batches, extractor, len(pictures), f"features {path.name}"):
        gatherer.add(activations.features)
    return gatherer.result()


def _reference(
    pictures: Pictures, extractor: FeatureExtractor, params: EvaluateParams, seed: int, size: int | None
) -> Reference:
    found, digest = list[Tensor](), hashlib.sha256()
    height = width = 0
    batches = read_pictures(pictures, params.batch_size, size)
    for images, activations in extract(batches, extractor, len(pictures), f"features {pictures.path.name}"):
        digest.update(images.numpy().tobytes())
        found.append(activations.features)
        height, width = images.shape[2:]
    features = RealFeatures(torch.cat(found), torch.arange(len(pictures)))
    description = ReferenceDescription(
        features=extractor.name,
        weights=extractor.weights_digest,
        resize=extractor.resize,
        split="train",
        spec=DataSpec(fields={IMAGE: Oblong(channels=3, size=height, width=width)}),
        real_data=digest.hexdigest(),
        counts={"train": len(pictures)},
    )
    return Reference(description, {IMAGE: make_column({"train": features}, "train", params.pairwise_samples, seed)})


def _same_size(batches: Iterator[Tensor], shape: tuple[int, ...], path: Path) -> Iterator[Tensor]:
    for images in batches:
        if tuple(images.shape[1:]) != shape:
            raise EvaluationError(
                "generated and real images differ in size",
                code="sizes-differ",
                expected=f"{_size(shape)}, as the real ones have",
                found=f"{_size(images.shape[1:])} in {path}",
                action="give a size (--size) to convert all of them to",
            )
        yield images


def _decode_ahead(pictures: Pictures, size: int | None) -> Iterator[tuple[str, Tensor]]:
    waiting: deque[tuple[str, Future[Tensor]]] = deque()
    with ThreadPoolExecutor(READERS) as readers:
        for name in pictures.names:
            waiting.append((name, readers.submit(_decode, pictures, name, size)))
            if len(waiting) > 8 * READERS:
                first, image = waiting.popleft()
                yield first, image.result()
        for name, image in waiting:
            yield name, image.result()


def _decode(pictures: Pictures, name: str, size: int | None) -> Tensor:
    """RGB (3, H, W)."""
    try:
        picture = read_picture(pictures.files.read(name)).convert("RGB")
    except RefusedError as error:
        raise EvaluationError(
            f"{name} in {pictures.path} cannot be read as an image",
            code="unreadable-image",
            found=Rejection(name, error.reason, error.detail).words,
            action="remove it, or convert it",
        ) from error
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    if size is None:
        return pixels
    own = Oblong(channels=3, size=pixels.shape[1], width=pixels.shape[2])
    return own.convert(pixels.unsqueeze(0), ImageField(channels=3, size=size))[0]


def _size(shape: Sequence[int]) -> str:
    return f"{shape[2]} x {shape[1]}"
