"""The training as a short film: the sample grids of one recipe, one after the other."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from ganops.atomic import write_bytes
from ganops.errors import EvaluationError
from ganops.reporting.captions import with_caption

FRAME_MILLISECONDS = 300
LAST_FRAME_MILLISECONDS = 2500
MAX_FRAMES = 60
MAX_BYTES = 1_000_000
# Tried in this order until the film is small enough; the last one is taken in any case.
SIZES = (1.0, 0.75, 0.5, 0.35)


def animate(frames_folder: Path, out: Path) -> None:
    """Join step-*.png of a folder, in the order of their steps, to an animated WebP or GIF, by the suffix of `out`.

    Each frame says its step; the last one stays longer. Of more than 60 grids, 60 evenly spread ones are taken, first
    and last among them. A film above 1 MB is shrunk.
    Raises EvaluationError when there is no grid, one cannot be read, they differ in size, or for another suffix.
    """
    kinds = {".webp": "WEBP", ".gif": "GIF"}
    if out.suffix not in kinds:
        raise EvaluationError(f"{out}: unknown kind of animation", expected="one of .webp, .gif", found=out.suffix)
    paths = _spread(sorted(frames_folder.glob("step-*.png"), key=_step))
    if not paths:
        raise EvaluationError(
            f"no sample grids in {frames_folder}", expected="step-*.png", action="train the recipe again: dvc repro"
        )
    frames = [_read(path) for path in paths]
    if len({frame.size for frame in frames}) > 1:
        raise EvaluationError(
            f"the sample grids in {frames_folder} differ in size",
            expected="all of one training",
            found=", ".join(sorted({f"{frame.width}x{frame.height}" for frame in frames})),
            action="remove the folder and train the recipe again",
        )
    captions = [f"step {_step(path):,}" for path in paths]
    for size in SIZES:
        shrunk = [with_caption(_shrink(frame, size), text) for frame, text in zip(frames, captions, strict=True)]
        film = _encode(shrunk, kinds[out.suffix])
        if len(film) <= MAX_BYTES:
            break
    write_bytes(out, film)


def _step(path: Path) -> int:
    number = path.stem.removeprefix("step-")
    if not number.isdecimal():
        raise EvaluationError(f"{path} is no sample grid", expected="step-<number>.png", found=path.name)
    return int(number)


def _spread(paths: list[Path]) -> list[Path]:
    count = min(len(paths), MAX_FRAMES)
    return [paths[round(index * (len(paths) - 1) / max(count - 1, 1))] for index in range(count)]


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for a damaged PNG
        raise EvaluationError(f"{path} cannot be read", found=str(error), action="train the recipe again") from error


def _shrink(frame: Image.Image, size: float) -> Image.Image:
    return frame.resize((round(frame.width * size), round(frame.height * size)), Image.Resampling.LANCZOS)


def _encode(frames: list[Image.Image], kind: str) -> bytes:
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_FRAME_MILLISECONDS]
    film = BytesIO()
    # quality and method are WebP's; GIF ignores them.
    frames[0].save(
        film, kind, save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=70, method=4
    )
    return film.getvalue()
