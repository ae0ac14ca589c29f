"""The packages of an environment: which texts name a channel, a package of pip or of conda."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

CHANNELS, PIP, CONDA = "channels", "pip_packages", "conda_packages"
LISTS = (CHANNELS, PIP, CONDA)
NAME_RULE = "a text of 1 to 128 characters on one line"

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_VERSION = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+"
_PIP = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[A-Za-z0-9,._\s-]*\])?\s*"
    rf"(?:\(?\s*{_VERSION}(?:\s*,\s*{_VERSION})*\s*\)?|@\s*\S+)?\s*(?:;.+)?"
)
_FILE_OR_URL = re.compile(r"(?:[a-z][a-z0-9+]*://\S+|/\S(?:.*\S)?)(?:\s*;.+)?")
_CONDA = re.compile(r"(?:[\w./:@%+-]+::)?[A-Za-z0-9_][\w.-]*(?:\s*[=<>!~\[].*|\s+[\d*=<>!~].*)?")
_CHANNEL = re.compile(r"[^\s-]\S*")
_LOGIN = re.compile(r"(?<=//)[^/@\s]+(?=@)|(?<=/t/)[^/\s]+")
_ONE_EQUALS = re.compile(r"[\w.\[\],-]+\s*=\s*[\w.*]+")

_EXAMPLES = {CHANNELS: "conda-forge", PIP: "requests", CONDA: "python=3.9"}
_RULES = {
    CHANNELS: "the name or URL of a channel, such as conda-forge, without blanks",
    PIP: "a requirement such as tensorflow==1.13.1 or Pillow>=8.0.1, a URL or the absolute path of a package",
    CONDA: "a requirement such as python=3.6.2 or numpy>=1.16",
}
_OPTION = {
    CHANNELS: "is an option, not a channel",
    PIP: "is an option, not a package; set the index and other options of pip where the local service is started, by "
         "PIP_INDEX_URL and the like or in pip.conf, or use a pip-requirements.txt in code_dir",
    CONDA: "is an option, not a package; set options in the configuration of conda, and channels by channels=[…]",
}  # fmt: skip


class Problem(NamedTuple):
    """What is wrong with a list."""

    argument: str
    value: Any
    rule: str


def list_problems(lists: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with lists of an environment, by their names. `None` is an empty list."""
    found: list[Problem] = []
    for argument, value in lists.items():
        if value is None:
            continue
        if isinstance(value, (list, tuple)):
            found += [Problem(argument, hidden(item), rule) for item in value if (rule := _broken(argument, item))]
        else:
            shown = hidden(value) if isinstance(value, str) else value
            instead = [shown] if isinstance(value, str) else [_EXAMPLES[argument]]
            found.append(Problem(argument, shown, f"a list of texts; write {argument}={instead!r}"))
    return found


def name_problem(name: Any) -> str:
    """The rule that the name of an environment breaks; else an empty text."""
    is_text = isinstance(name, str) and name.strip() and len(name) <= 128 and not _CONTROL.search(name)
    return "" if is_text else NAME_RULE


def hidden(value: Any) -> Any:
    """A value for messages, without the logins and tokens that URLs may have."""
    return _LOGIN.sub("***", value) if isinstance(value, str) else value


def _broken(argument: str, item: Any) -> str:
    if not isinstance(item, str) or not item.strip():
        return f"each item is a text: {_RULES[argument]}"
    if _CONTROL.search(item):
        return f"each item is one line: {_RULES[argument]}"
    text = item.strip()
    if text.startswith("-") or (argument != CHANNELS and " -" in text.partition(";")[0]):
        return _OPTION[argument]
    return "" if _SHAPES[argument](text) else _hint(argument, text)


def _hint(argument: str, text: str) -> str:
    if argument == PIP and _ONE_EQUALS.fullmatch(text):
        return f"pip writes two equals signs: {text.replace('=', '==')!r}"
    return _RULES[argument]


_SHAPES: Mapping[str, Callable[[str], object]] = {
    CHANNELS: _CHANNEL.fullmatch,
    PIP: lambda text: _PIP.fullmatch(text) or _FILE_OR_URL.fullmatch(text),
    CONDA: _CONDA.fullmatch,
}
