"""BiGAN / ALI: an encoder learns to undo the generator, since a discriminator sees images and latents together."""

from __future__ import annotations

from collections.abc import Hashable

import torch
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.figures import reconstructions
from ganops.games.game import GAMES, Batch, Figure, Game, Losses, Player, Request
from ganops.networks.network import Encoder, Generator, JointDiscriminator, pick
from ganops.objectives.adversarial import ADVERSARIAL, LossName
from ganops.settings import Settings


class BidirectionalSettings(Settings):
    """loss: what both sides play for."""

    loss: LossName


@GAMES.add("bidirectional", BidirectionalSettings)
class Bidirectional(Game):
    """Tell (x, E(x)) from (G(z), z) (Donahue et al. 2016, arXiv:1605.09782; Dumoulin et al. 2016, arXiv:1606.00704).

    Generator and encoder play together: they minimise the discriminator's loss with the labels exchanged, the
    non-saturating form of both papers.
    """

    def __init__(self, settings: BidirectionalSettings, networks: dict[str, nn.Module], _spec: DataSpec) -> None:
        super().__init__()
        self.loss = ADVERSARIAL[settings.loss]
        self.generator = pick(networks, "generator", Generator)
        self.encoder = pick(networks, "encoder", Encoder)
        self.discriminator = pick(networks, "discriminator", JointDiscriminator)
        if self.encoder.latent_dim != self.generator.latent_dim:
            raise SettingsError(
                "networks.encoder and networks.generator differ in latent_dim",
                expected=str(self.generator.latent_dim),
                found=str(self.encoder.latent_dim),
            )
        self.players = {"discriminator": Player(("discriminator",)), "generator": Player(("generator", "encoder"))}
        self.ema_networks = ("generator", "encoder")
        self.latent_dim = self.generator.latent_dim

    def losses(self, player: str, batch: Batch, _step: int) -> Losses:
        """Play one turn; see Game."""
        latents = torch.randn(len(batch), self.latent_dim, device=batch.images.device)
        fakes, codes = self.generator(latents).float(), self.encoder(batch.images).float()
        if player == "discriminator":
            fakes, codes = fakes.detach(), codes.detach()
        real = self.discriminator(batch.images, codes).float()
        fake = self.discriminator(fakes, latents).float()
        if player == "generator":
            return Losses({"loss": self.loss.discriminator(fake, real)})
        score = self.loss.score
        observed = {
            "D(x)": score(real).mean(),
            "D(G(z))": score(fake).mean(),
            "accuracy": (real > fake).float().mean(),
        }
        return Losses({"loss": self.loss.discriminator(real, fake)}, {k: v.detach() for k, v in observed.items()})

    def graph_key(self, _step: int) -> Hashable:
        """All rounds are alike."""
        return ()

    def generate(self, request: Request) -> Tensor:
        """Images for latents."""
        images: Tensor = self.generator(request.latents)
        return images

    def figures(self, latents: Tensor, batch: Batch) -> dict[str, Figure]:
        """Real images above what is made of their inferred latents."""
        return {"reconstructions": reconstructions(batch.images, self.reconstruct(batch.images), len(latents))}

    @torch.no_grad()
    def reconstruct(self, images: Tensor) -> Tensor:
        """G(E(x)) for (N, C, H, W) images."""
        again: Tensor = self.generator(self.encoder(images))
        return again
