"""A search from its first trial to its report; whatever was killed, the same command continues it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from ganops.errors import SearchError
from ganops.search.crew import Failure, Work, run_all
from ganops.search.executor import Executor
from ganops.search.finals import Final, final_works, read_final
from ganops.search.order import Order
from ganops.search.report import write_report
from ganops.search.study import Study, Trial, readable_errors
from ganops.search.trial_folder import Assignment, Outcome
from ganops.search.winner import sentence, write_winner
from ganops.tracking.run import PARENT_VARIABLE, flow_run
from ganops.tracking.tracked import TrackedRun

DATABASE, LOCK = "study.db", "lock"


def search(order: Order, executor: Executor, *, restart: bool = False) -> Final:
    """Try recipes, train the best of them again with several seeds, write the winner and the report.

    restart: remove what an earlier search of this recipe has left. Raises SearchError, TrackingError.
    """
    database = order.folder / DATABASE
    with _alone(order.folder), readable_errors(database):
        if restart:
            _forget(order.folder)
        study = Study(
            *(database, order.space, order.own_values, order.validation.better, order.seed),
            identity=order.identity(),
        )
        if study.is_new:
            _forget(order.folder, but=DATABASE)  # outcomes of trials that no study knows would count for others
        tags = {"search": order.name, "search.budget": str(order.budget)}
        with flow_run(f"search {order.name}", params=order.params, tags=tags, run_id=study.parent_run) as parent:
            study.set_parent_run(parent.run_id)
            return _search(order, study, executor, parent)


def _search(order: Order, study: Study, executor: Executor, parent: TrackedRun) -> Final:
    environment = {PARENT_VARIABLE: parent.run_id}
    trials = _trial_works(order, study)
    run_all(executor, lambda: next(trials, None), environment)
    works = final_works(order, study)
    run_all(executor, lambda: next(works, None), environment)
    final = read_final(order, study)
    recipe = write_winner(order, final)
    report = write_report(order, study, final, parent.run_id)
    for file in [report, *([recipe] if recipe else [])]:
        parent.log_file(file)
    parent.set_tags({"search.result": sentence(order, final)})
    print(sentence(order, final))
    if recipe is not None:
        print(f"{recipe}: to train it in the pipeline, add {order.found} to `recipes` in params.yaml")
    print(f"{report}: the report")
    return final


def _trial_works(order: Order, study: Study) -> Iterator[Work]:
    """The trials that were running when the search was killed, then new ones until there are as many as asked for."""
    for trial in study.unfinished():
        yield _work(order, study, trial)
    while len(study.trials()) < order.trials:
        yield _work(order, study, study.ask())


def _work(order: Order, study: Study, trial: Trial) -> Work:
    folder = order.trial_folder(trial.number)
    if not (folder.path / "assignment.json").is_file():
        folder.assign(
            Assignment(
                name=f"{order.name}-trial-{trial.number:04d}",
                params=order.params,
                recipe=order.variant(dict(trial.values)),
                seconds=order.budget.seconds,
                validations=order.space.validations,
                tags={"kind": "trial", "search": order.name, "search.trial": str(trial.number)},
            )
        )

    def on_progress() -> None:
        if study.report(trial.number, folder.reports()):
            folder.prune()

    def on_end(found: Outcome | Failure) -> None:
        on_progress()
        if isinstance(found, Failure):
            ended = study.fail(trial.number, found.reason)
            if trial.number == 0:
                raise SearchError(
                    f"{order.name} itself cannot be trained",
                    code="recipe-fails",
                    found=found.text,
                    action="train it first: dvc repro train@" + order.name,
                )
        else:
            ended = study.tell(trial.number, found)
        print(line(order, study, ended), flush=True)

    return Work(folder, on_end, on_progress)


def line(order: Order, study: Study, trial: Trial) -> str:
    """One trial that has ended as a line: its value, the best so far, its speed, and how many have ended."""
    ended = [each for each in study.trials() if each.state != "running"]
    values = [each.value for each in ended if each.value is not None]
    best = (min if study.better == "lower" else max)(values, default=None)
    what = trial.state if trial.value is None else f"{order.validation.name} {trial.value:.4g}"
    parts = [
        f"trial {trial.number}: {what}{f' ({trial.reason})' if trial.reason else ''}",
        "" if best is None else f"best {best:.4g}",
        "" if trial.images_per_second is None else f"{trial.images_per_second:,.0f} images/s",
        f"{len(ended)} of {order.trials}",
    ]
    return ", ".join(filter(None, parts))


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Hold the lock of a search; raises SearchError where another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SearchError(
                f"another process is searching in {folder}",
                code="already-searching",
                found=f"process {file.read().strip() or 'unknown'}",
                action="wait for it, or end it",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _forget(folder: Path, but: str = "") -> None:
    """Remove everything except the lock and the file called `but`."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in (LOCK, but):
            path.unlink()
