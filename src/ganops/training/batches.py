"""An endless, reproducible stream of batches from packed images, gathered where training runs."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from ganops.data.packed import PackedImages
from ganops.errors import DataError
from ganops.games.game import Batch
from ganops.games.sampling import to_float
from ganops.training.randomness import seed_for

# Share of a GPU's free memory that the packed images may take before they stay on the host.
RESIDENT_SHARE = 0.4


class Order:
    """Which rows belong to which batch: one shuffled epoch after the other, batches run across the seam."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self._epoch, self._permutation = -1, torch.empty(0, dtype=torch.int64)

    def rows(self, index: int) -> Tensor:
        """(batch_size,) row numbers of batch `index`; a function of seed and index alone."""
        pieces, position, wanted = [], index * self.batch_size, self.batch_size
        while wanted:
            epoch, offset = divmod(position, self.count)
            piece = self._shuffled(epoch)[offset : offset + wanted]
            pieces.append(piece)
            position, wanted = position + len(piece), wanted - len(piece)
        return torch.cat(pieces) if len(pieces) > 1 else pieces[0]

    def _shuffled(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(seed_for(self.seed, epoch))
            self._epoch, self._permutation = epoch, torch.randperm(self.count, generator=generator)
        return self._permutation


class Rows(Protocol):
    """Where the images lie: gives the rows of a batch on the training device."""

    def take(self, rows: Tensor, upcoming: Tensor) -> tuple[Tensor, Tensor | None]:
        """Packed images and labels of `rows`; `upcoming` are the rows that will be asked for next."""


class ResidentRows:
    """The whole data set on the training device."""

    def __init__(self, data: PackedImages, device: torch.device) -> None:
        self.images = data.images.to(device)
        self.labels = None if data.labels is None else data.labels.to(device)

    def take(self, rows: Tensor, upcoming: Tensor) -> tuple[Tensor, Tensor | None]:
        """Gather on the device; nothing is prefetched because nothing has to travel."""
        del upcoming
        rows = rows.to(self.images.device, non_blocking=True)
        return self.images.index_select(0, rows), None if self.labels is None else self.labels.index_select(0, rows)


class StreamedRows:
    """The data set on the host (memory-mapped); the next batch is gathered and copied while this one is used."""

    def __init__(self, data: PackedImages, device: torch.device) -> None:
        self.data, self.device = data, device
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[Tensor, Future[tuple[Tensor, Tensor | None]]] | None = None

    def take(self, rows: Tensor, upcoming: Tensor) -> tuple[Tensor, Tensor | None]:
        """The prefetched batch where it is the one asked for, else gathered now."""
        if self._next is not None and torch.equal(self._next[0], rows):
            images, labels = self._next[1].result()
        else:
            images, labels = self._gather(rows)
        self._next = (upcoming, self._worker.submit(self._gather, upcoming))
        return (
            images.to(self.device, non_blocking=True),
            None if labels is None else labels.to(self.device, non_blocking=True),
        )

    def _gather(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        images = self.data.images.index_select(0, rows)
        labels = None if self.data.labels is None else self.data.labels.index_select(0, rows)
        if self.device.type == "cuda":
            return images.pin_memory(), None if labels is None else labels.pin_memory()
        return images, labels


class Batches:
    """Batch `index` of the stream, as floats in [-1, 1], channels-last, on the training device.

    flip: mirror each image left to right with probability 1/2.
    parts: a batch is cut into so many equal parts; a part is what one process, or one pass, computes.
    """

    def __init__(
        self, data: PackedImages, device: torch.device, batch_size: int, seed: int, flip: bool = False, parts: int = 1
    ) -> None:
        if len(data) < 2:
            raise DataError("too few images to train on", expected="at least 2", found=str(len(data)))
        self.order, self.flip, self.parts = Order(len(data), batch_size, seed), flip, parts
        self.rows: Rows = ResidentRows(data, device) if fits(data, device) else StreamedRows(data, device)

    def part(self, index: int, part: int = 0) -> Batch:
        """Part `part` of batch `index`; draws from torch's global generator where images are flipped."""
        size = self.order.batch_size // self.parts
        cut = slice(part * size, (part + 1) * size)
        images, labels = self.rows.take(self.order.rows(index)[cut], self.order.rows(index + 1)[cut])
        floats = to_float(images)
        if self.flip:
            mirrored = torch.rand(len(floats), 1, 1, 1, device=floats.device) < 0.5
            floats = torch.where(mirrored, floats.flip(3), floats)
        return Batch(floats.contiguous(memory_format=torch.channels_last), labels, part=part)


def fits(data: PackedImages, device: torch.device) -> bool:
    """Whether the packed images may lie on the training device as a whole."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return data.images.nbytes < RESIDENT_SHARE * free
