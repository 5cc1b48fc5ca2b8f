"""Two processes give the result of one at the same global batch, and one ends when the other dies."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from forks import Fork
from safetensors.torch import load_file
from tiny_training import make_trainer, run, weights
from two_processes import (
    found_gradients,
    norm_as,
    norm_factors,
    norm_rows,
    normed_network,
    penalised,
    pool_as,
    train_as,
    two_part_recipe,
)

from ganops.errors import TrainingError
from ganops.training.distributed.process_group import ProcessGroup

# A penalty and several turns; a player that shares a network's features; adaptation, lazy terms, path lengths.
RECIPES = ("mlp", "wgan-gp", "infogan", "stylegan2-ada")


def start_two(target: Callable[..., None], *arguments: object) -> list[int | None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [Fork(target, rank, port, *arguments) for rank in range(2)]
    return [child.wait(120) for child in children]


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_end_where_one_does(name: str, tmp_path: Path) -> None:
    """Up to rounding: gradients are summed in another order (1e-5 after 50 steps of Adam at 2e-4).

    Running statistics, which training does not use, are the mean over processes: a single process updates them with its
    micro-batches one after the other.
    """
    alone = run(make_trainer(tmp_path / "alone", two_part_recipe(name), checkpoint_seconds=1e9))
    assert start_two(train_as, tmp_path, name, 10**9) == [0, 0]
    first, second = (load_file(tmp_path / f"weights-{rank}.safetensors") for rank in range(2))
    compared = {f"game.{name}" for name, _ in alone.game.named_parameters()} | {"game.augment_strength"}
    for key, expected in weights(alone).items():
        assert torch.equal(first[key], second[key])
        if key in compared:
            torch.testing.assert_close(first[key], expected, atol=1e-5, rtol=0)
    assert "game.augment_strength" not in first or first["game.augment_strength"] > 0
    validated = ["mean_image" in (tmp_path / f"history-{rank}.csv").read_text() for rank in range(2)]
    assert validated == [True, False], "the main process validates, and the other waits for it"


def test_batch_norms_over_two_processes_are_those_of_the_full_batch(tmp_path: Path) -> None:
    """Weights' gradients with second derivatives, and running statistics; the halves differ in scale."""
    assert start_two(norm_as, tmp_path) == [0, 0]
    first, second = (load_file(tmp_path / f"norm-{rank}.safetensors") for rank in range(2))
    network = normed_network()
    penalised(network, norm_rows(), norm_factors()).backward()
    expected = network.state_dict() | found_gradients(network)
    assert first.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(first[key], second[key]), key
        torch.testing.assert_close(first[key], value, rtol=1e-4, atol=1e-5)
    assert abs(float(expected["1.running_mean"].mean())) > 1e-3


def test_pools_hold_images_and_no_means_of_images(tmp_path: Path) -> None:
    assert start_two(pool_as, tmp_path) == [0, 0]
    for rank in range(2):
        found = load_file(tmp_path / f"pool-{rank}.safetensors")
        assert found["pool.images"].flatten(1).mean(dim=1).tolist() == [1, 1, 0], "those of the main process"
        assert found["norm.running_mean"].item() == pytest.approx(0.1 * 30)


@pytest.mark.slow
def test_a_training_with_batch_norms_over_processes_keeps_them_equal(tmp_path: Path) -> None:
    assert start_two(train_as, tmp_path, "dcgan", 10**9) == [0, 0]
    first, second = (load_file(tmp_path / f"weights-{rank}.safetensors") for rank in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any("running_mean" in key for key in first)


@pytest.mark.slow
def test_when_one_dies_the_other_ends_with_an_error(tmp_path: Path) -> None:
    codes = start_two(train_as, tmp_path, "mlp", 20, signal.SIGKILL)
    assert codes == [1, -signal.SIGKILL]
    assert (tmp_path / "error-0.txt").read_text() == "process-lost"


@pytest.mark.slow
def test_when_one_is_asked_to_end_both_end_after_the_same_step_with_a_checkpoint(tmp_path: Path) -> None:
    assert start_two(train_as, tmp_path, "mlp", 20, signal.SIGTERM) == [1, 1]
    assert [(tmp_path / f"error-{rank}.txt").read_text() for rank in range(2)] == ["interrupted"] * 2
    assert list(tmp_path.glob("**/step-*.json"))


def test_micro_batches_that_cannot_be_shared_are_refused() -> None:
    assert list(ProcessGroup(1, 2).micro_batches(4)) == [2, 3]
    with pytest.raises(TrainingError) as caught:
        ProcessGroup(0, 2).micro_batches(3)
    assert (caught.value.code, caught.value.found) == ("micro-batches-not-shared", "3")


def test_alone_nothing_is_changed() -> None:
    alone = ProcessGroup()
    assert alone.average_row({"loss": 0.5}) == {"loss": 0.5}
    assert alone.any(True)
    assert not alone.any(False)
    assert alone.all_equal(3)
    assert alone.is_main_process
