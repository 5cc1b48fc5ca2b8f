"""The pictures of a contest: a strip of samples for each recipe, and side by side what each shows of itself."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from ganops.reporting.captions import INK, font, with_caption
from ganops.reporting.grids import save_png

COLUMNS = 10  # of every grid that is kept
ROWS, NAME_PIXELS, GAP, WIDTH, COLOURS = 2, 116, 8, 1100, 128


def draw_contest(recipes: list[tuple[str, Path]], start: Path) -> None:
    """Draw START.png, the strips, and START-exhibits.png, from what lies in each recipe's folder, in the order given.

    Every recipe can walk from one latent to another: only the first one's interpolations are shown.
    """
    save_png(_lean(strips_of(recipes)), start.with_name(f"{start.name}.png"))
    shown = []
    for name, folder in recipes:
        common = {"samples"} if name == recipes[0][0] else {"samples", "interpolations"}
        files = [file for file in sorted(folder.glob("*.png")) if file.stem not in common]
        shown += [(f"{name}: {file.stem}", Image.open(file).convert("RGB")) for file in files]
    save_png(_lean(flowed(shown)), start.with_name(f"{start.name}-exhibits.png"))


def strips_of(recipes: list[tuple[str, Path]]) -> Image.Image:
    """The first rows of each recipe's samples, its name on the left."""
    strips = []
    for name, folder in recipes:
        grid = Image.open(folder / "samples.png").convert("RGB")
        step = (grid.width - 2) // COLUMNS
        strips.append((name, grid.crop((0, 0, grid.width, 2 + ROWS * step))))
    width, height = max(strip.width for _, strip in strips), max(strip.height for _, strip in strips) + GAP
    canvas = Image.new("RGB", (NAME_PIXELS + width, len(strips) * height), "white")
    draw = ImageDraw.Draw(canvas)
    for index, (name, strip) in enumerate(strips):
        canvas.paste(strip, (NAME_PIXELS, index * height))
        draw.text((4, index * height + strip.height // 2), name, fill=INK, font=font(), anchor="lm")
    return canvas


def flowed(shown: list[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures with their captions, as many in a row as fit, the tallest first."""
    pictures = sorted((with_caption(image, text) for text, image in shown), key=lambda image: -image.height)
    places, x, y, tallest = [], 0, 0, 0
    for picture in pictures:
        if x and x + picture.width > WIDTH:
            x, y, tallest = 0, y + tallest + GAP, 0
        places.append((x, y))
        x, tallest = x + picture.width + GAP, max(tallest, picture.height)
    canvas = Image.new("RGB", (WIDTH, y + tallest), "white")
    for picture, place in zip(pictures, places, strict=True):
        canvas.paste(picture, place)
    return canvas


def _lean(image: Image.Image) -> Image.Image:
    """The same in few colours: a page loads it faster, and the eye misses none."""
    return image.quantize(COLOURS, dither=Image.Dither.NONE)
