"""The variational auto-encoder: not adversarial, but what an introduction to GANs compares them with."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.data.fields.vector import VectorField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.figures import reconstructions
from ganops.games.game import GAMES, Figure, Game, Losses
from ganops.games.gan_settings import check_labels
from ganops.games.online_mixture import OnlineMixture
from ganops.games.standard_gan import LATENT
from ganops.games.task import Task
from ganops.networks.data_shapes import target_field
from ganops.networks.network import Encoder, Generator, pick
from ganops.objectives.variational import gaussian_constant, gaussian_kl, gaussian_reconstruction
from ganops.settings import Settings

COMPONENT = "component"


class VaeSettings(Settings):
    """sigma: standard deviation of the decoder's Gaussian, in the modelled range [-1, 1].

    mixture: number of Gaussians fitted to the latents of the training data, from which samples are drawn; 0: samples
    are drawn from the standard normal prior.
    """

    sigma: float = Field(gt=0)
    mixture: int = Field(default=0, ge=0)


@GAMES.add("vae", VaeSettings)
class Vae(Game):
    """Encoder and decoder maximise the evidence lower bound (Kingma & Welling 2013, arXiv:1312.6114, equation 10).

    The encoder returns mean and log-variance of the latents: twice as many numbers as the decoder takes. The decoder
    returns the mean of a Gaussian with the fixed standard deviation `sigma`; the paper learns the deviation for grey
    images, and uses Bernoulli distributions for binary ones. A small sigma makes sharp reconstructions, but leaves gaps
    between the latents of the data, where samples of the prior fall. Both terms are sums, over values and latents.

    With `mixture` the training is the same, and samples are drawn where the latents really are (ex-post density
    estimation, Ghosh et al. 2019, arXiv:1903.12436). Differs: the mixture follows the encoder throughout the training
    (online EM on drawn latents), so that every step can be sampled; the paper fits it to the means afterwards.
    """

    def __init__(self, settings: VaeSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__()
        self.settings, self.target, field = settings, spec.target, target_field(spec)
        self.encoder = pick(networks, "encoder", Encoder)
        self.decoder = pick(networks, "decoder", Generator)
        check_labels("decoder", self.decoder.class_count, given=False)
        self.latent_dim = self.decoder.latent_dim
        if self.encoder.latent_dim != 2 * self.latent_dim:
            raise SettingsError(
                "networks.encoder must return mean and log-variance of each latent",
                code="latent-dim",
                expected=f"latent_dim: {2 * self.latent_dim}, twice that of networks.decoder",
                found=str(self.encoder.latent_dim),
            )
        self.mixture = OnlineMixture(settings.mixture, self.latent_dim) if settings.mixture else None
        self.players = {"autoencoder": ("encoder", "decoder")}
        self.ema_networks = ("encoder", "decoder", "mixture") if settings.mixture else ("encoder", "decoder")
        latents = {LATENT: VectorField(size=self.latent_dim)}
        if settings.mixture:
            latents[COMPONENT] = VectorField(size=1)
        self.tasks = {"generate": Task(outputs={self.target: field}, latents=latents)}

    def losses(self, _player: str, batch: Rows, _step: int, _micro_batch: int = 0) -> Losses:
        """The negative evidence lower bound without its constant; see Game."""
        rows, sigma = batch[self.target], self.settings.sigma
        mean, log_variance = self.encode(rows)
        latents = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        losses = {
            "reconstruction": gaussian_reconstruction(rows, self.decoder(latents).float(), sigma),
            "kl": gaussian_kl(mean, log_variance),
        }
        if self.mixture is not None:
            self.mixture.update(latents.detach())
        elbo = -(losses["reconstruction"] + losses["kl"]).detach() - gaussian_constant(rows[0].numel(), sigma)
        return Losses(losses, {"elbo": elbo})

    def encode(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(N, latent_dim) mean and log-variance of the latents, float32."""
        mean, log_variance = self.encoder(rows).float().chunk(2, dim=1)
        return mean, log_variance

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """The decoder's mean for latents of the prior, or of the mixture."""
        del task
        latents = inputs[LATENT]
        if self.mixture is not None:
            latents = self.mixture(latents, inputs[COMPONENT])
        return Rows({self.target: self.decoder(latents)})

    def graph_key(self, _step: int) -> Hashable | None:
        """All steps are alike; None with a mixture, whose matrix factorisations not every device can capture."""
        return () if self.mixture is None else None

    def figures(self, latents: Rows, batch: Rows) -> dict[str, Figure]:
        """Real rows above their reconstructions."""
        rows, field = batch[self.target], self.task.outputs[self.target]
        return {"reconstructions": reconstructions(field, rows, self.reconstruct(rows), len(latents))}

    @torch.no_grad()
    def reconstruct(self, rows: Tensor) -> Tensor:
        """The decoder's mean for the mean latents of rows."""
        reconstructed: Tensor = self.decoder(self.encode(rows)[0])
        return reconstructed
