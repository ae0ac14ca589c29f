"""Which keys can be the names of local files.

On Windows, a key may contain what would be a drive or another folder. There and on a Mac, two keys may be one file.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata

from modelarts._obs.paths import PART

IS_CASE_SENSITIVE = sys.platform not in ("win32", "darwin")  # as these systems are set up by default
_LONGEST_NAME = 255  # bytes, or on Windows UTF-16 units, in all usual file systems
_NOT_ON_WINDOWS = re.compile(
    r'.*[\x00-\x1f<>:"\\|?*].*|.*[ .]|(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\..*)?',
    re.IGNORECASE | re.DOTALL,
)


def can_be_file(key: str, windows: bool = os.name == "nt") -> bool:
    """Whether a key, relative to a folder, can be a file below that folder on this system."""
    names = key.split("/")
    is_part_file = names[-1].startswith(PART)  # it would be taken for an incomplete file
    return "\0" not in key and not is_part_file and all(_is_name(name, windows) for name in names)


def file_identity(key: str) -> str:
    """A text that is the same for keys that are the same file where names differ neither by case nor by composition."""
    return unicodedata.normalize("NFC", key).casefold()


def _is_name(name: str, windows: bool) -> bool:
    if name in ("", ".", ".."):
        return False
    if windows:
        length = len(name.encode("utf-16-le", "surrogatepass")) // 2
        return length <= _LONGEST_NAME and _NOT_ON_WINDOWS.fullmatch(name) is None
    return len(os.fsencode(name)) <= _LONGEST_NAME
