"""Errors as clients see them: a code, a sentence, what was expected and found. No traceback leaves the service."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from ganops.errors import GanopsError
from ganops.serving.admission import BusyError
from ganops.settings import shortened
from ganops.tracking.location import redact

LOGGER = logging.getLogger(__name__)
UNUSABLE = 422
STATUS = {"not-in-service": 404, "no-such-example": 404, "too-large": 413, "no-json": 415, "busy": 429, "deadline": 503}


class Refusal(BaseModel):
    """Why a request was not answered. code: stable, for programs; message, expected, found, action: for people."""

    code: str
    message: str
    expected: str = ""
    found: str = ""
    action: str = ""


class ServiceError(GanopsError):
    """A request that the service refuses, whatever its models are."""


def refusal(error: GanopsError) -> JSONResponse:
    """The answer to a request that failed with `error`."""
    status = STATUS.get(error.code, UNUSABLE)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, BusyError) else {}
    parts = {key: redact(shortened(getattr(error, key))) for key in Refusal.model_fields}
    return _answer(status, Refusal(**parts), headers)


def invalid(error: ValidationError) -> JSONResponse:
    """The answer to a body that is not a request; it names the first wrong key."""
    first, *others = error.errors(include_url=False, include_context=False, include_input=False)
    key = ".".join(map(str, first["loc"]))
    more = f" ({len(others)} more problems)" if others else ""
    message = f"'{shortened(key)}' is wrong{more}" if key else f"the body is wrong{more}"
    return _answer(UNUSABLE, Refusal(code="bad-request", message=message, expected=shortened(first["msg"])))


def install(app: FastAPI) -> None:
    """Let the app answer all errors in this form."""

    async def known(_request: Request, error: Exception) -> JSONResponse:
        return refusal(error if isinstance(error, GanopsError) else GanopsError(str(error)))

    async def http(_request: Request, error: Exception) -> JSONResponse:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = shortened(error.detail) if isinstance(error, HTTPException) else "error"
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        return _answer(status, Refusal(code=detail.lower().replace(" ", "-"), message=detail), headers)

    async def parameters(_request: Request, error: Exception) -> JSONResponse:
        found: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
        text = shortened(found[0]["msg"]) if found else ""
        return _answer(UNUSABLE, Refusal(code="bad-request", message="a parameter is wrong", expected=text))

    async def unexpected(_request: Request, error: Exception) -> JSONResponse:
        return failed(error)

    app.add_exception_handler(GanopsError, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, parameters)
    app.add_exception_handler(Exception, unexpected)


def failed(error: Exception) -> JSONResponse:
    """The answer where the service itself failed; the log has more, the client learns nothing of the inside."""
    LOGGER.error("a request failed: %s", redact(f"{type(error).__name__}: {error}"))
    return _answer(500, Refusal(code="failed", message="the service failed to answer; its log says why"))


def _answer(status: int, content: Refusal, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(content.model_dump(), status, headers)
