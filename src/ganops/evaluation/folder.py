"""Folders of images from anywhere as something that can be scored, without preparing a data set."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganops.data.convert import convert
from ganops.data.packed import Split
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.evaluate import Evaluation, evaluate_images
from ganops.evaluation.extract import extract
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.metric import pick_groups
from ganops.evaluation.real import RealFeatures, Reference, ReferenceDescription, derive
from ganops.evaluation.statistics import Statistics, StatisticsGatherer
from ganops.params import EvaluateParams

# What pytorch-fid takes for an image.
SUFFIXES = {".bmp", ".jpg", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
READERS = 4  # threads that decode ahead; Pillow decodes without holding Python's lock


def find_images(folder: Path) -> list[Path]:
    """All image files below `folder`, in the order of their paths; raises EvaluationError for fewer than 2."""
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder", action="check the path")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if len(files) < 2:
        raise EvaluationError(
            f"too few images in {folder}",
            expected=f"at least 2 files of the kinds {', '.join(sorted(SUFFIXES))}",
            found=str(len(files)),
        )
    return files


def read_images(files: Sequence[Path], batch_size: int, size: int | None = None) -> Iterator[Tensor]:
    """Yield RGB batches (n, 3, H, W) uint8 in the order of `files`, decoded ahead, a batch in memory at a time.

    size: bring all images to this height and width, bicubic; None: they must have one size already.
    Raises EvaluationError for a file that cannot be read and for sizes that differ.
    """
    first: tuple[Path, Tensor] | None = None
    batch: list[Tensor] = []
    for path, image in _decode_ahead(files, size):
        first = first or (path, image)
        if image.shape != first[1].shape:
            raise EvaluationError(
                "the images differ in size",
                expected=f"{_size(first[1])}, as {first[0].name} has",
                found=f"{_size(image)} in {path}",
                action="give --size to bring all to one",
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
    """Score the images of one folder against those of another; the scores, and the statistics of the real ones.

    Every image is taken: `samples` of params is set to the number of generated ones, and subsets for KID are made no
    larger than the smaller folder. Raises EvaluationError as `read_images`, and where the folders' sizes differ.
    """
    pick_groups(params.scores)  # a misspelt score is told now, not after minutes
    files, real_files = find_images(generated), find_images(real)
    fewest = min(len(files), len(real_files))
    params = params.model_copy(
        update={"samples": len(files), "kid_subset_size": min(params.kid_subset_size, fewest), "split": "train"}
    )
    reference = _reference(real_files, real.name, extractor, params, seed, size)
    channels, height, width = reference.description.spec.shape
    batches = _same_size(read_images(files, params.batch_size, size), (channels, height, width), generated)
    return evaluate_images(batches, reference, extractor, params, seed, f"score {generated.name}"), reference.statistics


def folder_statistics(
    folder: Path, extractor: FeatureExtractor, batch_size: int, size: int | None = None
) -> Statistics:
    """Mean and covariance of the features of all images in a folder."""
    files, gatherer = find_images(folder), StatisticsGatherer()
    batches = read_images(files, batch_size, size)
    for _, activations in extract(batches, extractor, len(files), f"features {folder.name}"):
        gatherer.add(activations.features)
    return gatherer.result()


def _reference(
    files: Sequence[Path], name: str, extractor: FeatureExtractor, params: EvaluateParams, seed: int, size: int | None
) -> Reference:
    gatherer, found, digest = StatisticsGatherer(), list[Tensor](), hashlib.sha256()
    shape = (3, 0, 0)
    for images, activations in extract(
        read_images(files, params.batch_size, size), extractor, len(files), f"features {name}"
    ):
        digest.update(images.numpy().tobytes())
        gatherer.add(activations.features)
        found.append(activations.features)
        shape = (images.shape[1], images.shape[2], images.shape[3])
    features = torch.cat(found)
    pairwise, kth_distances = derive(features, params, seed)
    description = ReferenceDescription(
        extractor=extractor.name,
        weights=extractor.weights_digest,
        resize=extractor.resize,
        split="train",
        spec=DataSpec(shape=shape),
        real_data=digest.hexdigest(),
        counts={"train": len(features)},
        pairwise_samples=params.pairwise_samples,
        pairwise_count=len(pairwise),
        neighbours=params.neighbours,
    )
    real: dict[Split, RealFeatures] = {"train": RealFeatures(features, torch.arange(len(features)))}
    return Reference(description, gatherer.result(), real, pairwise, kth_distances, held_out=torch.empty(0))


def _same_size(batches: Iterator[Tensor], shape: tuple[int, int, int], folder: Path) -> Iterator[Tensor]:
    for images in batches:
        if tuple(images.shape[1:]) != shape:
            raise EvaluationError(
                "generated and real images differ in size",
                expected=f"{shape[2]} x {shape[1]}, as the real ones have",
                found=f"{_size(images[0])} in {folder}",
                action="give --size to bring all to one",
            )
        yield images


def _decode_ahead(files: Sequence[Path], size: int | None) -> Iterator[tuple[Path, Tensor]]:
    waiting: deque[tuple[Path, Future[Tensor]]] = deque()
    with ThreadPoolExecutor(READERS) as readers:
        for path in files:
            waiting.append((path, readers.submit(_decode, path, size)))
            if len(waiting) > 8 * READERS:
                first, image = waiting.popleft()
                yield first, image.result()
        for path, image in waiting:
            yield path, image.result()


def _decode(path: Path, size: int | None) -> Tensor:
    """RGB (3, H, W) as pytorch-fid reads it: no turning, no cropping."""
    try:
        with Image.open(path) as image:
            pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise EvaluationError(f"{path} cannot be read as an image", found=str(error), action="remove it") from error
    return pixels if size is None else convert(pixels.unsqueeze(0), (3, size, size))[0]


def _size(image: Tensor) -> str:
    return f"{image.shape[2]} x {image.shape[1]}"
