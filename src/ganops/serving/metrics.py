"""What the service tells Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class ServiceMetrics:
    """Counters of one service; each has a registry of its own, so that several can live in one process."""

    def __init__(self, inside: Callable[[], float], rate: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("ganops_requests", "Requests for images by status", ["status"], registry=self.registry)
        self.images = Counter("ganops_images", "Images answered by model version", ["model"], registry=self.registry)
        self.dropped = Counter(
            "ganops_dropped_images", "Images whose clients had gone before they were computed", registry=self.registry
        )
        self.seconds = Histogram(
            "ganops_request_seconds", "Time until an answer is complete", buckets=SECONDS, registry=self.registry
        )
        self.batch_rows = Histogram(
            "ganops_batch_rows", "Rows of requests in a batch", buckets=ROWS, registry=self.registry
        )
        self.batch_seconds = Histogram(
            "ganops_batch_seconds", "Time to compute a batch", buckets=SECONDS, registry=self.registry
        )
        self.swaps = Counter("ganops_swaps", "Versions taken into service or out of it", registry=self.registry)
        self.failed_loads = Counter(
            "ganops_failed_loads", "Versions that could not be taken into service", registry=self.registry
        )
        self.model = Gauge(
            "ganops_model", "1 for each model version in service", ["alias", "model"], registry=self.registry
        )
        backlog = Gauge("ganops_backlog_images", "Images admitted and not yet answered", registry=self.registry)
        backlog.set_function(inside)
        speed = Gauge("ganops_images_per_second", "What waiting times follow from", registry=self.registry)
        speed.set_function(rate)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
