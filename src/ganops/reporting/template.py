"""HTML pages from templates."""

from __future__ import annotations

import jinja2


def template(name: str, package: str = "ganops.reporting") -> jinja2.Template:
    """One of the pages in the folder templates/ of a package; whatever is put into it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
