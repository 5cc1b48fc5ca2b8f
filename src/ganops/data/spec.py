"""What a data set is: its fields, and the ones that are derived from them while training runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import Field as Bounded

from ganops.data.fields.field import AnyField, Field, Schema
from ganops.errors import SettingsError
from ganops.settings import Settings

F = TypeVar("F", bound=Field)


class DataSpec(Settings):
    """The schema of a data set; stands in manifest.json and model.json.

    fields: stored columns by name, in order; the first is the data themselves, which a plain generator makes.
    derived: columns computed on the training device from stored ones, by name: the sections that DERIVATIONS builds.
    paired: false where the fields are those of two data sets of their own length and order (the domains of CycleGAN);
        `domains` says which fields belong together. A batch has rows of both, as many of each.
    """

    fields: dict[str, AnyField] = Bounded(min_length=1)
    derived: dict[str, dict[str, Any]] = Bounded(default_factory=dict)
    paired: bool = True

    @property
    def target(self) -> str:
        """The name of the first field: what a plain generator makes."""
        return next(iter(self.fields))

    def schema(self) -> Schema:  # pyrefly: ignore[bad-override]  # pydantic's deprecated method of this name
        """All fields by name, the derived ones too."""
        if not self.derived:
            return self.fields
        from ganops.data.derived.derivation import derived_fields

        return {**self.fields, **derived_fields(self)}

    def field(self, name: str, kind: type[F]) -> F:
        """The field called `name`; raises SettingsError where it is missing or of another kind."""
        found = self.schema().get(name)
        if not isinstance(found, kind):
            raise SettingsError(
                f"the data have no field '{name}' of the kind {kind.field_kind}",
                code="missing-field",
                expected=f"{name}: {kind.field_kind}",
                found=", ".join(f"{key}: {field.kind}" for key, field in self.schema().items()),
            )
        return found

    def first(self, kind: type[F]) -> F | None:
        """The first field of a kind; None where there is none."""
        return next((field for field in self.fields.values() if isinstance(field, kind)), None)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names of the field `label`; empty where the data have none."""
        from ganops.data.fields.category import CategoryField

        label = self.fields.get(LABEL)
        return label.classes if isinstance(label, CategoryField) else ()

    @property
    def domains(self) -> Mapping[str, DataSpec]:
        """Of unpaired data: each domain as a data set of its own, by its name: {A: {A, label}, B: {B}}; else empty.

        Here the other fields of a domain carry its name: A, A_label, B.
        """
        found: dict[str, dict[str, Field]] = {}
        for name, field in self.fields.items() if not self.paired else ():
            domain = next((each for each in found if name.startswith(f"{each}_")), name)
            found.setdefault(domain, {})[name.removeprefix(f"{domain}_")] = field
        return {name: DataSpec(fields=fields) for name, fields in found.items()}

    def domain_of(self, name: str) -> str | None:
        """The domain that a field belongs to; None where the data are paired."""
        return next((each for each in self.domains if name == each or name.startswith(f"{each}_")), None)

    def with_fields(self, fields: Mapping[str, Field]) -> DataSpec:
        """The same data with some fields replaced or added."""
        return self.model_copy(update={"fields": {**self.fields, **fields}})


def joint_name(domain: str, name: str) -> str:
    """The name among the fields of unpaired data of a domain's own field."""
    return name if name == domain else f"{domain}_{name}"


DOMAINS = ("A", "B")  # of unpaired data
LABEL, IMAGE, VECTOR = "label", "image", "vector"  # names of the columns that most data sets have
SOURCE = "source"  # of pairs: what the image is to be made from
CHARACTER = "character"  # which glyph a row shows, where that is not its class
