"""InfoGAN: part of the latent is a code that the images must give away again."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.figures import varied
from ganops.games.game import GAMES, Batch, Figure, Player, Request
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN, StandardGANSettings
from ganops.networks.heads import CodeHead
from ganops.networks.one_hot import one_hot
from ganops.objectives.mutual_information import categorical_information, split_codes, uniform_information


class InfoGanSettings(StandardGANSettings):
    """categorical: numbers of values of the categorical codes; continuous: how many codes uniform in [-1, 1].

    categorical_weight, continuous_weight: lambda of the paper for the two sorts.
    """

    categorical: tuple[int, ...] = (10,)
    continuous: int = Field(default=2, ge=0)
    categorical_weight: float = Field(default=1.0, gt=0)
    continuous_weight: float = Field(default=0.1, gt=0)


SWEPT = 2.0  # continuous codes are shown from minus this to this, beyond the training's 1, as in the paper's figure 2
ROWS_PER_CODE = 4


@GAMES.add("infogan", InfoGanSettings)
class InfoGan(StandardGAN):
    """A head Q on the discriminator's features guesses the codes; both sides gain by what it knows of them.

    Chen et al. 2016, arXiv:1606.03657. The codes are the last of the generator's latents. All are drawn standard
    normal, as everywhere: the largest of K is the categorical code, the normal distribution function makes it uniform.
    """

    def __init__(self, settings: InfoGanSettings, networks: dict[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.codes = settings
        length = sum(settings.categorical) + settings.continuous
        if not 0 < length < self.latent_dim:
            raise SettingsError(
                f"codes of length {length} do not fit into latents of length {self.latent_dim}",
                action="set networks.generator.latent_dim to the length of noise and codes together",
            )
        self.head = CodeHead(self.discriminator.feature_count, settings.categorical, settings.continuous)
        self.players["discriminator"] = Player(("discriminator", "head"))

    def generate(self, request: Request) -> Tensor:
        """Images for standard normal latents, the last of which become codes."""
        images: Tensor = self.generator(self.encode(request.latents))
        return images

    def encode(self, latents: Tensor) -> Tensor:
        """Standard normal (N, latent_dim) latents with their last entries turned into codes."""
        return to_codes(latents, self.codes.categorical, self.codes.continuous)

    def figures(self, latents: Tensor, batch: Batch) -> dict[str, Figure]:
        """`categories`: a row for each value of each categorical code, all else the same down a column.

        `codes`: four rows for each continuous code, which grows from -2 to 2 from left to right, all else the same.
        """
        codes, columns, found = self.encode(latents), len(latents), super().figures(latents, batch)
        start = self.latent_dim - sum(self.codes.categorical) - self.codes.continuous
        rows = []
        for count in self.codes.categorical:
            rows.append(varied(codes, start, torch.eye(count, device=codes.device)).flatten(0, 1))
            start += count
        if rows:
            found["categories"] = Figure(self.generator(torch.cat(rows)), columns)
        sweep = torch.linspace(-SWEPT, SWEPT, columns, device=codes.device)[:, None]
        places = range(start, self.latent_dim)
        rows = [varied(codes[:ROWS_PER_CODE], place, sweep).transpose(0, 1).flatten(0, 1) for place in places]
        if rows:
            found["codes"] = Figure(self.generator(torch.cat(rows)), columns)
        return found

    def draw(self, batch: Batch) -> GeneratedBatch:
        """Fakes of random noise and random codes."""
        latents = self.encode(torch.randn(len(batch), self.latent_dim, device=batch.images.device))
        return GeneratedBatch(self.generator(latents).float(), latents)

    def discriminate(self, images: Tensor, labels: Tensor | None) -> DiscriminatorOutput:
        """Logits, and the features they come from."""
        features = self.discriminator.features(images)
        return DiscriminatorOutput(images, self.discriminator.judge(features, labels).float(), features)

    def extra_terms(
        self,
        _player: str,
        _batch: Batch,
        forgery: GeneratedBatch,
        _real: DiscriminatorOutput | None,
        fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """Minus the bound on the mutual information between codes and images, in nats, weighted."""
        *logits, mean, log_deviation = self.head(fake.features)
        categorical, continuous = split_codes(forgery.latents, self.codes.categorical, self.codes.continuous)
        terms = {}
        if categorical:
            known = [categorical_information(q, c) for q, c in zip(logits, categorical, strict=True)]
            terms["categorical information"] = -self.codes.categorical_weight * torch.stack(known).sum()
        if self.codes.continuous:
            known_uniform = uniform_information(mean, log_deviation, continuous)
            terms["continuous information"] = -self.codes.continuous_weight * known_uniform
        return terms


def to_codes(latents: Tensor, categorical: Sequence[int], continuous: int) -> Tensor:
    """Standard normal latents to [noise, one-hot codes, codes uniform in [-1, 1]]; no random numbers are drawn."""
    chosen, last = split_codes(latents, categorical, continuous)
    noise = latents[:, : latents.shape[1] - sum(categorical) - continuous]
    codes = [one_hot(part.argmax(dim=1), part.shape[1], latents.dtype) for part in chosen]
    return torch.cat((noise, *codes, torch.erf(last / math.sqrt(2))), dim=1)
