"""Score the images of any folder against those of another, whatever made them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganops.commands._output import OutputFile

if TYPE_CHECKING:
    from ganops.evaluation.scores import Scores
    from ganops.params import EvaluateParams

FEATURES = ("efficientnet-lite0", "inception-v3", "custom")
METRICS = ("fid", "is", "kid", "prdc", "diversity")
KID_SUBSETS = 100


@click.command(short_help="score the images of any folder against those of another")
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--reference", "-r", type=click.Path(path_type=Path), required=True, help="Folder or zip of real images.")
@click.option("--features", type=click.Choice(FEATURES), default=FEATURES[0], show_default=True)
@click.option("--custom", metavar="WHERE", help="TorchScript file or module:callable for --features custom; it runs.")
@click.option("--weights", type=click.Path(path_type=Path), help="File with the inception-v3 weights of pytorch-fid.")
@click.option("--resize", type=click.Choice(["pytorch-fid", "clean-fid"]), default="pytorch-fid", show_default=True)
@click.option("--size", type=click.IntRange(8), help="Convert all images to this size first.  [default: as they are]")
@click.option("--metrics", default=",".join(METRICS), show_default=True, help="Metric groups, separated by commas.")
@click.option("--pairwise", type=click.IntRange(2), default=10_000, show_default=True, help="Most for KID and PRDC.")
@click.option("--kid-subset-size", type=click.IntRange(2), default=1000, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True, help="Does not change scores.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of random subsets.")
@click.option("--device", default="auto", show_default=True, help="auto (a GPU where there is one), cpu, cuda, mps.")
@click.option("--json", "json_file", type=OutputFile(), help="Write scores and protocol to this file.")
@click.option(
    "--save-statistics", type=OutputFile(".npz"), help="Write the reference's statistics as pytorch-fid's .npz."
)
def command(
    images: Path,
    reference: Path,
    size: int | None,
    seed: int,
    device: str,
    json_file: Path | None,
    save_statistics: Path | None,
    **options: Any,
) -> None:
    """Score IMAGES, a folder or zip file, against the real images of --reference.

    Each may be an .npz file of statistics in pytorch-fid's form instead; then there is only FID. FID, IS and KID of
    publications are those of --features inception-v3; with other features their names say so.
    """
    from ganops.api import evaluate_params, score_folders
    from ganops.devices import find_device
    from ganops.evaluation.statistics import write_npz
    from ganops.malloc import disable_malloc_trim

    disable_malloc_trim()
    params = evaluate_params(
        options["features"],
        _metrics(options["metrics"], options["kid_subset_size"]),
        custom=options["custom"],
        weights=options["weights"],
        resize=options["resize"],
        pairwise_samples=options["pairwise"],
        batch_size=options["batch_size"],
    )
    if ".npz" in (images.suffix, reference.suffix):
        if json_file:
            raise click.BadOptionUsage("--json", "--json takes the images of both sides, not their statistics")
        _statistics_only(images, reference, size, params, str(find_device(device)), save_statistics)
        return
    found, statistics = score_folders(images, reference, params, size=size, seed=seed, device=device)
    _show(found.scores, found.left_out)
    if json_file:
        found.scores.write(json_file)
    if save_statistics:
        write_npz(save_statistics, statistics)


def _metrics(names: str, kid_subset_size: int) -> dict[str, dict[str, int]]:
    chosen: dict[str, dict[str, int]] = {name.strip(): {} for name in names.split(",")}
    if "kid" in chosen:
        chosen["kid"] = {"subsets": KID_SUBSETS, "subset_size": kid_subset_size}
    return chosen


def _show(scores: Scores, left_out: Mapping[str, str]) -> None:
    from ganops.reporting.parts import facts
    from ganops.reporting.scores import heading, metrics_of, show

    for metric in metrics_of(scores):
        click.echo(f"{heading(metric):28}  {show(scores[metric.key]):20}  {metric.sentence}")
    for name, reason in left_out.items():
        click.echo(f"{name} is left out: it {reason}")
    protocol = {**scores.protocol.shared, **scores.protocol.groups}
    click.echo("protocol: " + "; ".join(f"{name} {value}" for name, value in facts(protocol).items()))


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
        extractor = load_extractor(params, device=device)
        click.echo(f"{path}: features of {extractor.name} ({extractor.weights_digest[:8]}), resize {extractor.resize}")
        sides.append(folder_statistics(path, extractor, params.batch_size, size))
    click.echo(f"Frechet distance of the features: {frechet_distance(*sides):.6g}  (other metrics need the images)")
    if save:
        write_npz(save, sides[1])
