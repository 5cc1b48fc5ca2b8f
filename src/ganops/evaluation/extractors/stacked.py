"""The classifier of images whose channels are separate pictures: one network reads every channel."""

from __future__ import annotations

from torch import Tensor, nn


class StackedNetwork(nn.Module):
    """`single` classifies pictures (n, 1, H, W); the classes of the whole are all combinations of its classes.

    As the channels are read one by one, the probability of a combination is the product of its parts'. The cross
    entropy of the whole is thereby the sum of the channels', so that training on whole images trains `single` on three
    times as many pictures.
    """

    def __init__(self, single: nn.Module) -> None:
        super().__init__()
        self.single = single

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The channels' features side by side (n, C * d), and log-probabilities (n, k ** C), of images (n, C, H, W)."""
        count, channels = images.shape[:2]
        features, logits = self.single(images.flatten(0, 1).unsqueeze(1))
        first, *others = logits.log_softmax(dim=1).unflatten(0, (count, channels)).unbind(dim=1)
        joint: Tensor = first
        for other in others:
            joint = (joint.unsqueeze(2) + other.unsqueeze(1)).flatten(1)
        return features.reshape(count, -1), joint
