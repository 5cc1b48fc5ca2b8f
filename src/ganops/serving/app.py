"""The HTTP routes of the service."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ValidationError
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

from ganops import __version__
from ganops.errors import GanopsError
from ganops.serving import page
from ganops.serving.answer import MEDIA_TYPES
from ganops.serving.describe import ModelDescription, describe, request_schema
from ganops.serving.refusals import Refusal, ServiceError, failed, install, invalid, refusal
from ganops.serving.request import GenerateRequest
from ganops.serving.service import ClientGoneError, DeadlineError, Service

Alias = Annotated[str | None, Query(description="of a model in service; by default the main one")]
GONE = 499  # what nginx logs for a client that closed the connection; nobody receives it
CONTENT = "application/json"
ABOUT = (
    "Generates with the model that an alias of the registry names, and follows the alias without a restart. The same "
    "seed gives the same images, bit for bit, whatever is asked at the same time."
)
REFUSED = {
    404: "a model that is not in service",
    413: "the body is too large",
    415: "the body is not JSON",
    422: "the model cannot answer this request",
    429: "the backlog is full; the header Retry-After says when to come again",
    503: "the request was not answered within its time",
}


class Ready(BaseModel):
    """Whether images can be generated. models: in service by alias. problems: by alias, such as a version that failed
    its test while the one before it stays in service.
    """

    ready: bool
    models: dict[str, str]
    problems: dict[str, str]


def create_app(service: Service) -> FastAPI:
    """The application; the service must have been started."""
    app = FastAPI(title="ganops", version=__version__, description=ABOUT, docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(service.settings.allowed_hosts), www_redirect=False)
    install(app)
    page.install(app, service)
    refused: dict[int | str, dict[str, Any]] = {
        status: {"model": Refusal, "description": text} for status, text in REFUSED.items()
    }

    @app.post("/generate", responses=refused | {200: _answers()}, response_class=Response)
    async def generate(request: Request) -> Response:
        """Generate images."""
        try:
            response = await _generate(service, request)
        except GanopsError as error:
            response = refusal(error)
        except (ClientGoneError, ClientDisconnect):  # the second: before its whole body was here
            response = Response(status_code=GONE)
        except Exception as error:  # no traceback to clients
            response = failed(error)
        service.metrics.requests.labels(str(response.status_code)).inc()
        return response

    @app.get("/model", responses={status: refused[status] for status in (404, 422)})
    async def model(
        alias: Annotated[str | None, Query(description="by default the main one")] = None,
    ) -> ModelDescription:
        """The card, the lineage and the tasks of a model in service."""
        return describe(alias or service.models.main, service.models.get(alias))

    @app.get("/live")
    async def live() -> dict[str, bool]:
        """Whether the process turns; 200 as long as it does."""
        return {"live": True}

    @app.get("/ready", responses={503: {"model": Ready, "description": "no model is in service"}})
    async def ready() -> JSONResponse:
        """Whether a tested model is in service, and what is wrong with others."""
        models = {alias: served.name for alias, served in service.models.in_service().items()}
        content = Ready(ready=bool(models), models=models, problems=service.models.problems())
        return JSONResponse(content.model_dump(), 200 if models else 503)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counters and times for Prometheus."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    def openapi() -> dict[str, Any]:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        body = request_schema(service.models.in_service(), service.settings)
        schema["components"]["schemas"] |= body.pop("$defs", {})
        schema["components"]["schemas"]["GenerateRequest"] = body
        content = {CONTENT: {"schema": {"$ref": "#/components/schemas/GenerateRequest"}}}
        schema["paths"]["/generate"]["post"]["requestBody"] = {"required": True, "content": content}
        return schema

    app.openapi = openapi  # pyrefly: ignore[method-assign]  # as FastAPI's documentation does
    return app


async def _generate(service: Service, request: Request) -> Response:
    service.admission.check()
    try:
        async with asyncio.timeout(service.settings.deadline_seconds):
            body = await _body(request, service.settings.body_bytes)
    except TimeoutError:
        raise DeadlineError(service.settings.deadline_seconds) from None
    try:
        asked = GenerateRequest.model_validate_json(body)
    except ValidationError as error:
        return invalid(error)

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    served, answer = await service.generate(asked, gone)
    about = {"X-Ganops-Model": quote(served.name, safe="/"), "X-Ganops-Recipe": quote(served.recipe)}
    return Response(answer.body, media_type=answer.media_type, headers=about)


async def _body(request: Request, most: int) -> bytes:
    """The body of a request, of at most so many bytes."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CONTENT:
        raise ServiceError("the body must be JSON", code="no-json", expected=f"Content-Type: {CONTENT}")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise ServiceError("the body is too large", code="too-large", expected=f"at most {most:,} bytes")
    return bytes(body)


def _answers() -> dict[str, Any]:
    return {
        "description": "the images in the format that was asked for; headers name the model version and the recipe",
        "content": {CONTENT: {"schema": {"type": "object"}}}
        | {media: {} for media in MEDIA_TYPES.values() if media != CONTENT},
    }
