"""What the values of single arguments must be, checked before a request is sent."""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, TypeVar, cast

from modelarts._wire.json_records import as_integer
from modelarts._wire.v1 import limits
from modelarts.errors import ArgumentError, ArgumentProblem

if TYPE_CHECKING:
    from modelarts.session import Session

LARGEST = 10**19  # no service has larger numbers; Python does not write those of thousands of digits
OnSession = TypeVar("OnSession", bound=Callable[..., Any])


def raise_if_any(call: str, *problems: ArgumentProblem | None) -> None:
    """Raise one `ArgumentError` that lists all problems, if there are any."""
    found = [problem for problem in problems if problem is not None]
    if found:
        raise ArgumentError(call, found)


def whole_number(value: Any) -> int | None:
    """The whole number of at most 19 digits that a value is or a text stands for; `None` for everything else."""
    number = as_integer(value)
    try:
        found = None if isinstance(number, bool) else operator.index(number)  # integers of numpy are no `int`
    except TypeError:
        return None
    return None if found is None or abs(found) >= LARGEST else found


def is_missing(value: Any) -> bool:
    """Whether a value is `None` or an empty text; comparing an array with a text would raise."""
    return value is None or (isinstance(value, str) and not value)


# --- the problem with a value, or `None`


def identifier(argument: str, value: Any, how_to_get: str) -> ArgumentProblem | None:
    """Check the number of a job, a version or the like.

    Args:
        how_to_get: added to the message when the value is missing.
    """
    if is_missing(value):
        return ArgumentProblem(argument, value, f"required: {how_to_get}")
    number = whole_number(value)
    return ArgumentProblem(argument, value, limits.IDENTIFIER_RULE) if number is None or number < 0 else None


def name(argument: str, value: Any, how_to_get: str) -> ArgumentProblem | None:
    """Check a name that the service gave to something; arguments as for `identifier`."""
    if is_missing(value):
        return ArgumentProblem(argument, value, f"required: {how_to_get}")
    return None if isinstance(value, str) else ArgumentProblem(argument, value, "a text")


def number(argument: str, value: Any, least: int, most: int | None = None) -> ArgumentProblem | None:
    found = whole_number(value)
    if found is not None and found >= least and (most is None or found <= most):
        return None
    return ArgumentProblem(argument, value, f"a whole number from {least}{'' if most is None else f' to {most}'}")


def choice(argument: str, value: Any, *allowed: str) -> ArgumentProblem | None:
    if isinstance(value, str) and value in allowed:
        return None
    return ArgumentProblem(argument, value, f"one of {', '.join(allowed)}")


def text(argument: str, value: Any, most: int | None = None) -> ArgumentProblem | None:
    """Check a text; a whole number is taken as its digits."""
    is_text = isinstance(value, str) or whole_number(value) is not None
    if is_text and (most is None or len(str(value)) <= most):
        return None
    return ArgumentProblem(argument, value, "a text" if most is None else f"a text of at most {most} characters")


def json_list(argument: str, value: Any) -> ArgumentProblem | None:
    """Check a list of dicts that can be written as JSON."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) for item in value):
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            return ArgumentProblem(argument, value, f"cannot be written as JSON: {error}")
        return None
    return ArgumentProblem(argument, value, "a list of dicts")


def mapping(argument: str, value: Any) -> ArgumentProblem | None:
    return None if value is None or isinstance(value, Mapping) else ArgumentProblem(argument, value, "a dict, or None")


def description(argument: str, value: Any) -> ArgumentProblem | None:
    if isinstance(value, str) and len(value) <= limits.DESCRIPTION_LENGTH:
        return None
    length = f"; this has {len(value)}" if isinstance(value, str) else ""
    return ArgumentProblem(argument, value, f"a text of at most {limits.DESCRIPTION_LENGTH} characters{length}")


def fits_an_argument(argument: str, value: str | None) -> ArgumentProblem | None:
    """Check the length of a text that the system passes to a process as one argument."""
    size = len((value or "").encode("utf-8", "replace"))
    if size <= limits.ARGUMENT_BYTES:
        return None
    return ArgumentProblem(argument, value, f"at most {limits.ARGUMENT_BYTES} bytes; this has {size}")


def seconds(argument: str, value: Any) -> ArgumentProblem | None:
    from numbers import Real

    try:
        is_right = isinstance(value, Real) and not isinstance(value, bool) and float(value) >= 0  # NaN is not
    except OverflowError:
        is_right = False
    return None if is_right else ArgumentProblem(argument, value, "a number of seconds from 0, or None")


def flag(argument: str, value: Any) -> ArgumentProblem | None:
    """Check a value that is used as `True` or `False`; arrays of several values are neither."""
    try:
        bool(value)
    except Exception:  # noqa: BLE001 - a class may raise anything
        return ArgumentProblem(argument, value, "True or False")
    return None


def has_code(flavor: Any) -> bool:
    """Whether a value is a flavor as documented: a dict whose `code` is a text."""
    return isinstance(flavor, Mapping) and isinstance(flavor.get("code"), str) and flavor["code"] != ""


# --- sessions


def check_session(call: str, value: Any) -> None:
    """Raise `ArgumentError` for what is not a session; only its type is shown, because it may hold credentials."""
    # Recognized by what is needed of it: importing the class here would be an import upward.
    if isinstance(value, type) or not (hasattr(value, "client") and hasattr(value, "catalog")):
        shown = value if value is None or isinstance(value, type) else type(value)
        rule = "a Session object: Session.local() for this machine, Session() for the endpoint in the settings"
        raise_if_any(call, ArgumentProblem("modelarts_session", shown, rule))


def on_session(call: OnSession) -> OnSession:
    """Decorate a call on a class: check that its first argument is a session."""

    @functools.wraps(call)
    def checked(modelarts_session: Session, *arguments: Any, **options: Any) -> Any:
        check_session(call.__name__, modelarts_session)
        return call(modelarts_session, *arguments, **options)

    return cast(OnSession, checked)
