"""BiGAN / ALI: an encoder learns to invert the generator, since the discriminator sees images with their latents."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import torch
from torch import Tensor, nn

from ganops.data.fields.vector import VectorField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.figures import reconstructions
from ganops.games.game import GAMES, Figure, Game, Losses
from ganops.games.gan_settings import check_labels
from ganops.games.standard_gan import LATENT
from ganops.games.task import Task
from ganops.networks.data_shapes import target_field
from ganops.networks.network import Encoder, Generator, JointDiscriminator, pick
from ganops.objectives.adversarial import ADVERSARIAL, LossName
from ganops.settings import Settings


class BidirectionalSettings(Settings):
    """loss: the adversarial loss of both sides."""

    loss: LossName


@GAMES.add("bidirectional", BidirectionalSettings)
class Bidirectional(Game):
    """Distinguish (x, E(x)) from (G(z), z) (Donahue et al. 2016, arXiv:1605.09782; Dumoulin et al. 2016, 1606.00704).

    Generator and encoder are one player: they minimise the discriminator's loss with real and fake exchanged, whichever
    loss it is; for cross entropy this is the non-saturating form of both papers.
    """

    def __init__(self, settings: BidirectionalSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__()
        self.loss, self.target = ADVERSARIAL[settings.loss], spec.target
        self.generator = pick(networks, "generator", Generator)
        self.encoder = pick(networks, "encoder", Encoder)
        self.discriminator = pick(networks, "discriminator", JointDiscriminator)
        self.latent_dim = self.generator.latent_dim
        check_labels("generator", self.generator.class_count, given=False)
        for name, other in (("encoder", self.encoder), ("discriminator", self.discriminator)):
            if other.latent_dim != self.latent_dim:
                raise SettingsError(
                    f"networks.{name} and networks.generator differ in latent_dim",
                    code="latent-dim",
                    expected=str(self.latent_dim),
                    found=str(other.latent_dim),
                )
        self.players = {"discriminator": ("discriminator",), "generator": ("generator", "encoder")}
        self.ema_networks = ("generator", "encoder")
        outputs, latents = {self.target: target_field(spec)}, {LATENT: VectorField(size=self.latent_dim)}
        self.tasks = {"generate": Task(outputs=outputs, latents=latents)}

    def losses(self, player: str, batch: Rows, _step: int, _micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        images = batch[self.target]
        latents = torch.randn(len(batch), self.latent_dim, device=images.device)
        generated, codes = self.generator(latents).float(), self.encoder(images).float()
        if player == "discriminator":
            generated, codes = generated.detach(), codes.detach()
        real = self.discriminator(images, codes).float()
        fake = self.discriminator(generated, latents).float()
        if player == "generator":
            return Losses({"loss": self.loss.discriminator(fake, real)})
        return Losses({"loss": self.loss.discriminator(real, fake)}, self.loss.logs(real, fake, "G(z)"))

    def graph_key(self, _step: int) -> Hashable:
        """All steps are alike."""
        return ()

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """Rows for latents."""
        del task
        return Rows({self.target: self.generator(inputs[LATENT])})

    def figures(self, latents: Rows, batch: Rows) -> dict[str, Figure]:
        """Real images above their reconstructions."""
        images = batch[self.target]
        field = self.task.outputs[self.target]
        return {"reconstructions": reconstructions(field, images, self.reconstruct(images), len(latents))}

    @torch.no_grad()
    def reconstruct(self, images: Tensor) -> Tensor:
        """G(E(x))."""
        reconstructed: Tensor = self.generator(self.encoder(images))
        return reconstructed
