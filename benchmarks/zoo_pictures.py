"""The pictures of a contest: a strip of samples of each recipe, and the figures of all games together."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from ganops.data.fields.captions import INK, font, with_caption
from ganops.data.fields.pictures import save_png

COLUMNS = 10  # of every grid that is kept
ROWS = 2  # of each grid that a strip shows
NAME_PIXELS, GAP, WIDTH = 116, 8, 1100
COLOURS = {"L": 16, "RGB": 64}  # enough for images of this size, and a page loads them faster


def draw_contest(recipes: list[tuple[str, Path]], start: Path) -> None:
    """Draw START.png, the strips, and START-figures.png, from what lies in each recipe's folder, in the order given.

    Every recipe can walk from one latent to another: only the first one's interpolations are shown.
    """
    strips = [(name, Image.open(folder / "samples.png")) for name, folder in recipes]
    save_png(_lean(strips_of(strips)), start.with_name(f"{start.name}.png"))
    shown = []
    for name, folder in recipes:
        common = {"samples"} if name == recipes[0][0] else {"samples", "interpolations"}
        files = [file for file in sorted(folder.glob("*.png")) if file.stem not in common]
        shown += [(f"{name}: {file.stem}", Image.open(file)) for file in files]
    save_png(_lean(flowed(shown)), start.with_name(f"{start.name}-figures.png"))


def strips_of(grids: list[tuple[str, Image.Image]]) -> Image.Image:
    """The first rows of each recipe's samples, its name on the left, in two columns, down the left one first."""
    step = (grids[0][1].width - 2) // COLUMNS
    width, height = NAME_PIXELS + max(grid.width for _, grid in grids) + GAP, 2 + ROWS * step + GAP
    down = -(-len(grids) // 2)
    canvas = Image.new(grids[0][1].mode, (2 * width, down * height), "white")
    draw = ImageDraw.Draw(canvas)
    for index, (name, grid) in enumerate(grids):
        left, top = index // down * width, index % down * height
        canvas.paste(grid.crop((0, 0, grid.width, height - GAP)), (left + NAME_PIXELS, top))
        draw.text((left + 4, top + (height - GAP) // 2), name, fill=INK, font=font(), anchor="lm")
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
    canvas = Image.new(pictures[0].mode, (WIDTH, y + tallest), "white")
    for picture, place in zip(pictures, places, strict=True):
        canvas.paste(picture, place)
    return canvas


def _lean(image: Image.Image) -> Image.Image:
    return image.quantize(COLOURS[image.mode], dither=Image.Dither.NONE)
