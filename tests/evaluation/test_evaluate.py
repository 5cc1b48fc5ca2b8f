"""An evaluation as a whole: batches, order and company do not change a score, and nothing bad becomes a number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from playing import spec_of
from torch import Tensor

from ganops.data.manifest import read_manifest
from ganops.data.packed import PackedImages, read_packed
from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.evaluate import Evaluation, evaluate_game, evaluate_images
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.metric import all_groups, all_scores
from ganops.evaluation.protocol import protocol_of
from ganops.evaluation.real import Reference
from ganops.evaluation.validation_reference import VALIDATION
from ganops.games.game import Batch, Game, Losses, Player, Request
from ganops.params import EvaluateParams

SEED, COUNT = 7, 300
# Scores whose definition draws random parts of the images depend on their order, within their own uncertainty.
DRAWN = {"is", "kid", "diversity"}


class Pictures(Game):
    """A game whose generator is a picture book: a class, or the latent's first number, says which page is opened."""

    ema_networks = ("book",)
    latent_dim = 4

    def __init__(self, pages: Tensor, class_count: int = 0) -> None:
        super().__init__()
        self.book = torch.nn.Embedding.from_pretrained(pages.flatten(1).float() / 127.5 - 1)
        self.shape, self.class_count = pages.shape[1:], class_count
        self.players = {"book": Player(("book",))}

    def losses(self, player: str, batch: Batch, step: int) -> Losses:
        raise NotImplementedError("it has nothing to learn")

    def generate(self, request: Request) -> Tensor:
        """A page, lit by the latent: smooth in the latent, so that paths have a length."""
        pages = len(self.book.weight)
        rows = request.labels if request.labels is not None else (request.latents[:, 0].abs() * 997).long() % pages
        light = 1 - 0.05 * request.latents[:, 1].sigmoid().view(-1, 1, 1, 1)
        return (self.book(rows).view(-1, *self.shape) + 1) * light - 1


def one_of_each(data: PackedImages) -> Tensor:
    assert data.labels is not None
    return torch.stack([data.images[data.labels == label][0] for label in range(10)])


def values(found: Evaluation, without: set[str] = frozenset()) -> dict[str, float]:
    return {key: estimate.value for key, estimate in found.scores.items() if key not in without}


@pytest.fixture(scope="module")
def dimmed(unseen: PackedImages) -> Tensor:
    """Test digits, a bit darker: as such they would tie with themselves in memorisation's ranks."""
    return (unseen.images[:COUNT].float() * 0.9).round().to(torch.uint8)


@pytest.fixture(scope="module")
def whole(dimmed: Tensor, score: Callable[..., Evaluation]) -> Evaluation:
    return score(dimmed)


@pytest.mark.parametrize("batch_size", [1, 37, 300])
def test_batch_size_does_not_matter(
    dimmed: Tensor, score: Callable[..., Evaluation], whole: Evaluation, batch_size: int
) -> None:
    found = score(dimmed, batch_size=batch_size)
    # Convolutions of other batch sizes add up in another order.
    assert values(found) == pytest.approx(values(whole), rel=1e-5, abs=1e-5)
    assert found.protocol == whole.protocol


def test_order_does_not_matter(dimmed: Tensor, score: Callable[..., Evaluation], whole: Evaluation) -> None:
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(3))
    found = score(dimmed[order])
    assert values(found, DRAWN) == pytest.approx(values(whole, DRAWN), rel=1e-5, abs=1e-5)
    for key in DRAWN:
        assert values(found)[key] == pytest.approx(values(whole)[key], abs=4 * (whole.scores[key].error or 0))


@pytest.mark.gpu
def test_the_device_does_not_matter(
    dimmed: Tensor, reference: Reference, params: EvaluateParams, whole: Evaluation
) -> None:
    assert reference.folder is not None
    wanted = params.model_copy(update={"samples": len(dimmed)})
    classifier = load_classifier(reference.folder / VALIDATION, "cuda")
    found = evaluate_images(torch.split(dimmed, 100), reference, classifier, wanted, SEED)
    # A GPU adds up in another order.
    assert values(found) == pytest.approx(values(whole), rel=1e-5, abs=1e-5)
    assert found.protocol == whole.protocol


def test_all_together_equal_each_alone(
    dimmed: Tensor, score: Callable[..., Evaluation], whole: Evaluation, params: EvaluateParams
) -> None:
    alone: dict[str, float] = {}
    for group in params.scores:
        alone |= values(score(dimmed, scores=(group,)))
    assert alone == values(whole)


def test_scores_are_those_that_their_files_describe(whole: Evaluation) -> None:
    assert set(whole.scores) <= set(all_scores())
    described = [score.key for group in all_groups().values() for score in group.scores]
    assert len(described) == len(set(described))
    assert list(all_groups())[:3] == ["fid", "is", "kid"]


def test_metrics_are_flat_numbers(whole: Evaluation) -> None:
    metrics = whole.metrics()
    assert all(isinstance(value, float) for value in metrics.values())
    assert metrics["fid"] == whole.scores["fid"].value
    assert metrics["fid_error"] == whole.scores["fid"].error
    assert "memorisation_p_error" not in metrics


def test_a_game(reference_folder: Path, prepared: Path, params: EvaluateParams) -> None:
    pages = read_packed(prepared, "test").images[:50]
    found = evaluate_game(Pictures(pages), reference_folder, prepared, params, seed=1)
    again = evaluate_game(
        Pictures(pages), reference_folder, prepared, params.model_copy(update={"batch_size": 33}), seed=1
    )
    assert values(found) == pytest.approx(values(again), rel=1e-5, abs=1e-5)
    assert found.protocol == again.protocol  # the batch size is none of a score's business
    other = evaluate_game(Pictures(pages), reference_folder, prepared, params, seed=2)
    assert other.protocol.digest() != found.protocol.digest()
    assert values(other)["fid"] != values(found)["fid"]
    assert found.samples.shape == (64, 1, 16, 16)


def test_a_game_that_makes_classes_on_demand(reference_folder: Path, prepared: Path, params: EvaluateParams) -> None:
    right = one_of_each(read_packed(prepared, "train"))
    found = evaluate_game(Pictures(right, class_count=10), reference_folder, prepared, params, seed=1)
    assert found.scores["label_accuracy"].value == 1
    # Classes 0 and 1 exchanged: two of ten are wrong, and only this score can know.
    wrong = right[[1, 0, *range(2, 10)]]
    swapped = evaluate_game(Pictures(wrong, class_count=10), reference_folder, prepared, params, seed=1)
    assert swapped.scores["label_accuracy"].value == pytest.approx(0.8)
    assert swapped.scores["modes"].value == 10


def test_opt_in_scores(reference_folder: Path, prepared: Path, params: EvaluateParams) -> None:
    """A classifier that learns from a book of one digit of each class knows some digits, and far from all."""
    wanted = params.model_copy(update={"scores": ("cas", "path-length"), "path_length_pairs": 50})
    game = Pictures(one_of_each(read_packed(prepared, "train")), class_count=10)
    found = evaluate_game(game, reference_folder, prepared, wanted, seed=1)
    assert set(found.scores) == {"cas", "cas_gain", "path_length"}
    assert 0.2 < found.scores["cas"].value < 0.9
    assert abs(found.scores["cas_gain"].value) < 0.1
    assert found.scores["path_length"].value > 0


def test_images_of_another_shape_are_brought_to_the_references(
    dimmed: Tensor, score: Callable[..., Evaluation], whole: Evaluation
) -> None:
    """Three equal channels become one again, and the double size is halved: much the same images, one protocol."""
    double = dimmed.repeat_interleave(2, 2).repeat_interleave(2, 3).expand(-1, 3, -1, -1)
    found = score(double)
    assert found.protocol == whole.protocol
    assert found.scores["precision"].value == pytest.approx(whole.scores["precision"].value, abs=0.1)


def test_every_setting_of_the_protocol_shows_in_its_digest(reference: Reference, params: EvaluateParams) -> None:
    base = protocol_of(reference, params, seed=1)
    changed = [
        params.model_copy(update=change)
        for change in (
            {"samples": 301},
            {"is_splits": 3},
            {"kid_subsets": 11},
            {"kid_subset_size": 100},
            {"path_length_pairs": 5},
        )
    ]
    digests = {base.digest(), protocol_of(reference, params, seed=2).digest()}
    digests |= {protocol_of(reference, other, seed=1).digest() for other in changed}
    assert len(digests) == 7
    assert base.differences(protocol_of(reference, changed[1], seed=1)) == {"is_splits": (10, 3)}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"extractor": "efficientnet-lite0"}, "extractor"),
        ({"split": "test"}, "split"),
        ({"neighbours": 3}, "neighbours"),
        ({"pairwise_samples": 100}, "pairwise_samples"),
    ],
)
def test_a_reference_of_other_settings_is_refused(
    reference: Reference, params: EvaluateParams, change: dict[str, object], what: str
) -> None:
    with pytest.raises(EvaluationError, match=f"another evaluate.{what}"):
        protocol_of(reference, params.model_copy(update=change), seed=1)


def test_other_data_than_the_references_are_refused(
    reference_folder: Path, prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    read_manifest(prepared).model_copy(update={"digest": "e" * 64}).write(tmp_path)
    with pytest.raises(EvaluationError, match="made of other data"):
        evaluate_game(Pictures(torch.zeros(2, 1, 16, 16)), reference_folder, tmp_path, params, seed=1)


def test_a_game_with_nan_is_refused(reference_folder: Path, prepared: Path, params: EvaluateParams) -> None:
    with pytest.raises(EvaluationError, match="weights hold NaN"):
        evaluate_game(Pictures(torch.full((2, 1, 16, 16), torch.nan)), reference_folder, prepared, params, seed=1)


@pytest.mark.parametrize("given", [0, 299, 301])
def test_another_number_of_images_than_asked_for_is_refused(
    reference: Reference, params: EvaluateParams, unseen: PackedImages, given: int
) -> None:
    from ganops.evaluation.extractors.classifier import load_classifier
    from ganops.evaluation.validation_reference import VALIDATION

    assert reference.folder is not None
    images = unseen.images[:given]
    with pytest.raises(EvaluationError, match="as many images"):
        evaluate_images([images] if given else [], reference, load_classifier(reference.folder / VALIDATION), params, 1)


def test_too_few_images_for_a_score(unseen: PackedImages, score: Callable[..., Evaluation]) -> None:
    for group in ("is", "kid", "prdc"):
        with pytest.raises(EvaluationError, match="too few"):
            score(unseen.images[:5], scores=(group,))


def test_an_unknown_score_names_the_nearest(unseen: PackedImages, score: Callable[..., Evaluation]) -> None:
    with pytest.raises(SettingsError, match="did you mean 'memorisation'"):
        score(unseen.images[:5], scores=("memorization",))


def test_another_backbones_weights_are_refused(
    reference: Reference, params: EvaluateParams, unseen: PackedImages
) -> None:
    from ganops.evaluation.extractors.classifier import Classifier, ClassifierDescription, ClassifierNetwork

    spec = spec_of(1, 16, reference.description.spec.classes)
    stranger = Classifier(ClassifierNetwork(spec, 8), ClassifierDescription(spec=spec, width=8, accuracy=0))
    with pytest.raises(EvaluationError, match="not those the reference was made with"):
        evaluate_images([unseen.images[:300]], reference, stranger, params, 1)
