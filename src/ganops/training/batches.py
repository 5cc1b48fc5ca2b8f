"""An endless, reproducible stream of batches from stored rows, modelled on the training device."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ganops.data.derived.derivation import with_derived
from ganops.data.fields.field import Schema
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import DataError
from ganops.seeds import seed_for

# Share of a GPU's free memory that the stored rows may take before they stay on the host.
RESIDENT_SHARE = 0.4


@dataclass(frozen=True)
class TrainingData:
    """Stored rows, and what a game takes them as.

    rows: those of paired data together; of unpaired data each domain's apart, with lengths of their own.
    fields: what the columns of `rows` are. spec: what the game is built for; columns of another form (another image
    size) are converted batch by batch, so that data larger than memory stay where they are.
    """

    rows: tuple[Rows, ...]
    fields: Schema
    spec: DataSpec

    def converted(self, rows: Rows) -> Rows:
        """Some of the rows in the stored form of `spec`, only its columns."""
        wanted = {name: field for name, field in self.spec.fields.items() if name in rows}
        return Rows({name: self.fields[name].convert(rows[name], field) for name, field in wanted.items()})


class ShuffledSampler:
    """Which rows belong to which batch: one shuffled epoch after the other; batches run across the boundary."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self._epoch, self._permutation = -1, torch.empty(0, dtype=torch.int64)

    def rows(self, index: int) -> Tensor:
        """(batch_size,) row numbers of batch `index`; a function of seed and index alone."""
        pieces, position, wanted = list[Tensor](), index * self.batch_size, self.batch_size
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


class RowSource(Protocol):
    """Where the stored rows lie."""

    def gather(self, index: Tensor, upcoming: Tensor) -> Rows:
        """The rows of `index` on the training device; `upcoming` are the ones that will be asked for next."""


class ResidentRows:
    """The whole data set on the training device; on a CPU it may be memory-mapped."""

    def __init__(self, rows: Rows, device: torch.device) -> None:
        self.rows, self.device = rows.to(device), device

    def gather(self, index: Tensor, upcoming: Tensor) -> Rows:
        """Gather on the device; nothing is prefetched because nothing has to be transferred."""
        del upcoming
        return self.rows.select(index.to(self.device, non_blocking=True))


class StreamedRows:
    """The data set on the host (memory-mapped); the next rows are gathered while the current ones are used.

    hits: how often the prefetched rows were the ones asked for.
    """

    def __init__(self, rows: Rows, device: torch.device) -> None:
        self.rows, self.device, self.hits = rows, device, 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[Tensor, Future[Rows]] | None = None

    def gather(self, index: Tensor, upcoming: Tensor) -> Rows:
        """The prefetched rows where they are the ones asked for, else gathered now."""
        if self._next is not None and torch.equal(self._next[0], index):
            self.hits += 1
            found = self._next[1].result()
        else:
            found = self._read(index)
        self._next = (upcoming, self._worker.submit(self._read, upcoming))
        return found.to(self.device, non_blocking=True)

    def _read(self, index: Tensor) -> Rows:
        found = self.rows.select(index)
        return found.map(Tensor.pin_memory) if self.device.type == "cuda" else found


class RowStream:
    """The stored rows of one sampler: all of paired data, or one domain's."""

    def __init__(self, rows: Rows, device: torch.device, batch_size: int, seed: int) -> None:
        if len(rows) < 2:
            raise DataError(
                "too few rows to train on", code="too-few-rows", expected="at least 2", found=str(len(rows))
            )
        self.sampler = ShuffledSampler(len(rows), batch_size, seed)
        self.source: RowSource = ResidentRows(rows, device) if fits(rows, device) else StreamedRows(rows, device)

    def gather(self, index: int, upcoming: int, piece: slice, upcoming_piece: slice) -> Rows:
        """A piece of batch `index`, on the training device; the piece of `upcoming` will be asked for next."""
        return self.source.gather(self.sampler.rows(index)[piece], self.sampler.rows(upcoming)[upcoming_piece])


class Batches:
    """Batch `index` of the stream, cut into `micro_batches` equal parts, modelled, on the training device.

    Of unpaired data a batch holds as many rows of each domain, in an order of its own.
    flip: mirror each row with probability 1/2, all its fields alike. here: the micro-batches of this process.
    """

    def __init__(
        self,
        data: TrainingData,
        device: torch.device,
        batch_size: int,
        seed: int,
        *,
        flip: bool = False,
        micro_batches: int = 1,
        here: range | None = None,
    ) -> None:
        self.data, self.device, self.flip = data, device, flip
        self.size, self.micro_batches, self.here = (
            batch_size // micro_batches,
            micro_batches,
            here or range(micro_batches),
        )
        self.streams = [
            RowStream(
                *(rows.only(name for name in data.spec.fields if name in rows), device, batch_size),
                seed_for(seed, number) if number else seed,
            )
            for number, rows in enumerate(data.rows)
        ]

    def micro_batch(self, index: int, micro_batch: int = 0) -> Rows:
        """One part of batch `index`; draws from torch's global generators where rows are flipped or derived."""
        last = micro_batch == self.here[-1]
        following, upcoming = (index + 1, self.here[0]) if last else (index, micro_batch + 1)
        pieces = self._piece(micro_batch), self._piece(upcoming)
        parts = [self.data.converted(stream.gather(index, following, *pieces)) for stream in self.streams]
        return self._modelled(Rows({name: column for part in parts for name, column in part.items()}))

    def _piece(self, micro_batch: int) -> slice:
        return slice(micro_batch * self.size, (micro_batch + 1) * self.size)

    def _modelled(self, stored: Rows) -> Rows:
        fields = self.data.spec.fields
        modelled = {name: fields[name].to_model(column) for name, column in stored.items()}
        if self.flip:
            mirrored = torch.rand(len(stored), device=self.device) < 0.5
            modelled = {name: fields[name].flip(column, mirrored) for name, column in modelled.items()}
        return with_derived(Rows(modelled), self.data.spec).map(_channels_last)


def fits(rows: Rows, device: torch.device) -> bool:
    """Whether the stored rows may lie on the training device as a whole."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return rows.nbytes < RESIDENT_SHARE * free


def _channels_last(column: Tensor) -> Tensor:
    return column.contiguous(memory_format=torch.channels_last) if column.dim() == 4 else column
