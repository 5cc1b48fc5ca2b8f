"""What games of paired images have in common: a generator that makes the target of a source."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import IMAGE, LABEL, DataSpec
from ganops.errors import SettingsError
from ganops.games.figures import stacked_rows
from ganops.games.game import Figure, Game
from ganops.games.task import Task
from ganops.networks.data_shapes import image_field, picture_field
from ganops.networks.network import Translator, check_fields, pick
from ganops.settings import Settings

TASK = "translate"
COLUMNS = 10  # of the figure


class TranslationSettings(Settings):
    """source: name of the images or label maps that the model is given. target: of the images that it makes."""

    source: str = "source"
    target: str = IMAGE


class Translation(Game):
    """A game whose model makes one target of each source, and whose data hold the true target of each source.

    The generator has no latent and draws nothing: an output depends on its source alone, whatever batch it is in.
    """

    default_metric = "psnr"

    def __init__(self, settings: TranslationSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__()
        if not spec.paired:
            raise SettingsError(
                "this game needs pairs of source and target",
                code="unpaired-data",
                action="use a game for two unpaired domains, or data whose columns belong together",
            )
        self.source, self.target = settings.source, settings.target
        self._source_field, self._target_field = picture_field(spec, self.source), image_field(spec, self.target)
        self.generator = pick(networks, "generator", Translator)
        check_fields("generator", self.generator, self.source, self.target)
        self.players = {"generator": ("generator",)}
        self.ema_networks = ("generator",)
        self.tasks = {
            TASK: Task(
                outputs={self.target: self._target_field},
                inputs={self.source: self._source_field},
                paired=True,
                class_column=LABEL if spec.classes else None,
            )
        }

    def translate(self, batch: Rows) -> Tensor:
        """The generator's targets for the sources of a batch, float32."""
        made: Tensor = self.generator(batch[self.source])
        return made.float()

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """The target of each source."""
        del task
        return Rows({self.target: self.generator(inputs[self.source])})

    def graph_key(self, _step: int) -> Hashable | None:
        """All steps are alike."""
        return ()

    def figures(self, _latents: Rows, batch: Rows) -> dict[str, Figure]:
        """Sources, above what is made of them, above the truth."""
        field = self._target_field
        stored = self._source_field.to_storage(batch[self.source])
        source = field.to_model(self._source_field.convert(stored, field))
        made, truth = self.generator(batch[self.source]).float(), batch[self.target]
        columns = min(COLUMNS, len(batch))
        return {
            "translations": Figure(
                field,
                stacked_rows((source, made, truth), columns),
                columns,
                title="Translations",
                caption="Rows of sources, each above the row of outputs for them and the row of true targets.",
            )
        }
