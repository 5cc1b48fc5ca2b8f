"""The errors ganops raises: each says what was expected, what was found and what to do about it."""

from __future__ import annotations


class GanopsError(Exception):
    """Base of all errors a person is meant to read; the command line prints it without a traceback.

    `expected` and `found` are short phrases, `action` is one sentence in the imperative. `exit_code` is what the
    process ends with.
    """

    def __init__(
        self, message: str, *, expected: str = "", found: str = "", action: str = "", exit_code: int = 1
    ) -> None:
        self.message, self.expected, self.found, self.action = message, expected, found, action
        self.exit_code = exit_code
        super().__init__(self.describe())

    def describe(self) -> str:
        """The message and, a line each, what was expected, what was found and what to do."""
        details = (("expected", self.expected), ("found", self.found), ("to do", self.action))
        return "\n".join([self.message, *(f"  {name}: {text}" for name, text in details if text)])


class SettingsError(GanopsError):
    """params.yaml or a recipe says something that cannot be."""


class DataError(GanopsError):
    """The data are missing, unreadable, too few, or not of the kind that was asked for."""


class ModelError(GanopsError):
    """A saved model is missing, damaged, or not of the form its description says."""


class TrainingError(GanopsError):
    """Training cannot start, cannot go on, or was ended by a sick run."""


class EvaluationError(GanopsError):
    """A score cannot be computed, or two scores cannot be compared."""


class TrackingError(GanopsError):
    """The tracking server cannot be reached or refuses what was asked."""


class RegistryError(GanopsError):
    """A model cannot be packaged, registered, promoted, rolled back or loaded."""
