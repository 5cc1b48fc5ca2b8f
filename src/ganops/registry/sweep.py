"""What killed processes have left behind in MLflow: runs without an end, and logged models that became no version."""

from __future__ import annotations

from collections.abc import Collection

from ganops.params import Params
from ganops.tracking.dead import end_dead_runs
from ganops.tracking.process import has_died
from ganops.tracking.store import Store, connect, unusable


def sweep(params: Params, gone: Collection[str] = ()) -> list[str]:
    """End or remove all of it, as far as it is from this checkout; a sentence for each. Nothing at work is touched.

    gone: names of other machines that will not return. Raises TrackingError when the store does not answer.
    """
    store, experiment = connect(), params.tracking.experiment
    return [*end_dead_runs(store, experiment, gone), *delete_leftover_models(store, experiment, gone)]


def delete_leftover_models(store: Store, experiment: str, gone: Collection[str] = ()) -> list[str]:
    """Delete the models that a killed process has logged and not registered; `mlflow gc` then removes their files."""
    from mlflow.exceptions import MlflowException

    client, said = store.client, list[str]()
    try:
        known = client.get_experiment_by_name(experiment)
        for model in client.search_logged_models([known.experiment_id]) if known else ():
            if has_died(model.tags, gone) and not _versions_of(store, model.model_id, model.source_run_id):
                client.delete_logged_model(model.model_id)
                said.append(f"the model {model.model_id} of a killed registration is deleted")
    except (MlflowException, OSError) as error:
        raise unusable(store.uri, error) from error
    return said


def _versions_of(store: Store, model_id: str, run_id: str) -> list[str]:
    """The versions of any registered model that are made of a logged model: their source is its address or folder."""
    found = store.client.search_model_versions(f"run_id = '{run_id}'")
    return [str(version.version) for version in found if model_id in f"{version.model_id} {version.source}"]
