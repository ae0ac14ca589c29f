"""Numbers of bytes, written for people."""

from __future__ import annotations


def size_text(count: float) -> str:
    """A number of bytes for people, such as `1.5 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit != "bytes" else f"{count:.0f} {'byte' if count == 1 else unit}"
        count /= 1000
    return f"{count:.1f} TB"
