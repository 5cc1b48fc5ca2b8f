"""Settings are read as DVC reads and writes them: the same file must mean the same to both."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from dvc.utils.serialize import load_yaml
from mutations import changed, places
from pydantic import Field

from ganops.errors import GanopsError, SettingsError
from ganops.evaluation.metric_groups import chosen_groups
from ganops.params import Params
from ganops.settings import Settings, read_yaml, validate

ROOT = Path(__file__).resolve().parent.parent

NUMBERS = ["1e-3", "2.0e-4", "+2e4", ".5", "-1", "7", "010", "08", "0x1F", "0o17", "1_000"]
SCALARS = [*NUMBERS, "off", "on", "no", "true", "False", "null", "~", "e5", "1e", "a"]


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_means_the_same_to_dvc(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"key: {text}\nlist: [{text}]\n")
    expected: dict[str, Any] = load_yaml(path)
    assert read_yaml(path) == expected
    assert type(read_yaml(path)["key"]) is type(expected["key"])


def test_a_folder_that_looks_like_a_time_is_a_word(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("key: 12:30\n")
    assert read_yaml(path) == load_yaml(path) == {"key": "12:30"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1, 2]", "keys and values"),
        (b"a: [1", "not valid YAML"),
        (b"a: \xff", "cannot be read"),
        (b"a: !!python/object/apply:os.getcwd []", "not valid YAML"),
        (b"a: 1\nb: {c: 1, c: 2}", "'c' stands twice"),
        (b"a: 2026-13-45", "not valid YAML"),
        (b"a: " + b"[" * 5000 + b"]" * 5000, "not valid YAML"),
    ],
    ids=range(7),
)
def test_what_is_no_settings_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        read_yaml(path)


def test_a_conflict_of_a_merge_is_named(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: 1\n<<<<<<< HEAD\nseed: 7\n=======\nseed: 8\n>>>>>>> other\n")
    with pytest.raises(SettingsError) as error:
        read_yaml(path)
    assert error.value.code == "merge-conflict"
    assert error.value.found == "line 2: <<<<<<< HEAD"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml is missing"):
        read_yaml(tmp_path / "nowhere.yaml")


class Form(Settings):
    """One field of each kind of value."""

    count: int = Field(default=1, ge=0)
    share: float = 0.5
    on: bool = True
    choice: Literal[1, 3] = 1
    size: Annotated[int, Field(ge=8)] | Literal["auto"] = "auto"
    path: Path | None = None
    pair: tuple[float, float] = (0.0, 1.0)
    sections: dict[str, Form] = Field(default_factory=dict)


@pytest.mark.parametrize(
    "values",
    [
        *({"count": value} for value in (True, "1", 1.0, None, [1], -1, 10**400, 2**60)),
        *({"share": value} for value in (False, "0.5", nan, inf, 10**400, 1e300)),
        *({"on": value} for value in (1, "true", "yes")),
        *({"choice": value} for value in (True, "1", 2)),
        *({"size": value} for value in (True, "12", 7, 12.0, "Auto")),
        *({"path": value} for value in (1, True, ["a"])),
        *({"pair": value} for value in ([1], [1, 2, 3], "12", [True, 1], [1, 1e300])),
        *({"sections": value} for value in ([], {"a": 1}, {"a": {"count": True}}, {"a": {"pair": [0, inf]}})),
        {"path": "\ud800"},
    ],
    ids=lambda values: repr(values)[:40],
)
def test_nothing_is_converted_between_kinds_of_values(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as raised:
        validate(Form, values, "form.yaml")
    assert raised.value.code in ("bad-value", "no-settings", "missing-key")
    assert len(str(raised.value)) < 1000


def test_what_a_value_may_be_is_said_for_its_key() -> None:
    with pytest.raises(SettingsError) as raised:
        validate(Form, {"sections": {"a": {"size": 3, "share": "x"}}}, "form.yaml")
    assert raised.value.message == "form.yaml: key 'sections.a.share' is wrong (1 more problems in this section)"
    with pytest.raises(SettingsError) as raised:
        validate(Form, {"size": 3}, "form.yaml")
    assert (raised.value.expected, raised.value.found) == ("greater than or equal to 8 or 'auto'", "3")
    with pytest.raises(SettingsError) as raised:
        validate(Form, {"sections": {"a": {"shar": 1}}}, "form.yaml")
    assert raised.value.code == "unknown-key"


def test_no_mutation_of_the_shipped_settings_ends_in_a_traceback() -> None:
    values = read_yaml(ROOT / "params.yaml")
    refused = list[str]()
    for place in places(values):
        for wrong in WRONG:
            try:
                chosen_groups(validate(Params, changed(values, place, wrong), "params.yaml").evaluate)
            except GanopsError as error:
                refused.append(error.code)
    assert len(refused) > 1200
    assert all(refused)


WRONG = (None, True, -1, 0, 3.5, 1e308, nan, 10**30, "", "x", "3", "\ud800", [], [None], {}, {"kind": 3}, [[[]]])
