"""Names are honest: only Inception-v3's FID is called FID."""

from __future__ import annotations

import pytest

from ganops.errors import SettingsError
from ganops.evaluation.metric_names import all_metrics, base_of, describe, in_order, metric_key


def test_features_are_part_of_the_name_unless_they_are_inceptions() -> None:
    assert metric_key("fid", "inception-v3") == "fid"
    assert metric_key("fid", "classifier") == "fid_classifier"
    assert metric_key("kid", "efficientnet-lite0") == "kid_efficientnet-lite0"
    assert metric_key("psnr", "classifier") == "psnr"
    assert metric_key("fid_classifier", "efficientnet-lite0") == "fid_classifier"  # a full key says it all
    assert describe("fid").title == "FID"
    assert describe("fid_classifier").title == "FID (classifier)"
    assert describe("kid_efficientnet-lite0").title == "KID (efficientnet-lite0)"
    assert describe("kid_efficientnet-lite0").better == "lower"
    assert base_of("intra_kid_custom") == "intra_kid"
    assert base_of("high_quality_modes") == "high_quality_modes"


@pytest.mark.parametrize("key", ["fid_clasifier", "psnr_classifier", "fdi", ""])
def test_unknown_keys_are_refused(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        describe(key)
    assert (caught.value.code, caught.value.found) == ("unknown-metric", key)


def test_the_nearest_key_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        metric_key("memorization", "classifier")
    assert "'memorisation'" in caught.value.action


def test_the_order_is_that_of_the_groups() -> None:
    keys = ["mode_kl", "unknown", "recall", "kid_classifier", "psnr", "fid_classifier", "precision"]
    expected = ["fid_classifier", "kid_classifier", "psnr", "precision", "recall", "mode_kl", "unknown"]
    assert in_order(keys) == expected
    assert in_order(all_metrics()) == list(all_metrics())
