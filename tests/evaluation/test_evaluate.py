"""An evaluation as a whole: batches, order and company do not change a score, and nothing bad becomes a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playing import spec_of
from scoring import IMAGE16, score_images, write_data
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.manifest import manifest_path, read_manifest
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.evaluate import evaluate_game, open_evaluator, score_game
from ganops.evaluation.evaluator import Evaluation, Evaluator
from ganops.evaluation.extractors.classifier import Classifier, ClassifierDescription, ClassifierNetwork
from ganops.evaluation.metric_groups import chosen_groups, find_group, group_names
from ganops.evaluation.metric_names import all_metrics, describe
from ganops.evaluation.reference import make_reference
from ganops.games.game import Game, Losses
from ganops.games.task import Task
from ganops.params import EvaluateParams

SEED, COUNT = 7, 300
# Scores whose definition draws random parts of the images depend on their order, within their own uncertainty.
DRAWN = {"is_classifier", "kid_classifier", "diversity"}


class Pictures(Game):
    """A game whose generator is a picture book: a class, or the latent's first number, says which page is opened."""

    def __init__(self, pages: Tensor, label: CategoryField | None = None) -> None:
        super().__init__()
        self.book = torch.nn.Embedding.from_pretrained(pages.flatten(1).float() / 127.5 - 1)
        self.shape = pages.shape[1:]
        self.players, self.ema_networks = {"book": ("book",)}, ("book",)
        field = ImageField(channels=self.shape[0], size=self.shape[1])
        inputs = {} if label is None else {"label": label}
        self.tasks = {"generate": Task({"image": field}, inputs, {"z": VectorField(size=4)})}

    def losses(self, player: str, batch: Rows, step: int, micro_batch: int = 0) -> Losses:
        raise NotImplementedError("it has nothing to learn")

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """A page, lit by the latent: smooth in the latent, so that paths have a length."""
        latents = inputs["z"]
        chosen = (latents[:, 0].abs() * 997).long() % len(self.book.weight)
        rows = inputs.get("label", chosen)
        light = 1 - 0.05 * latents[:, 1].sigmoid().view(-1, 1, 1, 1)
        return Rows({"image": (self.book(rows).view(-1, *self.shape) + 1) * light - 1})


def one_of_each(data: Rows) -> Tensor:
    return torch.stack([data["image"][data["label"] == label][0] for label in range(10)])


def values(found: Evaluation, without: set[str] = frozenset()) -> dict[str, float]:
    return {key: estimate.value for key, estimate in found.scores.items() if key not in without}


def with_metrics(evaluator: Evaluator, **metrics: dict[str, int]) -> Evaluator:
    changed = {name.replace("_", "-"): settings for name, settings in metrics.items()}
    return replace(evaluator, params=evaluator.params.model_copy(update={"metrics": changed}))


@pytest.fixture(scope="module")
def dimmed(unseen: Rows) -> Tensor:
    """Test digits, a bit darker: as such they would tie with themselves in memorisation's ranks."""
    return (unseen["image"][:COUNT].float() * 0.9).round().to(torch.uint8)


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
    assert found.scores.protocol == whole.scores.protocol


def test_order_does_not_matter(dimmed: Tensor, score: Callable[..., Evaluation], whole: Evaluation) -> None:
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(3))
    found = score(dimmed[order])
    assert values(found, DRAWN) == pytest.approx(values(whole, DRAWN), rel=1e-5, abs=1e-5)
    for key in DRAWN:
        assert values(found)[key] == pytest.approx(values(whole)[key], abs=4 * (whole.scores[key].error or 0))


@pytest.mark.gpu
def test_the_device_does_not_matter(
    dimmed: Tensor, reference_folder: Path, prepared: Path, params: EvaluateParams, whole: Evaluation
) -> None:
    on_gpu = open_evaluator(reference_folder, prepared, params, SEED, "cuda")
    found = score_images(on_gpu, torch.split(dimmed, 100))
    # A GPU adds up in another order: features differ in the sixth digit, distances of nearly equal sets in the third.
    # The classifier of `cas` is trained there, and 597 test images decide.
    assert values(found, {"cas", "cas_gain"}) == pytest.approx(values(whole, {"cas", "cas_gain"}), rel=1e-3, abs=1e-3)
    assert found.scores.protocol == whole.scores.protocol


def test_all_together_equal_each_alone(
    dimmed: Tensor, score: Callable[..., Evaluation], whole: Evaluation, params: EvaluateParams
) -> None:
    alone: dict[str, float] = {}
    for group in params.metrics:
        alone |= values(score(dimmed, wanted=(group,)))
    assert alone == values(whole)


def test_scores_are_those_that_their_files_describe(whole: Evaluation) -> None:
    for key in whole.scores:
        assert describe(key).key == key
        assert whole.scores.group_of[key] in whole.scores.protocol.groups
    described = [metric.key for name in group_names() for metric in find_group(name).metrics]
    assert len(described) == len(set(described))
    assert list(all_metrics()) == described


def test_a_game(reference_folder: Path, prepared: Path, params: EvaluateParams) -> None:
    pages = read_packed(prepared, "test")["image"][:50]
    found = evaluate_game(Pictures(pages), reference_folder, prepared, params, seed=1)
    smaller = params.model_copy(update={"batch_size": 33})
    again = evaluate_game(Pictures(pages), reference_folder, prepared, smaller, seed=1)
    assert values(found) == pytest.approx(values(again), rel=1e-5, abs=1e-5)
    assert found.scores.protocol == again.scores.protocol  # the batch size decides no score
    other = evaluate_game(Pictures(pages), reference_folder, prepared, params, seed=2)
    assert not other.scores.comparable(found.scores, "fid_classifier")
    assert values(other)["fid_classifier"] != values(found)["fid_classifier"]
    assert found.samples["image"].shape == (64, 1, 16, 16)


def test_a_game_of_classes(evaluator: Evaluator, prepared: Path) -> None:
    spec = evaluator.reference.description.spec
    label = spec.field("label", CategoryField)
    right = one_of_each(read_packed(prepared, "train"))
    found = score_game(Pictures(right, label), evaluator, spec)
    assert found.scores["label_accuracy"].value == 1
    # Classes 0 and 1 exchanged: two of ten are wrong, and only this score can know.
    wrong = right[[1, 0, *range(2, 10)]]
    swapped = score_game(Pictures(wrong, label), evaluator, spec)
    assert swapped.scores["label_accuracy"].value == pytest.approx(0.8)
    assert swapped.scores["modes"].value == 10


def test_classes_are_compared_by_their_names(evaluator: Evaluator, prepared: Path) -> None:
    """A champion may come from data with other classes: here it knows no 0, and a class that the data do not have."""
    names = (*map(str, range(1, 10)), "x")
    book = Pictures(one_of_each(read_packed(prepared, "train"))[[*range(1, 10), 0]], CategoryField(classes=names))
    found = score_game(book, evaluator, evaluator.reference.description.spec)
    assert found.scores["label_accuracy"].value == pytest.approx(0.9)


def test_classes_are_requested_by_their_real_shares(prepared: Path, params: EvaluateParams, tmp_path: Path) -> None:
    """Of data with nine zeros for each one, a perfect generator makes nine zeros for each one."""
    data = read_packed(prepared, "train")
    zeros, ones = (data.select((data["label"] == label).nonzero()[:, 0]) for label in (0, 1))
    rows = Rows(
        {
            "image": torch.cat([zeros["image"].repeat(5, 1, 1, 1)[:450], ones["image"][:50]]),
            "label": torch.arange(2).repeat_interleave(torch.tensor([450, 50])),
        }
    )
    label = CategoryField(classes=("0", "1"), shares=(0.9, 0.1))
    folder = write_data(tmp_path / "data", {"image": IMAGE16, "label": label}, rows, rows.select(slice(0, 100)))
    few = params.model_copy(update={"metrics": {"modes": {}, "label-accuracy": {}}})
    make_reference(folder, few, tmp_path / "reference", SEED)
    pages = torch.stack([zeros["image"][0], ones["image"][0]])
    found = evaluate_game(Pictures(pages, label), tmp_path / "reference", folder, few, seed=1)
    assert found.scores["label_accuracy"].value == 1
    assert found.scores["mode_kl"].value < 1e-4  # 0.511 when both classes are requested equally often


def test_opt_in_scores(evaluator: Evaluator, prepared: Path) -> None:
    """A classifier that learns from a book of one digit of each class knows some digits, and far from all."""
    spec = evaluator.reference.description.spec
    game = Pictures(one_of_each(read_packed(prepared, "train")), spec.field("label", CategoryField))
    found = score_game(game, with_metrics(evaluator, cas={}, path_length={"pairs": 50}), spec)
    assert set(found.scores) == {"cas", "cas_gain", "path_length"}
    assert 0.2 < found.scores["cas"].value < 0.9
    assert abs(found.scores["cas_gain"].value) < 0.1
    assert found.scores["path_length"].value > 0
    assert found.scores.protocol.groups["path-length"] == {"pairs": 50}


def test_images_of_another_shape_are_brought_to_the_references(
    dimmed: Tensor, score: Callable[..., Evaluation], whole: Evaluation
) -> None:
    """Three equal channels become one again, and the double size is halved: much the same images, one protocol."""
    double = dimmed.repeat_interleave(2, 2).repeat_interleave(2, 3).expand(-1, 3, -1, -1)
    found = score(double)
    assert found.scores.protocol == whole.scores.protocol
    assert found.scores["precision"].value == pytest.approx(whole.scores["precision"].value, abs=0.1)


def test_settings_of_a_group_decide_its_digest_alone(dimmed: Tensor, evaluator: Evaluator) -> None:
    base = score_images(with_metrics(evaluator, fid={}, kid={"subset_size": 200, "subsets": 10}), [dimmed]).scores
    other = score_images(with_metrics(evaluator, fid={}, kid={"subset_size": 200, "subsets": 11}), [dimmed]).scores
    assert base.comparable(other, "fid_classifier")
    assert not base.comparable(other, "kid_classifier")
    assert base.differences(other, "kid_classifier") == {"subsets": (10, 11)}
    seeded = score_images(replace(with_metrics(evaluator, fid={}), seed=8), [dimmed]).scores
    assert base.differences(seeded, "fid_classifier") == {"seed": (7, 8)}


@pytest.mark.parametrize(
    ("change", "what"), [({"features": "efficientnet-lite0"}, "features"), ({"split": "test"}, "split")]
)
def test_a_reference_of_other_settings_is_refused(
    reference_folder: Path, prepared: Path, params: EvaluateParams, change: dict[str, object], what: str
) -> None:
    with pytest.raises(EvaluationError) as caught:
        open_evaluator(reference_folder, prepared, params.model_copy(update=change), seed=1)
    assert caught.value.code == f"reference-of-other-{what}"
    assert caught.value.expected == str(change[what])


def test_other_data_than_the_references_are_refused(
    reference_folder: Path, prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    read_manifest(prepared).model_copy(update={"digest": "e" * 64}).write(manifest_path(tmp_path))
    with pytest.raises(EvaluationError) as caught:
        evaluate_game(Pictures(torch.zeros(2, 1, 16, 16)), reference_folder, tmp_path, params, seed=1)
    assert caught.value.code == "reference-of-other-data"


def test_a_game_with_nan_is_refused(evaluator: Evaluator) -> None:
    game = Pictures(torch.full((2, 1, 16, 16), torch.nan))
    with pytest.raises(EvaluationError) as caught:
        score_game(game, evaluator, evaluator.reference.description.spec)
    assert caught.value.code == "weights-not-finite"


@pytest.mark.parametrize("given", [299, 301])
def test_another_number_of_samples_than_announced_is_refused(evaluator: Evaluator, unseen: Rows, given: int) -> None:
    from ganops.evaluation.evaluator import outputs_only

    spec = evaluator.reference.description.spec
    task = Task({"image": spec.fields["image"]})
    groups = evaluator.groups(task).chosen
    with pytest.raises(EvaluationError) as caught:
        evaluator.measure(
            outputs_only([unseen["image"][:given]], "image"), groups, evaluator.context(groups, task, spec, 300)
        )
    assert caught.value.code == "wrong-count"
    assert caught.value.found == str(given)


@pytest.mark.parametrize("count", [2, 5, 19])
def test_few_samples_have_scores_with_smaller_subsets(
    unseen: Rows, score: Callable[..., Evaluation], count: int
) -> None:
    found = score(unseen["image"][:count])
    assert {"fid_classifier", "is_classifier", "kid_classifier", "precision", "diversity"} <= set(found.scores)
    groups = found.scores.protocol.groups
    assert groups["kid"]["subset_size"] == count
    assert groups["is"]["splits"] == max(1, min(10, count // 2))
    assert groups["prdc"]["neighbours"] == min(5, count - 1)


def test_unknown_groups_and_keys_name_the_nearest() -> None:
    with pytest.raises(SettingsError) as caught:
        chosen_groups(EvaluateParams(metrics={"memorization": {}}))
    assert caught.value.code == "unknown-metric-group"
    assert "'memorisation'" in caught.value.action
    with pytest.raises(SettingsError) as caught:
        chosen_groups(EvaluateParams(metrics={"kid": {"subset": 3}}))
    assert "evaluate.metrics.kid" in caught.value.message
    assert "'subsets'" in caught.value.action


def test_other_weights_than_the_references_are_refused(
    reference_folder: Path, prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    import shutil

    from ganops.evaluation.validation_reference import VALIDATION

    spec = spec_of(1, 16, tuple("0123456789"))
    shutil.copytree(reference_folder, tmp_path / "reference")
    network = ClassifierNetwork(IMAGE16, 10, 8)
    Classifier(network, ClassifierDescription(spec=spec, width=8, accuracy=0)).save(tmp_path / "reference" / VALIDATION)
    with pytest.raises(EvaluationError) as caught:
        open_evaluator(tmp_path / "reference", prepared, params, SEED)
    assert caught.value.code == "reference-of-other-weights"


def test_tensor_float_is_off_and_cudnn_on_while_scores_are_measured(
    evaluator: Evaluator, dimmed: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while a game generates, whose steps a path length measures."""
    seen = {"generate": set(), "extract": set()}
    cudnn, matmul, forward = torch.backends.cudnn, torch.backends.cuda.matmul, Classifier.forward

    def flags() -> tuple[bool, ...]:
        return cudnn.enabled, cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic, cudnn.benchmark

    class Watching(Pictures):
        def generate(self, inputs: Rows, task: str | None = None) -> Rows:
            seen["generate"].add(flags())
            return super().generate(inputs, task)

    def watching(self: Classifier, images: Tensor) -> tuple[Tensor, Tensor]:
        seen["extract"].add(flags())
        return forward(self, images)

    monkeypatch.setattr(Classifier, "forward", watching)
    monkeypatch.setattr(matmul, "allow_tf32", True)  # as torch.set_float32_matmul_precision("high") leaves it
    before = flags()
    few = with_metrics(evaluator, fid={}, path_length={"pairs": 10})
    score_game(Watching(dimmed[:5]), few, DataSpec(fields={"image": IMAGE16}))
    assert seen == {key: {(True, False, False, True, False)} for key in seen}
    assert flags() == before
