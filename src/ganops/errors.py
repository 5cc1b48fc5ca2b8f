"""The errors ganops raises: each says what was expected, what was found and what to do about it."""

from __future__ import annotations


class GanopsError(Exception):
    """Base of all errors a person is meant to read; the command line prints it without a traceback.

    code: a stable name such as "too-few-images", which programs and tests go by. `expected` and `found` are short
    phrases, `action` is one sentence in the imperative. exit_code: what the process ends with.
    """

    def __init__(
        self, message: str, *, code: str = "", expected: str = "", found: str = "", action: str = "", exit_code: int = 1
    ) -> None:
        self.message, self.code = message, code
        self.expected, self.found, self.action = expected, found, action
        self.exit_code = exit_code
        super().__init__(self.describe())

    @property
    def in_short(self) -> str:
        """The message and what was found, on one line."""
        return f"{self.message} ({self.found})" if self.found else self.message

    def describe(self) -> str:
        """The message and, a line each, what was expected, what was found and what to do."""
        details = (("expected", self.expected), ("found", self.found), ("to do", self.action))
        return "\n".join([self.message, *(f"  {name}: {text}" for name, text in details if text)])


class SettingsError(GanopsError):
    """A key or value in params.yaml, a recipe or on the command line is invalid."""


class DataError(GanopsError):
    """The data are missing, unreadable, too few, or of the wrong kind."""


class ModelError(GanopsError):
    """A saved model is missing, damaged, or not of the form its description says."""


class TrainingError(GanopsError):
    """Training cannot start or continue, or was stopped because it became unhealthy."""


class SearchError(GanopsError):
    """A search for a better recipe cannot start or continue."""


class EvaluationError(GanopsError):
    """A score cannot be computed, or two scores cannot be compared."""


class TrackingError(GanopsError):
    """The tracking server cannot be reached or refuses what was asked."""


class RegistryError(GanopsError):
    """A model cannot be packaged, registered, promoted, rolled back or loaded."""
