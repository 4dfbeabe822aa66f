"""One family of errors: each says what was asked or found, what there is, and what to do next."""


class VocwbError(Exception):
    """An error that a user can act on.

    what: what was asked for, or what was found wrong, naming the file, line, column or key.
    exists: what there is instead (None leaves the line out).
    remedy: what to do next (None leaves the line out).

    >>> print(VocwbError("There is no key 'sourcs'.", "Keys: sources, segments.", "Write 'sources'."))
    There is no key 'sourcs'.
    Keys: sources, segments.
    Write 'sources'.
    """

    def __init__(self, what: str, exists: str | None = None, remedy: str | None = None):
        self.what, self.exists, self.remedy = what, exists, remedy
        super().__init__(what, exists, remedy)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.exists, self.remedy) if part)


class ProgrammeError(VocwbError):
    """programme.yml cannot be used as it stands."""


class SourceError(VocwbError):
    """A raw file cannot be read as its source declares."""


class SchemaError(VocwbError):
    """A table does not have the columns, types or key that it must have."""


class StoreError(VocwbError):
    """A table that was asked for is not in the store, or cannot be written."""


class DecisionError(VocwbError):
    """A decision is not of a known kind, or lacks who or why."""


class MonthError(VocwbError):
    """A month was asked for that is not written as YYYY-MM or has no feedback."""


class EncoderError(VocwbError):
    """An encoder is not known, or its weights cannot be had."""


class ReportError(VocwbError):
    """A report was not built, because something in it could not be traced to the store."""


class RunError(VocwbError):
    """A notebook was refused or failed."""
