"""Score the images of any folder against those of another, from whatever model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ganops.evaluation.protocol import Protocol
    from ganops.params import EvaluateParams

BACKBONES = ("efficientnet-lite0", "inception-v3", "custom")
SCORES = ("fid", "is", "kid", "prdc", "diversity")


@click.command(short_help="score the images of any folder against those of another")
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--reference", "-r", type=click.Path(path_type=Path), required=True, help="Folder of real images.")
@click.option("--extractor", type=click.Choice(BACKBONES), default=BACKBONES[0], show_default=True)
@click.option("--custom", metavar="WHERE", help="A TorchScript file or module:callable, for --extractor custom.")
@click.option("--weights", type=click.Path(path_type=Path), help="File with the inception-v3 weights of pytorch-fid.")
@click.option("--resize", type=click.Choice(["pytorch-fid", "clean-fid"]), default="pytorch-fid", show_default=True)
@click.option("--size", type=click.IntRange(8), help="Bring all images to this size first.  [default: as they are]")
@click.option("--scores", default=",".join(SCORES), show_default=True, help="Which, separated by commas.")
@click.option("--pairwise", type=click.IntRange(2), default=10_000, show_default=True, help="Most for KID and PRDC.")
@click.option("--kid-subset-size", type=click.IntRange(2), default=1000, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True, help="No influence on scores.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of random subsets.")
@click.option("--device", default="auto", show_default=True, help="auto (a GPU where there is one), cpu, cuda ...")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write scores and protocol to this file.")
@click.option(
    "--save-statistics", type=click.Path(path_type=Path), help="Write the reference's statistics as pytorch-fid's .npz."
)
def command(images: Path, reference: Path, size: int | None, **options: Any) -> None:
    """Score IMAGES, a folder, against the folder of real images that --reference names.

    Each may be an .npz file of statistics in pytorch-fid's form instead; then there is only FID. The published FID and
    IS are those of --extractor inception-v3.
    """
    import torch

    from ganops.atomic import write_json
    from ganops.evaluation.extractors.choose import load_extractor
    from ganops.evaluation.folder import evaluate_folders
    from ganops.evaluation.statistics import write_npz
    from ganops.params import EvaluateParams
    from ganops.settings import validate

    settings = {
        "extractor": options["extractor"],
        "custom": options["custom"],
        "weights": options["weights"],
        "resize": options["resize"],
        "scores": tuple(name.strip() for name in options["scores"].split(",")),
        "pairwise_samples": options["pairwise"],
        "kid_subsets": 100,
        "kid_subset_size": options["kid_subset_size"],
        "batch_size": options["batch_size"],
    }
    params = validate(EvaluateParams, settings, "command line")
    device = options["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if ".npz" in (images.suffix, reference.suffix):
        _statistics_only(images, reference, size, params, device, options["save_statistics"])
        return
    extractor = load_extractor(params, Path(), device)
    found, statistics = evaluate_folders(images, reference, extractor, params, options["seed"], size)
    _show(found.metrics(), found.protocol)
    if options["json_file"]:
        protocol = found.protocol.model_dump(mode="json") | {"digest": found.protocol.digest()}
        write_json(options["json_file"], {"scores": found.metrics(), "protocol": protocol})
    if options["save_statistics"]:
        write_npz(options["save_statistics"], statistics)


def _show(metrics: dict[str, float], protocol: Protocol) -> None:
    from ganops.reporting.scores import in_order

    for score in in_order(set(metrics)):
        click.echo(f"{score.heading:12}  {score.show(metrics):20}  {score.sentence}")
    channels, height, width = protocol.image_shape
    click.echo(
        f"protocol {protocol.digest()[:12]}: {protocol.generated_count:,} images against {protocol.real_count:,} real "
        f"ones of {width} x {height}, {channels} channels; {protocol.extractor} ({protocol.weights[:8]}), "
        f"resize {protocol.resize}"
    )


def _statistics_only(
    images: Path, reference: Path, size: int | None, params: EvaluateParams, device: str, save: Path | None
) -> None:
    from ganops.evaluation.extractors.choose import load_extractor
    from ganops.evaluation.folder import folder_statistics
    from ganops.evaluation.frechet import frechet_distance
    from ganops.evaluation.statistics import read_npz, write_npz

    sides = []
    for path in (images, reference):
        if path.suffix == ".npz":
            sides.append(read_npz(path))
            continue
        extractor = load_extractor(params, Path(), device)
        click.echo(f"{path}: features of {extractor.name} ({extractor.weights_digest[:8]}), resize {extractor.resize}")
        sides.append(folder_statistics(path, extractor, params.batch_size, size))
    click.echo(f"FID {frechet_distance(*sides):.6g}  (only FID: statistics say nothing of single images)")
    if save:
        write_npz(save, sides[1])
