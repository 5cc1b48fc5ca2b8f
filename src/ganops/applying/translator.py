"""One picture of any size through a model of images of one size."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from PIL import Image
from torch import Tensor

from ganops.applying.tiles import Tiling, translate_in_tiles
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Schema
from ganops.data.fields.label_map import PictureField
from ganops.data.rows import Rows
from ganops.errors import ModelError, SettingsError
from ganops.games.game import Game
from ganops.games.sampling import draw_latents, find_task

OVERLAP = 0.5  # share of a tile: networks with instance norm see the contrast of their tile, which differs less so
AT_ONCE = 16  # tiles


class PictureTranslator:
    """A task that makes a picture of a picture, for pictures of any size.

    tile, overlap: in source pixels; by default the size that the model was trained for, and half of it. A network that
    takes only its own size is asked once, before any work.
    given: stored values, one row each, of inputs besides the picture, such as a class.
    seed: of latents, which are the same for all tiles of all pictures.

    Raises ModelError for a task without pictures on both sides, SettingsError for missing inputs, for the picture
    itself among `given`, and for bad tiles.
    """

    def __init__(
        self,
        game: Game,
        task: str | None = None,
        *,
        tile: int | None = None,
        overlap: int | None = None,
        given: Mapping[str, Tensor] | None = None,
        seed: int = 0,
    ) -> None:
        self._game, self._task = game, task
        wanted = find_task(game, task)
        self.source, self.input = _only_picture(wanted.inputs, "input")
        self.target, self.output = _only_picture(wanted.outputs, "output")
        if self.output.size % self.input.size:
            raise ModelError(
                "the model does not enlarge by a whole number",
                code="scale-not-whole",
                expected=f"outputs of a multiple of {self.input.size} pixels",
                found=f"{self.output.size} pixels",
            )
        side = self.input.size if tile is None else tile
        default = min(round(OVERLAP * side), side - 1)
        self.tiling = Tiling(side, default if overlap is None else overlap, self.output.size // self.input.size)
        self._device = next(game.parameters()).device
        self._others = self._beside(wanted.inputs, wanted.latents, given or {}, seed)
        if side != self.input.size:
            self._try_tiles()

    def __call__(self, picture: Image.Image, report: Callable[[float], None] | None = None) -> Image.Image:
        """The translation of a picture; report: called with the share that is done.

        picture: of mode L or RGB; for label maps indexed, or in the colours of their classes. Raises RefusedError for a
        label map that holds other classes than the model's.
        """
        width, height = picture.size
        scale = self.tiling.scale
        result: Image.Image | None = None
        done = 0

        def read(start: int, end: int) -> Tensor:
            return self.input.of_picture(picture.crop((0, start, width, end)))[0]

        for strip in translate_in_tiles(self.tiling, height, width, read, self._translate, AT_ONCE):
            (drawn,) = self.output.pictures(self.output.to_storage(strip[None]))
            if result is None:
                result = Image.new(drawn.mode, (width * scale, height * scale))
                if drawn.mode == "P":
                    result.putpalette(drawn.getpalette() or [])
            result.paste(drawn, (0, done))
            done += drawn.height
            if report is not None:
                report(done / result.height)
        assert result is not None, "a picture has at least one row"
        return result

    @torch.inference_mode()
    def _translate(self, stored: Tensor) -> Tensor:
        """Modelled outputs (n, C', h, w) for stored tiles (n, C, h, w)."""
        inputs = {self.source: self.input.to_model(stored.to(self._device))}
        others = self._others.map(lambda column: column.expand(len(stored), *column.shape[1:])) if self._others else {}
        return self._game.eval().generate(Rows({**inputs, **others}), self._task)[self.target]

    def _beside(self, inputs: Schema, latents: Schema, given: Mapping[str, Tensor], seed: int) -> Rows | None:
        """One modelled row of all inputs and latents but the picture; None where there are none."""
        wanted = {name: field for name, field in inputs.items() if name != self.source}
        if self.source in given:
            raise SettingsError(
                f"'{self.source}' is the picture that is translated",
                code="picture-given",
                expected=f"values of {', '.join(wanted)}" if wanted else "no other inputs: the model takes none",
                found=self.source,
                action=f"leave out --given {self.source}=...",
            )
        if missing := wanted.keys() - given.keys():
            name = min(missing)
            raise SettingsError(
                f"the model needs '{name}' besides the picture",
                code="inputs-missing",
                expected=f"{name}: {wanted[name].description}",
                action=f"give --given {name}=VALUE",
            )
        columns = {name: field.to_model(given[name]) for name, field in wanted.items()}
        columns |= dict(draw_latents(latents, 1, seed) or {})
        return Rows(columns).to(self._device) if columns else None

    def _try_tiles(self) -> None:
        """Raise SettingsError where the networks do not take tiles of this size."""
        side = self.tiling.tile
        shape = (1, self.input.shape[0], side, side)
        try:
            fits = self._translate(torch.zeros(shape, dtype=self.input.storage)).shape[-1] == side * self.tiling.scale
        except RuntimeError:
            fits = False
        if not fits:
            raise SettingsError(
                f"the networks of this model do not take tiles of {side} pixels",
                code="tile-size",
                expected=f"{self.input.size}, or a multiple of it where the networks allow it",
                found=str(side),
                action="leave out --tile",
            )


def _only_picture(schema: Schema, side: str) -> tuple[str, PictureField]:
    """The one picture of a side of a task; inputs may hold classes besides."""
    pictures = [(name, field) for name, field in schema.items() if isinstance(field, PictureField)]
    others = [name for name, field in schema.items() if not isinstance(field, PictureField | CategoryField)]
    if len(pictures) != 1 or others:
        raise ModelError(
            "this model does not make pictures of pictures",
            code="not-image-to-image",
            expected=f"one picture as {side}",
            found=", ".join(f"{name}: {field.description}" for name, field in schema.items()) or "nothing",
            action="take a model of image-to-image translation, or `ganops sample`",
        )
    return pictures[0]
