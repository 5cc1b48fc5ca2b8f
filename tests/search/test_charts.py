"""The pictures of a search say what their captions say."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps

from ganops.evaluation.metric import Metric
from ganops.search.charts import COLOUR_MAPS, history
from ganops.search.study import Trial

FID = Metric("fid", "FID", "lower", "")


@pytest.mark.parametrize(("better", "good"), [("lower", 0.0), ("higher", 1.0)])
def test_the_darker_line_is_the_better_trial(better: str, good: float) -> None:
    palette = colormaps[COLOUR_MAPS[better]]
    assert sum(palette(good)[:3]) < 1 < 1.5 < sum(palette(1 - good)[:3])


@pytest.mark.parametrize("last", [0.9, 1e6])
def test_pruned_trials_are_seen_wherever_they_ended(last: float) -> None:
    complete = [Trial(number, {}, "complete", value) for number, value in enumerate((0.5, 0.4, 0.45, 0.3, 0.35))]
    pruned = Trial(5, {}, "pruned", None, reports={1: last})
    alone, both = (np.asarray(history(trials, FID)) for trials in (complete, [*complete, pruned]))
    assert (alone != both).any()
    blue = [((picture[..., 2] > 150) & (picture[..., 0] < 60)).any(axis=1) for picture in (alone, both)]
    assert blue[1].sum() > 0.4 * blue[0].sum(), "the complete ones are not flattened"
