"""All registered versions checked: files, lineage and signature as registered, no pickle, and an answer if asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ganops.errors import RegistryError
from ganops.registry.load import pickles_in, registered
from ganops.registry.signature import SIGNATURE, check_signature
from ganops.registry.smoke import smoke_test
from ganops.registry.versions import CHAMPION, CONTENT, DATA_FAMILY, LINEAGE, PACKAGE, PREVIOUS, RECIPE, TASK
from ganops.tracking.store import Store, unusable

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

REQUIRED = (RECIPE, LINEAGE, DATA_FAMILY, TASK)  # tags that every registration writes
LOGGED = re.compile(r"models:/(m-[^/]+)")
IN_USE = {CHAMPION, PREVIOUS}


def verify(store: Store, *, sample: bool = False) -> Iterator[tuple[str, str]]:
    """The address of each version that ganops registered, of any model, and what is wrong with it; empty: nothing.

    sample: each is loaded in a fresh process and asked for its example, too.
    """
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
                yield uri, _problem(store, uri, version) or (smoke_test(uri) if sample else "")
        token = page.token or ""


def _problem(store: Store, uri: str, version: ModelVersion) -> str:
    try:
        found = registered(uri, signed=False)
        if pickles := pickles_in(found.package):
            return f"pickles among its files: {', '.join(pickles)}"
        # The aliases of a search are not filled by every store.
        aliases = set(store.client.get_model_version(version.name, version.version).aliases)
        if SIGNATURE in version.tags or aliases & IN_USE:
            check_signature(found.name, found.version, version.tags.get(PACKAGE, ""), version.tags)
    except RegistryError as error:
        return error.in_short
    if missing := [name for name in REQUIRED if not version.tags.get(name)]:
        return f"its lineage is not known any more: no tag {', '.join(missing)}"
    return _marked_for_deletion(store, version)


def _marked_for_deletion(store: Store, version: ModelVersion) -> str:
    """Whether somebody has deleted the logged model below the version: the files are there until `mlflow gc`."""
    from mlflow.exceptions import MlflowException

    made_of = LOGGED.fullmatch(version.source or "")  # the field model_id is empty in a search
    try:
        if made_of:
            store.client.get_logged_model(made_of[1])
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise unusable(store.uri, error) from error
        return f"its model {version.source} was deleted, and `mlflow gc` will remove the files: make a backup first"
    return ""
