"""`local_keep`: which working directories of ended versions stay.

Rules are separated by commas or blanks; a directory stays if any of them applies:

- `all`, or `none` on its own;
- `failed`: versions that did not complete: they failed, were stopped or lost;
- a number: so many versions that ended last;
- a duration such as `12h`, `7d` or `1d12h`: versions that ended within it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Optional

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,6}[dhms])+")
_RULE = (
    "write failed, all, none, a number of versions, a duration such as 12h or 7d, or several of these with commas, "
    "such as failed,5"
)


class Keep(NamedTuple):
    """The rules, parsed.

    Args:
        everything: keep all directories.
        failed: keep those of versions that did not complete.
        newest: keep those of so many versions that ended last.
        seconds: keep those of versions that ended so many seconds ago at most.
    """

    everything: bool = False
    failed: bool = False
    newest: int = 0
    seconds: Optional[int] = None


def parse(text: str) -> Keep:
    """The rules of a valid value of the setting. Raises `ValueError` for others."""
    words = text.lower().replace(",", " ").split()
    if not words or ("none" in words and len(words) > 1):
        raise ValueError(_RULE)
    keep = Keep()
    for word in words:
        if word == "all":
            keep = keep._replace(everything=True)
        elif word == "failed":
            keep = keep._replace(failed=True)
        elif word.isdecimal() and word.isascii() and len(word) <= 9:
            keep = keep._replace(newest=max(keep.newest, int(word)))
        elif _DURATION.fullmatch(word):
            keep = keep._replace(seconds=max(keep.seconds or 0, _seconds(word)))
        elif word != "none":
            raise ValueError(_RULE)
    return keep


def checked(value: Any) -> str:
    """The value of the setting as it was written; a number of versions may be one. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(_RULE)
    text = str(value).strip()
    parse(text)
    return text


def _seconds(duration: str) -> int:
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", duration))
