"""All registered versions checked: files there and as registered, no pickle among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ganops.errors import RegistryError
from ganops.registry.load import pickles_in, problem_with, registered_package
from ganops.registry.versions import CONTENT
from ganops.tracking.store import Store, unusable


def verify(store: Store) -> Iterator[tuple[str, str]]:
    """The address of each version that ganops registered, of any model, and what is wrong with it; empty: nothing."""
    from mlflow.exceptions import MlflowException

    token = None
    while token != "":
        try:
            page = store.client.search_model_versions(max_results=1000, page_token=token, order_by=["name ASC"])
        except (MlflowException, OSError) as error:
            raise unusable(store.uri, error) from error
        for version in sorted(page, key=lambda version: (version.name, int(version.version))):
            if CONTENT in version.tags:
                uri = f"models:/{version.name}/{version.version}"
                yield uri, problem_with(uri) or _pickles(uri)
        token = page.token or ""


def _pickles(uri: str) -> str:
    with suppress(RegistryError):
        if found := pickles_in(registered_package(uri)):
            return f"pickles among its files: {', '.join(found)}"
    return ""
