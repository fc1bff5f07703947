"""The family of errors: every one names what was found, what was expected, where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceLocation:
    """A place in the user's source text.

    Attributes
    ----------
    file : str
        Path as the user wrote it.
    line, column : int
        Both counted from 1; column 0 means "the whole line".
    text : str
        The source line itself, without its line end; empty when unknown.
    """

    file: str
    line: int
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}:{self.column}" if self.column else place

    def caret(self) -> str:
        """The source line with a caret under the column, or an empty string."""
        if not self.text:
            return ""
        if not self.column:
            return f"    {self.text}"
        pad = "".join("\t" if c == "\t" else " " for c in self.text[: self.column - 1])
        return f"    {self.text}\n    {pad}^"


class PolyschedError(Exception):
    """Base of all errors a user can cause.

    Parameters
    ----------
    message : str
        What was found and what was expected; lower case, no full stop.
    where : SourceLocation, optional
        Place in the user's source.
    hint : str, optional
        What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        where: SourceLocation | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        parts = [head]
        if self.where and self.where.caret():
            parts.append(self.where.caret())
        if self.hint:
            parts.append(f"hint: {self.hint}")
        return "\n".join(parts)


class FrontendError(PolyschedError):
    """A source text was refused.

    Attributes
    ----------
    parts : tuple of (int, int)
        First and last lines of what was accepted of it all the same.
    """

    parts: tuple[tuple[int, int], ...] = ()


class UnsupportedSyntaxError(FrontendError):
    """A construct that the front end does not take."""


class NotAffineError(FrontendError):
    """An expression that had to be affine and is not."""


class AnalysisError(PolyschedError):
    """A polyhedral analysis failed; the message holds the set at fault."""


class IllegalScheduleError(PolyschedError):
    """A schedule violates a dependence; the message holds a witness."""


class InfeasibleError(PolyschedError):
    """A constraint system has no solution; the message names the conflict."""


class PinError(PolyschedError):
    """A pin cannot be read, or names what the SCoP does not have."""


class ConflictError(InfeasibleError):
    """What a user insists on cannot be had together with the other constraints.

    Parameters
    ----------
    message : str
        The conflict in a sentence.
    groups : tuple of str
        Names of the constraint groups that exclude each other.
    is_irreducible : bool
        Whether it is proven that all but any one of them can be had together; False
        when time ran out before.
    hint : str, optional
        Pairs of instances that show it, or what to do.
    """

    def __init__(
        self,
        message: str,
        groups: tuple[str, ...],
        *,
        is_irreducible: bool,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.groups = groups
        self.is_irreducible = is_irreducible


class EmptySpaceError(PolyschedError):
    """A schedule space with no member."""


class CodegenError(PolyschedError):
    """A schedule tree could not be printed within its limits."""


class ToolchainError(PolyschedError):
    """A compiler or preprocessor is missing or failed; holds command and stderr."""


class UnavailableError(ToolchainError):
    """A tool that is not there, was killed, or found no room: no fault of its input."""


class RunError(PolyschedError):
    """A program exited with an error, crashed or ran out of time or memory."""


class MismatchError(PolyschedError):
    """Two runs differ; the message holds array, index, expected and found value."""


class LimitError(PolyschedError):
    """A stage was cut short by its limit of time or operations."""
