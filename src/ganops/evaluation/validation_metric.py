"""The validation metric: FID of few samples in the classifier's features, cheap enough to be taken all through a training."""

from __future__ import annotations

from ganops.data.convert import convert
from ganops.evaluation.extractors.classifier import Classifier
from ganops.evaluation.frechet import frechet_distance
from ganops.evaluation.statistics import Statistics, StatisticsGatherer
from ganops.games.game import Game
from ganops.games.sampling import sample_images

SEED_OFFSET = 2  # its latents are not those of the full scores, which would flatter the step that it chooses


class ValidationMetric:
    """FID between `samples` images of a game (at least 2) and all training images; lower is better.

    Always of the same latents, drawn by `seed`, so that two moments of a training differ by the game alone. Neither
    the game nor torch's random generators are another afterwards. `batch_size` images are made at once.
    name: of its curve. digest: sha256 of the classifier's weights.
    """

    name = "val_fid"

    def __init__(self, classifier: Classifier, real: Statistics, samples: int, seed: int, batch_size: int) -> None:
        self.classifier, self.real = classifier, real
        self.samples, self.seed, self.batch_size = samples, seed + SEED_OFFSET, batch_size
        self.digest = classifier.weights_digest

    def __call__(self, game: Game) -> float:
        """Score the networks as they are."""
        gatherer, shape = StatisticsGatherer(), self.classifier.description.spec.shape
        for images in sample_images(game, self.samples, self.seed, self.batch_size):
            gatherer.add(self.classifier(convert(images, shape)).features)
        return frechet_distance(gatherer.result(), self.real)
