"""Dates as HTTP writes them."""

from __future__ import annotations

from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Optional


def moment(text: str) -> Optional[float]:
    """The seconds since 1970 that a date means; nothing for what is none."""
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):  # by version of Python
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
