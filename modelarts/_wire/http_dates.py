"""Dates as HTTP writes them."""

from __future__ import annotations

from typing import Optional


def parse_http_date(text: str) -> Optional[float]:
    """The seconds since 1970 of a date; `None` for what is not a date."""
    from datetime import timezone
    from email.utils import parsedate_to_datetime  # loads as much as half of this package

    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):  # by version of Python
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
