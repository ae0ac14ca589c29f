"""Secrets in texts about a job: commands and error messages are shown to others than its user.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "****"
_WORDS = r"passw(?:or)?d|passphrase|secret|credentials?|access_?key|api_?key|private_?key|auth_?token|security_?token"
_SHORT = "token|ak|sk|pwd"  # secrets only as a whole word
_NAME = re.compile(rf"(?i){_WORDS}|(?:^|_)(?:{_SHORT})$")
# `name=value`, `name: value`, `"name": "value"`, `--name value`
_LOOSE = _WORDS.replace("_?", "[_-]?")
_PAIR = re.compile(
    rf"""(?ix) ( (?: (?: {_LOOSE} ) [\w-]{{0,40}} ["']? \s{{0,3}} [=:] |
                    (?<! [\w-] ) --[\w-]{{0,40}} (?: {_LOOSE} ) [\w-]{{0,40}} \s |
                    (?<! \w ) (?: {_SHORT} ) = | ["'] (?: {_SHORT} ) ["'] \s{{0,3}} : | (?<! \w ) bearer \s )
                \s{{0,3}} ["']? ) ( [^\s"',;)}}]+ )"""
)
_LOGIN = re.compile(r"(?<=://)[^/\s@]+(?=@)")  # `scheme://user:password@host`
# The same in output, and the tokens of conda: `scheme://host/t/token/channel`.
_LOGIN_OR_TOKEN = re.compile(rb"(://)[^/\s@]+(?=@)|(://[^/\s]+/t/)[^/\s]+")
_SHORTEST = 6  # characters of a value that is looked for: shorter ones occur by chance


def is_secret(name: str) -> bool:
    """Whether the name of a variable or a parameter says that its value is a secret."""
    return name != "PWD" and bool(_NAME.search(name.replace("-", "_")))  # PWD is the working directory of a shell


def values_of(variables: Mapping[str, str]) -> list[str]:
    """The values of those variables whose names say that they are secrets."""
    return [value for name, value in variables.items() if len(value) >= _SHORTEST and is_secret(name)]


def hide(text: str, known: Iterable[str] = ()) -> str:
    """The text without known secrets, without logins in URLs, and without values whose names say what they are.

    >>> hide("--password=abc failed at https://me:abc@host/")
    '--password=**** failed at https://****@host/'
    """
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return _PAIR.sub(rf"\g<1>{HIDDEN}", _LOGIN.sub(HIDDEN, text))


def hide_logins(output: bytes) -> bytes:
    """Whole lines of output without the logins and tokens in URLs, which installers print."""
    return _LOGIN_OR_TOKEN.sub(lambda found: (found[1] or found[2]) + HIDDEN.encode(), output)
