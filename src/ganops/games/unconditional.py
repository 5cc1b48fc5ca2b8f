"""The plain game: a generator that sees noise against a discriminator that sees images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Batch, Game, Player, Request, Turn
from ganops.games.penalty import PenaltySettings
from ganops.networks.network import Discriminator, Generator, pick
from ganops.objectives.adversarial import ADVERSARIAL, LossName
from ganops.settings import Settings


class UnconditionalSettings(Settings):
    """loss: what both sides play for; penalty: what the discriminator pays besides; clip: bound of critic weights."""

    loss: LossName
    penalty: PenaltySettings | None = None
    clip: float | None = None


@GAMES.add("unconditional", UnconditionalSettings)
class Unconditional(Game):
    """Generator against discriminator on images alone (Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1).

    The discriminator's turn makes the fakes; the generator's first turn in the same round plays with these same fakes,
    as the official DCGAN example does, which saves one pass through the generator.
    """

    def __init__(self, settings: UnconditionalSettings, networks: dict[str, nn.Module], _spec: DataSpec) -> None:
        super().__init__()
        self.settings, self.loss = settings, ADVERSARIAL[settings.loss]
        self.generator = pick(networks, "generator", Generator)
        self.discriminator = pick(networks, "discriminator", Discriminator)
        self.players = {"discriminator": Player(("discriminator",)), "generator": Player(("generator",))}
        self.averaged = ("generator",)
        self.latent_dim = self.generator.latent_dim
        self._fakes: dict[int, Tensor] = {}

    def turn(self, player: str, batch: Batch, step: int) -> Turn:
        """Play one turn; see Game."""
        return self._judge(batch, step) if player == "discriminator" else self._forge(batch)

    def generate(self, request: Request) -> Tensor:
        """Images for latents; labels are ignored."""
        images: Tensor = self.generator(request.latents)
        return images

    def after_update(self, player: str) -> None:
        """Clip the critic's weights where the recipe asks for it (WGAN, arXiv:1701.07875, algorithm 1)."""
        if self.settings.clip is not None and player == "discriminator":
            for parameter in self.discriminator.parameters():
                parameter.data.clamp_(-self.settings.clip, self.settings.clip)

    def _judge(self, batch: Batch, step: int) -> Turn:
        self._fakes[batch.part] = self._draw_fakes(batch)
        fakes = self._fakes[batch.part].detach()
        real, fake = self.discriminator(batch.images).float(), self.discriminator(fakes).float()
        terms = {"loss": self.loss.discriminator(real, fake)}
        if self.settings.penalty is not None:
            terms |= self.settings.penalty.term(self.discriminator, batch.images, fakes, step)
        score = self.loss.score
        observed = {
            "D(x)": score(real).mean(),
            "D(G(z))": score(fake).mean(),
            "accuracy": (real > fake).float().mean(),
        }
        return Turn(terms, {name: value.detach() for name, value in observed.items()})

    def _forge(self, batch: Batch) -> Turn:
        fakes = self._fakes.pop(batch.part, None)
        if fakes is None:
            fakes = self._draw_fakes(batch)
        return Turn({"loss": self.loss.generator(self.discriminator(fakes).float())})

    def _draw_fakes(self, batch: Batch) -> Tensor:
        latents = torch.randn(len(batch), self.latent_dim, device=batch.images.device)
        fakes: Tensor = self.generator(latents)
        return fakes
