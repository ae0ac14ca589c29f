"""`shift`: functions of Python that understand URLs of buckets, too."""

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_lock = threading.RLock()
_shifted: "Any" = None  # the replacements that were made


def shift(source: str, target: str) -> None:
    """Let `open`, `os`, `shutil`, `glob` and what is built on them understand URLs, or with `mox`, `os` no longer.

    `docs/reference/moxing.md` lists the functions. Local paths are treated as before. A second call does nothing.

    Args:
        source, target: `"os"` and `"mox"`, or `"mox"` and `"os"` to go back.

    Raises:
        ValueError: it is another pair.

    Example:
        >>> mox.file.shift("os", "mox")
        >>> os.listdir("obs://bucket/data")
    """
    global _shifted
    if (source, target) not in (("os", "mox"), ("mox", "os")):
        raise ValueError(
            f"shift({source!r}, {target!r}): write shift('os', 'mox') to use URLs with functions of Python, or "
            "shift('mox', 'os') to go back"
        )
    with _lock:
        if source == "os" and _shifted is None:
            from ._shift.replacing import Replacements  # modules of Python that jobs without shift do not need

            _shifted = Replacements()
            _shifted.begin()
        elif source == "mox" and _shifted is not None:
            _shifted.end()
            _shifted = None
