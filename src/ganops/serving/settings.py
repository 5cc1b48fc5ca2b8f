"""What a person can set of the service; all of it has a default that is right for one machine."""

from __future__ import annotations

import os

from pydantic import Field, model_validator

from ganops.settings import Settings

MEBIBYTE = 2**20
LOCAL_HOSTS = ("localhost", "127.0.0.1")


class ServiceSettings(Settings):
    """Limits and pace of the service.

    batch: most rows that the networks compute at once. largest_request: rows of one request at most; fewer where rows
        are large (64 of 1024 x 1024). backlog: rows that may be admitted and not yet answered; more are refused with
        status 429.
    deadline_seconds: after which a body that is not here, and then its request, is given up.
    poll_seconds: between two looks at the alias.
    retry_seconds: after which a version that could not be loaded is tried again.
    body_bytes: most of a request's body. picture_pixels: most of an uploaded picture, known before it is decoded;
        those of one request have eight times as many together.
    threads: of the computation; 0: one less than the machine has, at least one. encoders: threads that decode requests
        and encode answers.
    allowed_hosts: names by which browsers may address the service, which keeps pages of other sites from reading it
        (DNS rebinding); `*` for any.
    """

    batch: int = Field(default=64, ge=1, le=1024)
    largest_request: int = Field(default=1000, ge=1)
    backlog: int = Field(default=4000, ge=1)
    deadline_seconds: float = Field(default=30.0, gt=0)
    poll_seconds: float = Field(default=5.0, gt=0)
    retry_seconds: float = Field(default=60.0, ge=0)
    body_bytes: int = Field(default=16 * MEBIBYTE, ge=1)
    picture_pixels: int = Field(default=16_777_216, ge=1)
    threads: int = Field(default=0, ge=0, le=1024)
    encoders: int = Field(default=2, ge=1)
    allowed_hosts: tuple[str, ...] = Field(default=LOCAL_HOSTS, min_length=1)

    @property
    def compute_threads(self) -> int:
        """Threads of torch."""
        return self.threads or max(1, (os.cpu_count() or 1) - 1)

    @model_validator(mode="after")
    def _the_largest_request_fits(self) -> ServiceSettings:
        if self.largest_request > self.backlog:
            raise ValueError("largest_request: at most backlog, else it could never be admitted")
        return self
