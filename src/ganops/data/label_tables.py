"""labels.yaml: the classes of a folder of label maps, next to the pictures themselves."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from ganops.data.fields.label_map import LabelTable
from ganops.data.listing import Candidate, Files
from ganops.errors import DataError
from ganops.settings import parse_yaml, shortened

FILE = "labels.yaml"


def take_table(files: Files, side: Sequence[Candidate]) -> tuple[tuple[Candidate, ...], LabelTable | None]:
    """The pictures of a side without its labels.yaml, and what that says; None where there is none.

    It may lie in the folder of a split, too. It is a list of class names, in the order of their indices, or a mapping
    from names to colours. Raises DataError where it is neither.
    """
    tables = [each for each in side if each.parts[-1] == FILE]
    if not tables:
        return tuple(side), None
    found = min(tables, key=lambda each: each.parts)
    try:
        table = LabelTable.model_validate(parse_yaml(files.read(found.name)))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError(
            f"{found.name} does not name the classes of label maps",
            code="bad-label-table",
            expected="a list of at least two names, or a mapping of names to colours",
            found=shortened(error),
            action="correct the file (docs/data.md)",
        ) from error
    return tuple(each for each in side if each not in tables), table
