"""What the values of single calls must be, checked before anything is sent."""

from __future__ import annotations

import functools
import operator
from numbers import Real
from typing import Any, Callable, TypeVar, cast

from modelarts._wire.json_records import as_integer
from modelarts._wire.v1 import limits
from modelarts.errors import ArgumentError, ArgumentProblem
from modelarts.session import Session

OnSession = TypeVar("OnSession", bound=Callable[..., Any])


def raise_if_any(call: str, *faults: ArgumentProblem | None) -> None:
    """Raise one `ArgumentError` with all the faults that there are."""
    found = [fault for fault in faults if fault is not None]
    if found:
        raise ArgumentError(call, found)


def whole_number(value: Any) -> int | None:
    """The whole number that a value is, or that a text of digits stands for."""
    number = as_integer(value)
    try:
        return None if isinstance(number, bool) else operator.index(number)  # those of numpy are no `int`
    except TypeError:
        return None


# --- the fault of a value, or nothing


def identifier(argument: str, value: Any, missing: str) -> ArgumentProblem | None:
    """Args:
    missing: how to come by an id where there is none.
    """
    if value is None or value == "":
        return ArgumentProblem(argument, value, f"this call needs it: {missing}")
    number = whole_number(value)
    return ArgumentProblem(argument, value, limits.IDENTIFIER_RULE) if number is None or number < 0 else None


def number(argument: str, value: Any, least: int, most: int | None = None) -> ArgumentProblem | None:
    found = whole_number(value)
    if found is not None and found >= least and (most is None or found <= most):
        return None
    return ArgumentProblem(argument, value, f"a whole number from {least}{'' if most is None else f' to {most}'}")


def choice(argument: str, value: Any, *allowed: str) -> ArgumentProblem | None:
    return None if value in allowed else ArgumentProblem(argument, value, f"one of {', '.join(allowed)}")


def description(argument: str, text: Any) -> ArgumentProblem | None:
    if isinstance(text, str) and len(text) <= limits.DESCRIPTION_LENGTH:
        return None
    length = f"; this has {len(text)}" if isinstance(text, str) else ""
    return ArgumentProblem(argument, text, f"a text of at most {limits.DESCRIPTION_LENGTH} characters{length}")


def seconds(argument: str, value: Any) -> ArgumentProblem | None:
    try:
        is_right = isinstance(value, Real) and not isinstance(value, bool) and float(value) >= 0  # NaN is not
    except OverflowError:
        is_right = False
    return None if is_right else ArgumentProblem(argument, value, "a number of seconds from 0, or None")


# --- sessions


def check_session(call: str, value: Any) -> None:
    """Raise `ArgumentError` for what is no session; only its type is shown, because it may be a login."""
    if not isinstance(value, Session):
        shown = value if value is None or isinstance(value, type) else type(value)
        rule = "a session that was made: Session.local() for this machine, Session() for where the settings lead"
        raise_if_any(call, ArgumentProblem("modelarts_session", shown, rule))


def on_session(call: OnSession) -> OnSession:
    """A call on a class, with its first argument checked to be a session."""

    @functools.wraps(call)
    def checked(modelarts_session: Session, *arguments: Any, **options: Any) -> Any:
        check_session(call.__name__, modelarts_session)
        return call(modelarts_session, *arguments, **options)

    return cast(OnSession, checked)
