"""What the service says about its models: /model, the OpenAPI schema of a request, and what the page is built from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.vector import VectorField
from ganops.serving.request import GenerateRequest
from ganops.serving.served import Served
from ganops.serving.settings import ServiceSettings


class FieldDescription(BaseModel):
    """One input or output. form: what it is in JSON: picture (base64 of a file), class, text or numbers."""

    form: str
    description: str
    classes: list[str] = []


class TaskDescription(BaseModel):
    """What a task takes and gives. latents: whether a seed makes a difference, so that one can walk between two."""

    inputs: dict[str, FieldDescription]
    outputs: dict[str, FieldDescription]
    latents: bool


class ModelDescription(BaseModel):
    """A model in service. card: in Markdown. lineage: recipe, data, run, commit and scores, as registered."""

    alias: str
    model: str
    recipe: str
    summary: str
    tasks: dict[str, TaskDescription]
    truncation: tuple[float, float] | None
    lineage: dict[str, str]
    card: str


def describe(alias: str, served: Served) -> ModelDescription:
    """All that is known of a model in service."""
    return ModelDescription(
        alias=alias,
        model=served.name,
        recipe=served.recipe,
        summary=served.description.recipe.summary,
        tasks={
            name: TaskDescription(
                inputs={key: _field(field) for key, field in task.inputs.items()},
                outputs={key: _field(field) for key, field in task.outputs.items()},
                latents=bool(task.latents),
            )
            for name, task in served.game.tasks.items()
        },
        truncation=served.truncation_range,
        lineage={key: value for key, value in served.tags.items() if not key.startswith("measured.")},
        card=served.card,
    )


def request_schema(models: Mapping[str, Served], settings: ServiceSettings) -> dict[str, Any]:
    """The JSON schema of a request to the models that are in service now."""
    schema = GenerateRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    served = list(models.values())
    inputs: dict[str, Any] = {}
    for task in (task for each in served for task in each.game.tasks.values()):
        inputs |= {name: _values(field) for name, field in task.inputs.items()}
    properties = schema["properties"]
    properties["n"] |= {"maximum": settings.largest_request}
    properties["inputs"] = {"type": "object", "properties": inputs, "additionalProperties": False}
    properties["model"] = {"enum": [*models, None]}
    properties["task"] = {"enum": [*dict.fromkeys(name for each in served for name in each.game.tasks), None]}
    limits = next((each.truncation_range for each in served if each.truncation_range), None)
    if limits is None:
        del properties["truncation"]
    else:
        properties["truncation"] = {"anyOf": [{"type": "number", "minimum": limits[0], "maximum": limits[1]}, NULL]}
    if not any(task.latents for each in served for task in each.game.tasks.values()):
        del properties["walk"]
    return schema


NULL = {"type": "null"}


def _field(field: Field) -> FieldDescription:
    classes = list(field.classes) if isinstance(field, CategoryField) else []
    return FieldDescription(form=field.wire_form, description=field.description, classes=classes)


def _values(field: Field) -> dict[str, Any]:
    """The schema of one value for all rows; a list with one for each row is allowed, too."""
    forms: dict[str, dict[str, Any]] = {
        "picture": {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"},
        "class": {"type": "string"},
        "text": {"type": "string"},
        "numbers": {"type": "array", "items": {"type": "number"}},
    }
    form = forms[field.wire_form]
    if isinstance(field, CategoryField):
        form |= {"enum": list(field.classes)}
    if isinstance(field, VectorField):
        form |= {"minItems": field.size, "maxItems": field.size}
    return {"description": field.description, "anyOf": [form, {"type": "array", "items": form}]}
