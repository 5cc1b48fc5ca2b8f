"""The model that commands take where none is named."""

from __future__ import annotations


def champion() -> str:
    """The address of the champion that params.yaml names."""
    from ganops.registry.naming import registered_name
    from ganops.registry.versions import CHAMPION
    from ganops.resolved import load_params

    return f"models:/{registered_name(load_params())}@{CHAMPION}"
