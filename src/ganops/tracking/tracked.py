"""An open MLflow run: curves, samples, scores, health and files go into it, each once, and never stop the work."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganops.evaluation.scores import Scores
from ganops.tracking.describe import shortened
from ganops.tracking.names import tracked_name
from ganops.tracking.outbox import Outbox, first_line, warn
from ganops.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run
    from PIL import Image

RESTORED, INCOMPLETE, SAMPLED = "restored_from", "records", "samples.steps"
METRICS_PER_BATCH = 1000
MOST_SAMPLES = 500  # sample grids whose steps a tag of the run names
LONGEST_TAG = 5000
# Prefixes of metrics: the pages of MLflow draw a section for each.
TRAINING, VALIDATION, SCORE, HEALTH = "train/", "val/", "score/", "health/"
SAMPLES = "samples"
CLOCK = f"{TRAINING}kimg"  # a curve that every row has: its steps are the rows that the store has

Status = Literal["FINISHED", "FAILED", "KILLED"]


class TrackedRun:
    """An open run. Records are sent by a thread; a store that fails or is slow is never an error here.

    complete: whether the store had all records of the run when it was opened.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self.store, self.run_id = store, str(run.info.run_id)
        self.outbox = Outbox()
        self._scores: dict[str, float] = dict(run.data.metrics)
        self._incomplete = bool(run.data.tags.get(INCOMPLETE))
        self.complete = run.info.status == "FINISHED" and not self._incomplete
        self._logged = self._steps_of(CLOCK) if CLOCK in self._scores else set[int]()
        sampled = run.data.tags.get(SAMPLED, "").split(",")
        self._sampled = {int(step) for step in sampled if step.isdecimal()}
        self._in_store = set(self._sampled)
        health = [name for name in self._scores if name.startswith(HEALTH)]
        self._health = {(name, step) for name in health for step in self._steps_of(name)}

    def last_logged_step(self) -> int:
        """The last step whose curves the run has; -1 before the first."""
        return max(self._logged, default=-1)

    def log_curves(self, rows: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Log rows of (step, curve name to value), `kimg` among the curves; rows the run already has are skipped.

        Curves get the prefix `train/`, but for those of validations, whose names begin with `val/`.
        All values of a row are sent in one batch, so a row is either in the store or missing from it. Logging the whole
        history therefore adds exactly the rows that a kill or a failing server has left out.
        """
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        batch: list[Metric] = []
        for step, values in rows:
            if step in self._logged:
                continue
            self._logged.add(step)
            row = [Metric(curve_name(name), float(value), now, step) for name, value in values.items()]
            if len(batch) + len(row) > METRICS_PER_BATCH:
                self._log_metrics(batch)
                batch = []
            batch += row
        self._log_metrics(batch)

    def log_samples(self, step: int, image: Image.Image) -> None:
        """Log the sample grid of a step, once. The UI shows all of them under one slider."""
        if step in self._sampled:
            return
        self._sampled.add(step)
        picture, client, now = image.copy(), self.store.client, int(time.time() * 1000)

        def send() -> None:
            client.log_image(self.run_id, picture, key=SAMPLES, step=step, timestamp=now)
            self._in_store.add(step)
            newest = sorted(self._in_store)[-MOST_SAMPLES:]
            client.set_tag(self.run_id, SAMPLED, ",".join(map(str, newest)))

        self.outbox.put(f"samples of step {step}", send)

    def log_health(self, event: Mapping[str, Any]) -> None:
        """Log a health event (`kind`, `step` and whatever else it has), once, as a tag and a metric at its step."""
        from mlflow.entities import Metric

        kind, step = str(event.get("kind", "event")), int(event.get("step", 0))
        name = tracked_name(f"{HEALTH}{kind}")
        if (name, step) in self._health:
            return
        self._health.add((name, step))
        facts = "; ".join(f"{key}: {value}" for key, value in event.items() if key not in ("kind", "step"))
        self.set_tags({f"health.{kind}": f"step {step}" + (f"; {facts}" if facts else "")})
        self._log_metrics([Metric(name, 1.0, int(time.time() * 1000), step)])

    def log_scores(self, scores: Scores) -> None:
        """Log scores at the run's last step: `score/<key>`, and `score/error/<key>`; their protocol as a file.

        Values that the run already has are skipped.
        """
        from mlflow.entities import Metric

        now, step, client = int(time.time() * 1000), max(self.last_logged_step(), 0), self.store.client
        new = {name: value for name, value in flat_scores(scores).items() if self._scores.get(name) != value}
        self._scores |= new
        self._log_metrics([Metric(name, value, now, step) for name, value in new.items()])
        protocol = scores.protocol.model_dump(mode="json")
        self.outbox.put("the protocol", lambda: client.log_dict(self.run_id, protocol, "protocol.json"))

    def log_file(self, path: Path, folder: str | None = None, name: str | None = None) -> None:
        """Log a file as an artifact, in `folder` of the run's artifacts or at their top; name: another than its own."""
        client = self.store.client

        def send() -> None:
            if name is None:
                client.log_artifact(self.run_id, str(path), folder)
                return
            with tempfile.TemporaryDirectory() as scratch:
                client.log_artifact(self.run_id, str(shutil.copyfile(path, Path(scratch, name))), folder)

        self.outbox.put(f"the file {path}", send)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags; long values are shortened with a note."""
        from mlflow.entities import RunTag

        batch = [RunTag(tracked_name(name), shortened(value, LONGEST_TAG)) for name, value in tags.items()]
        client = self.store.client
        self.outbox.put(f"tags {', '.join(tags)}", lambda: client.log_batch(self.run_id, tags=batch))

    def finish(self, status: Status, patience: float) -> list[str]:
        """Send what is left and set the status; the labels of the records that the store did not take.

        With such records the run ends FAILED with the tag `records`, or stays RUNNING where the store takes no status
        either, until a later command has sent them. patience: seconds without progress until the rest is given up.
        """
        from mlflow.exceptions import MlflowException

        unsent = self.outbox.close(patience)
        note = ""
        if unsent:
            names = ", ".join(unsent[:5]) + (", ..." if len(unsent) > 5 else "")
            note = f"incomplete: {len(unsent)} records are missing ({names})"
            status = "FAILED" if status == "FINISHED" else status
            warn(
                f"{self.store.uri} did not take {len(unsent)} records of run {self.run_id} ({names}); it is "
                "incomplete until the next `make run`, stage of this recipe or `ganops doctor` has sent them"
            )
        try:
            if note or self._incomplete:
                self.store.client.set_tag(self.run_id, INCOMPLETE, note)
            self.store.client.set_terminated(self.run_id, status)
        except (MlflowException, OSError) as error:
            warn(f"the status of run {self.run_id} could not be set to {status}: {first_line(error)}")
            return unsent or [f"status {status}"]
        return unsent

    def _log_metrics(self, metrics: Sequence[Any]) -> None:
        if metrics:
            client, steps = self.store.client, f"{metrics[0].step} to {metrics[-1].step}"
            self.outbox.put(f"metrics of steps {steps}", lambda: client.log_batch(self.run_id, metrics=metrics))

    def _steps_of(self, metric: str) -> set[int]:
        return {each.step for each in self.store.client.get_metric_history(self.run_id, metric)}


def curve_name(name: str) -> str:
    """The metric that MLflow keeps a curve of history.csv under."""
    return tracked_name(name if name.startswith(VALIDATION) else f"{TRAINING}{name}")


def flat_scores(scores: Scores) -> dict[str, float]:
    """Scores as names and numbers for MLflow: `score/<key>`, and its standard error as `score/error/<key>`."""
    found: dict[str, float] = {}
    for key, estimate in scores.items():
        found[tracked_name(f"{SCORE}{key}")] = estimate.value
        if estimate.error is not None:
            found[tracked_name(f"{SCORE}error/{key}")] = estimate.error
    return found
