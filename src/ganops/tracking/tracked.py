"""An open MLflow run: curves, samples, scores, health and files go into it, each once, and never stop the work."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganops.tracking.describe import shortened
from ganops.tracking.names import tracked_name
from ganops.tracking.outbox import Outbox, warn
from ganops.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run
    from PIL import Image

RESTORED = "restored_from"
METRICS_PER_BATCH = 1000
LONGEST_TAG = 5000
SAMPLES = "samples"
# Series with a step count of their own; they say nothing of which rows of curves have been logged.
OWN_STEPS = ("system/", "health/")

Status = Literal["FINISHED", "FAILED", "KILLED"]


class TrackedRun:
    """An open run. What it is told goes out at once, or later when the store does not answer; it never raises for that.

    restored_from: the id that the store did not know, where this run was made in its stead; else None.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self.store, self.run_id = store, str(run.info.run_id)
        self.restored_from: str | None = run.data.tags.get(RESTORED)
        self.outbox = Outbox()
        self._scores: dict[str, float] = dict(run.data.metrics)
        self._logged = _logged_steps(store, run)
        self._sampled = _sampled_steps(store, self.run_id) if self._logged else set()

    def last_logged_step(self) -> int:
        """The last step whose curves the run has; -1 before the first."""
        return max(self._logged, default=-1)

    def log_curves(self, rows: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Log rows of (step, curve name to value); rows the run already has are passed over.

        A row is never torn: all its values go out in one batch. So handing over the whole history fills exactly the
        holes that a kill or an absent server has left.
        """
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        batch: list[Metric] = []
        for step, values in rows:
            if step in self._logged:
                continue
            self._logged.add(step)
            row = [Metric(tracked_name(name), float(value), now, step) for name, value in values.items()]
            if len(batch) + len(row) > METRICS_PER_BATCH:
                self._log_metrics(batch)
                batch = []
            batch += row
        self._log_metrics(batch)

    def log_samples(self, step: int, image: Image.Image) -> None:
        """Log the sample grid of a step, once; the UI shows them under one slider."""
        if step in self._sampled:
            return
        self._sampled.add(step)
        picture, client, now = image.copy(), self.store.client, int(time.time() * 1000)
        self.outbox.put(
            f"samples of step {step}",
            lambda: client.log_image(self.run_id, picture, key=SAMPLES, step=step, timestamp=now),
        )

    def log_health(self, event: Mapping[str, Any]) -> None:
        """Log a health event (`kind`, `step` and what else it says) as a tag and a metric at its step."""
        from mlflow.entities import Metric

        kind, step = str(event.get("kind", "event")), int(event.get("step", 0))
        words = "; ".join(f"{key}: {value}" for key, value in event.items() if key not in ("kind", "step"))
        self.set_tags({f"health.{kind}": f"step {step}" + (f"; {words}" if words else "")})
        self._log_metrics([Metric(tracked_name(f"health/{kind}"), 1.0, int(time.time() * 1000), step)])

    def log_scores(self, scores: Mapping[str, float], protocol: Mapping[str, Any]) -> None:
        """Log scores as metrics at the run's last step; their protocol as a file and its digest as a tag.

        Scores that the run already has with the same value are passed over.
        """
        from mlflow.entities import Metric

        now, step, client = int(time.time() * 1000), max(self.last_logged_step(), 0), self.store.client
        new = {tracked_name(name): float(value) for name, value in scores.items()}
        new = {name: value for name, value in new.items() if self._scores.get(name) != value}
        self._scores |= new
        self._log_metrics([Metric(name, value, now, step) for name, value in new.items()])
        self.set_tags({f"protocol.{key}": str(protocol[key]) for key in ("digest", "extractor") if key in protocol})
        self.outbox.put("the protocol", lambda: client.log_dict(self.run_id, dict(protocol), "protocol.json"))

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log a file as an artifact, under `folder` of the run's artifacts or at their top."""
        client = self.store.client
        self.outbox.put(f"the file {path}", lambda: client.log_artifact(self.run_id, str(path), folder))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags; long values are cut with a word on it."""
        from mlflow.entities import RunTag

        batch = [RunTag(tracked_name(name), shortened(value, LONGEST_TAG)) for name, value in tags.items()]
        client = self.store.client
        self.outbox.put(f"tags {', '.join(tags)}", lambda: client.log_batch(self.run_id, tags=batch))

    def finish(self, status: Status, patience: float = 60.0) -> None:
        """Send what is left, set the status, and say what could not be sent."""
        self.outbox.put("the status", lambda: self.store.client.set_terminated(self.run_id, status))
        unsent = self.outbox.close(patience)
        if unsent:
            names = ", ".join(unsent[:5]) + (", ..." if len(unsent) > 5 else "")
            warn(
                f"{self.store.uri} did not take {len(unsent)} records of run {self.run_id} ({names}); "
                "nothing is lost: the files under results/ hold the same curves, samples and scores"
            )

    def _log_metrics(self, metrics: Sequence[Any]) -> None:
        if metrics:
            client, steps = self.store.client, f"{metrics[0].step} to {metrics[-1].step}"
            self.outbox.put(f"metrics of steps {steps}", lambda: client.log_batch(self.run_id, metrics=metrics))


def _logged_steps(store: Store, run: Run) -> set[int]:
    names = [name for name in run.data.metrics if not name.startswith(OWN_STEPS)]
    return {metric.step for name in names for metric in store.client.get_metric_history(run.info.run_id, name)}


def _sampled_steps(store: Store, run_id: str) -> set[int]:
    """Steps whose sample grid is complete: MLflow writes the small copy of an image last."""
    names = (file.path for file in store.client.list_artifacts(run_id, "images"))
    pattern = re.compile(rf"/{SAMPLES}\+step\+(\d+)\+.*\+compressed\.webp$")
    return {int(match[1]) for match in map(pattern.search, names) if match}
