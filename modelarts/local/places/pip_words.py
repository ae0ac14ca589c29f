"""Why an installation failed: the last error in the output of pip or uv, in the words that say what was wrong.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import re

# pip names a kind of error alone, such as `error: metadata-generation-failed`; the words follow below.
_KIND = re.compile(r"error: [a-z]+(?:-[a-z]+)+")
_WORDS = re.compile(r"(?:×|╰─>) (?!See above|\[\d+ lines? of output)(.+)")
_BUILD = ("ERROR: Could not build wheels ", "ERROR: Failed to build ")
_RESOLUTION, _CONFLICT = "ERROR: ResolutionImpossible", "ERROR: Cannot install "
_END_OF_OUTPUT = "[end of output]"  # of a program that pip started


def reason_of(output: str) -> str:
    """The reason of a failure; without any error, the last line; empty if there is none."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if _is_error(line)]
    if not errors:
        return lines[-1] if lines else ""
    last = lines[errors[-1]]
    if last.startswith(_RESOLUTION):  # it only says where to find help
        return next((line for line in reversed(lines) if line.startswith(_CONFLICT)), last)
    if not _KIND.fullmatch(last) and not last.startswith(_BUILD):
        return last
    words = [found[1] for line in lines[errors[-1] :] if (found := _WORDS.fullmatch(line))]
    return ": ".join(filter(None, [" ".join(words).rstrip(".") or last, _cause(lines)]))


def _is_error(line: str) -> bool:
    return line.lower().startswith("error") and not line.endswith("Exception:")


def _cause(lines: list[str]) -> str:
    """What a program reported that pip had started: the build of a package, or git."""
    ends = [number for number, line in enumerate(lines) if line == _END_OF_OUTPUT and number]
    if ends:
        return lines[ends[-1] - 1]
    return next((line for line in reversed(lines) if line.startswith("fatal: ")), "")
