"""Dates of signatures. They are read in one way only, in exactly the case in which they are documented."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from modelarts._wire.http_dates import parse_http_date

_BASIC = re.compile("[0-9]{8}T[0-9]{6}Z")
_HTTP = re.compile("[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} (GMT|UTC|[+-][0-9]{4})")


def parse_basic_date(text: str) -> float | None:
    """The seconds since 1970 of a date such as 20190307T101459Z; `None` for anything else."""
    if not _BASIC.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None


def parse_signed_http_date(text: str) -> float | None:
    """The seconds since 1970 of a date such as `Thu, 07 Mar 2019 10:14:59 GMT`; `None` for anything else."""
    return parse_http_date(text) if _HTTP.fullmatch(text) else None
