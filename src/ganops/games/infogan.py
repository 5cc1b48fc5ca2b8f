"""InfoGAN: part of the latent is a code that can be read off the images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.figures import varied
from ganops.games.game import GAMES, Figure
from ganops.games.gan_settings import StandardGANSettings, check_unpacked
from ganops.games.standard_gan import LATENT, DiscriminatorOutput, GeneratedBatch, StandardGAN
from ganops.networks.heads import CodeHead
from ganops.networks.one_hot import one_hot
from ganops.objectives.mutual_information import categorical_information, split_codes, uniform_information


class InfoGanSettings(StandardGANSettings):
    """categorical: numbers of values of the categorical codes; continuous: how many codes uniform in [-1, 1].

    categorical_weight, continuous_weight: lambda of the paper for either kind of code.
    """

    categorical: tuple[PositiveInt, ...] = (10,)
    continuous: int = Field(default=2, ge=0)
    categorical_weight: float = Field(default=1.0, gt=0)
    continuous_weight: float = Field(default=0.1, gt=0)


SWEPT = 2.0  # continuous codes are shown from minus this to this, beyond the training's 1, as in the paper's figure 2
ROWS_PER_CODE = 4


@GAMES.add("infogan", InfoGanSettings)
class InfoGan(StandardGAN):
    """A head Q on the discriminator's features estimates the codes; both players minimise its error.

    Chen et al. 2016, arXiv:1606.03657. The codes are the last of the generator's latents. All latents are standard
    normal for the caller: the largest of K becomes the categorical code, the normal distribution function makes the
    others uniform.
    """

    keeps_features = True

    def __init__(self, settings: InfoGanSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        check_unpacked(self.discriminator.pack)
        self.codes = settings
        length = sum(settings.categorical) + settings.continuous
        if not 0 < length < self.latent_dim:
            raise SettingsError(
                "the codes do not fit into the latents",
                code="code-length",
                expected=f"a total length of 1..{self.latent_dim - 1}",
                found=str(length),
                action="set networks.generator.latent_dim to the length of noise and codes together",
            )
        self.head = CodeHead(self.discriminator.feature_count, settings.categorical, settings.continuous)
        self.players = {**self.players, "discriminator": ("discriminator", "head")}

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """Rows for standard normal latents, the last of which become codes."""
        return super().generate(inputs.merged({LATENT: self.encode(inputs[LATENT])}), task)

    def encode(self, latents: Tensor) -> Tensor:
        """Standard normal (N, latent_dim) latents with their last entries turned into codes."""
        return to_codes(latents, self.codes.categorical, self.codes.continuous)

    def figures(self, latents: Rows, batch: Rows) -> dict[str, Figure]:
        """`categories`: a row for each value of each categorical code, everything else constant down a column.

        `codes`: four rows for each continuous code, which grows from -2 to 2 from left to right.
        """
        found, field = super().figures(latents, batch), self.task.outputs[self.target]
        codes, columns = self.encode(latents[LATENT]), len(latents)
        start = self.latent_dim - sum(self.codes.categorical) - self.codes.continuous
        rows = []
        for count in self.codes.categorical:
            rows.append(varied(codes, start, torch.eye(count, device=codes.device)).flatten(0, 1))
            start += count
        if rows:
            caption = "One row for each value of each categorical code; noise and other codes are constant in a column."
            images = self.generator(torch.cat(rows))
            found["categories"] = Figure(field, images, columns, "Categorical codes", caption)
        sweep = torch.linspace(-SWEPT, SWEPT, columns, device=codes.device)[:, None]
        places = range(start, self.latent_dim)
        rows = [varied(codes[:ROWS_PER_CODE], place, sweep).transpose(0, 1).flatten(0, 1) for place in places]
        if rows:
            caption = "Four rows for each continuous code, which grows from -2 to 2 from left to right."
            images = self.generator(torch.cat(rows))
            found["codes"] = Figure(field, images, columns, "Continuous codes", caption)
        return found

    def draw(self, batch: Rows) -> GeneratedBatch:
        """Rows generated from random noise and random codes."""
        latents = self.encode(torch.randn(len(batch), self.latent_dim, device=batch[self.target].device))
        return GeneratedBatch(self.generator(latents).float(), latents)

    def extra_losses(
        self,
        _player: str,
        _batch: Rows,
        generated: GeneratedBatch,
        _real: DiscriminatorOutput | None,
        fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """The negative bound on the mutual information between codes and images, in nats, weighted."""
        *logits, mean, log_deviation = self.head(fake.features)
        categorical, continuous = split_codes(generated.latents, self.codes.categorical, self.codes.continuous)
        terms = {}
        if categorical:
            bounds = [categorical_information(q, c) for q, c in zip(logits, categorical, strict=True)]
            terms["categorical information"] = -self.codes.categorical_weight * torch.stack(bounds).sum()
        if self.codes.continuous:
            bound = uniform_information(mean, log_deviation, continuous)
            terms["continuous information"] = -self.codes.continuous_weight * bound
        return terms


def to_codes(latents: Tensor, categorical: Sequence[int], continuous: int) -> Tensor:
    """Standard normal latents to [noise, one-hot codes, codes uniform in [-1, 1]], without random numbers."""
    chosen, last = split_codes(latents, categorical, continuous)
    noise = latents[:, : latents.shape[1] - sum(categorical) - continuous]
    codes = [one_hot(part.argmax(dim=1), part.shape[1], latents.dtype) for part in chosen]
    return torch.cat((noise, *codes, torch.erf(last / math.sqrt(2))), dim=1)
