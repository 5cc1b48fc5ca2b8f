"""What games that translate two unpaired domains into each other have in common: networks, players and tasks."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.unpaired import A_TO_B, B_TO_A, A, B, UnpairedTranslation
from ganops.networks.network import PatchDiscriminator, Translator, check_fields, pick


class BothDirections(UnpairedTranslation):
    """Two generators, a_to_b and b_to_a, with one optimiser, and a discriminator of each domain, with the other.

    discriminators: the kind of network that the game needs.
    """

    discriminators: type[PatchDiscriminator] = PatchDiscriminator

    def __init__(self, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(spec)
        self.a_to_b, self.b_to_a = pick(networks, "a_to_b", Translator), pick(networks, "b_to_a", Translator)
        self.discriminator_a = pick(networks, "discriminator_a", self.discriminators)
        self.discriminator_b = pick(networks, "discriminator_b", self.discriminators)
        check_fields("a_to_b", self.a_to_b, A, B)
        check_fields("b_to_a", self.b_to_a, B, A)
        check_fields("discriminator_a", self.discriminator_a, None, A)
        check_fields("discriminator_b", self.discriminator_b, None, B)
        self.players = {"generator": ("a_to_b", "b_to_a"), "discriminator": ("discriminator_a", "discriminator_b")}
        self.ema_networks = ("a_to_b", "b_to_a")
        self.translators = {A_TO_B: "a_to_b", B_TO_A: "b_to_a"}
        self.tasks = {A_TO_B: self.task_between(A, B, B_TO_A), B_TO_A: self.task_between(B, A, A_TO_B)}

    def translate_both(self, batch: Rows) -> tuple[Tensor, Tensor]:
        """Generated images of A and of B."""
        return self.translate(B_TO_A, batch[B]), self.translate(A_TO_B, batch[A])
