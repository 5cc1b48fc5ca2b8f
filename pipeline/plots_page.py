"""The page on which `dvc plots show` draws: with the chart library inside it, so that it opens without a network.

DVC's own page loads Vega from a public server. The environment has the same library in a package; this writes a page
that contains it into .dvc/plots (ignored by git) and tells this checkout's DVC to use it.
"""

from __future__ import annotations

import subprocess
import sys

import vl_convert

from ganops.atomic import write_text
from pipeline.environment import ROOT

# DVC's chart templates are written for version 5 of Vega-Lite; this is the last of that line.
VEGA_LITE = "5.21"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>ganops: dvc plots</title>
<style>
body { font-family: sans-serif; margin: 1.5em; display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start }
img { max-width: 24em; image-rendering: pixelated }
</style>
<script>(() => {"use strict";
LIBRARY
})();</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def write_page() -> None:
    """Write .dvc/plots/page.html and name it in .dvc/config.local."""
    library = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    page = PAGE.replace("LIBRARY", library.replace("</script", "<\\/script"))
    write_text(ROOT / ".dvc" / "plots" / "page.html", page)
    config = [sys.executable, "-m", "dvc", "config", "--local"]
    subprocess.run([*config, "plots.html_template", "plots/page.html"], cwd=ROOT, check=True)  # noqa: S603 - fixed words


if __name__ == "__main__":
    write_page()
