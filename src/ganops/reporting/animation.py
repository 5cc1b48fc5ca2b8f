"""The training as a short film: the sample grids of one recipe in order."""

from __future__ import annotations

from io import BytesIO
from math import sqrt
from pathlib import Path

from PIL import Image

from ganops.atomic import write_bytes
from ganops.data.fields.captions import with_caption
from ganops.errors import EvaluationError

FRAME_MILLISECONDS = 300
LAST_FRAME_MILLISECONDS = 2500
MAX_FRAMES = 60
MAX_BYTES = 1_000_000
MIN_SIZE = 0.25
MAX_SIDE = 2048  # pixels of a frame; sixty grids of large images would fill the memory


def animate(frames_folder: Path, out: Path) -> None:
    """Join step-*.png of a folder, in the order of their steps, to an animated WebP or GIF, by the suffix of `out`.

    Each frame names its step; the last one is shown longer. Of more than 60 grids, 60 evenly spaced ones are used,
    including the first and the last. A film above 1 MB is shrunk.
    Raises EvaluationError when there are no grids, one cannot be read, they differ in size, or for another suffix.
    """
    kinds = {".webp": "WEBP", ".gif": "GIF"}
    if out.suffix not in kinds:
        raise EvaluationError(
            f"{out}: unknown kind of animation", code="unknown-kind", expected="one of .webp, .gif", found=out.suffix
        )
    paths = _spread(sorted(frames_folder.glob("step-*.png"), key=_step))
    if not paths:
        raise EvaluationError(
            f"no sample grids in {frames_folder}",
            code="no-frames",
            expected="step-*.png",
            action="train the recipe again: dvc repro",
        )
    frames = [_read(path) for path in paths]
    if len({frame.size for frame in frames}) > 1:
        raise EvaluationError(
            f"the sample grids in {frames_folder} differ in size",
            code="frames-differ",
            expected="grids of one training",
            found=", ".join(sorted({f"{frame.width}x{frame.height}" for frame in frames})),
            action="remove the folder and train the recipe again",
        )
    captions = [f"step {_step(path):,}" for path in paths]
    size, film = 1.0, _encode(frames, captions, 1.0, kinds[out.suffix])
    while len(film) > MAX_BYTES and size > MIN_SIZE:
        # The size of the file grows roughly with the area, so one more pass is usually enough.
        size = max(MIN_SIZE, 0.9 * size * sqrt(MAX_BYTES / len(film)))
        film = _encode(frames, captions, size, kinds[out.suffix])
    write_bytes(out, film)


def _step(path: Path) -> int:
    number = path.stem.removeprefix("step-")
    if not number.isdecimal():
        raise EvaluationError(
            f"{path} is not a sample grid", code="bad-frame-name", expected="step-<number>.png", found=path.name
        )
    return int(number)


def _spread(paths: list[Path]) -> list[Path]:
    count = min(len(paths), MAX_FRAMES)
    return [paths[round(index * (len(paths) - 1) / max(count - 1, 1))] for index in range(count)]


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("L" if image.mode == "L" else "RGB").reduce(-(-max(image.size) // MAX_SIDE))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # SyntaxError: of a damaged PNG
        raise EvaluationError(
            f"{path} cannot be read", code="damaged-file", found=str(error), action="train the recipe again"
        ) from error


def _encode(frames: list[Image.Image], captions: list[str], size: float, kind: str) -> bytes:
    """The film with its frames scaled by `size`; captions keep their size, so that they stay readable."""
    width, height = (round(size * side) for side in frames[0].size)
    shrunk = [frame.resize((width, height), Image.Resampling.LANCZOS) for frame in frames]
    shown = [with_caption(frame, caption) for frame, caption in zip(shrunk, captions, strict=True)]
    if kind == "GIF" and shown[0].mode == "RGB":
        # Pillow's default quantizer takes a hundred times as long for hardly better colours.
        shown = [frame.quantize(method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for frame in shown]
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_FRAME_MILLISECONDS]
    film = BytesIO()
    # quality and method are WebP's; GIF ignores them.
    shown[0].save(film, kind, save_all=True, append_images=shown[1:], duration=durations, loop=0, quality=70, method=2)
    return film.getvalue()
