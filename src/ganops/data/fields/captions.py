"""Short texts inside pictures."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

TEXT_PIXELS = 13
LINE_PIXELS = 20
INK = "#3c3c3c"


def font(pixels: int = TEXT_PIXELS) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The sans-serif font that comes with Pillow, so that pictures look the same on every machine."""
    return ImageFont.load_default(pixels)


def with_caption(image: Image.Image, text: str) -> Image.Image:
    """`image`, grey or RGB, with one line of text on white below it."""
    canvas = Image.new(image.mode, (image.width, image.height + LINE_PIXELS), "white")
    canvas.paste(image, (0, 0))
    middle = (image.width // 2, image.height + LINE_PIXELS // 2)
    ImageDraw.Draw(canvas).text(middle, text, fill=INK, font=font(), anchor="mm")
    return canvas
