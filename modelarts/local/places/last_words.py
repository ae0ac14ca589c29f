"""What a script that failed said at the end of its log.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from modelarts.local import files
from modelarts.local.places import causes
from modelarts.local.runtime import secrets
from modelarts.local.runtime.log_lines import SERVICE_LOG

_TAIL = 65536  # bytes that are read from the end of a log
_LENGTH = 300  # characters of a quotation
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_RANK = re.compile(r"\[(?:rank\d+|\d+,\d+)\]:?(?:<std(?:out|err)>)?:?\s?")  # which launchers put before each line
_BESIDE = re.compile(r"\[(ps|card \d+)\] ")  # which this service puts before lines of programs beside the script
_FRAME = re.compile(r'[\s|+]*File ".*", line \d+')
_GROUP = re.compile(r"^[ |+]*\| ")  # before each line of a group of exceptions
_WITHOUT_FRAME = ("SyntaxError: ", "ValueError: source code")  # what Python says of a script that it cannot decode
_EXCEPTION = re.compile(r"[^\W\d]\w*(?:\.(?:[^\W\d]\w*|<locals>))*(?::\s.*|:)?")
_LAUNCHER = re.compile(r"(?:\w+\.)*(?:CalledProcessError|ChildFailedError|ProcessExitedException)\b")
# Exit codes whose reason is the last line: `sys.exit("text")`, wrong arguments, a container that cannot be started, and
# programs that a shell cannot run.
_EXPLAINED_AT_THE_END = (1, 2, 125, 126, 127)
# What frameworks report while they end, in the forms of MindSpore, glog and TensorFlow: nothing that has failed.
_NEWS = re.compile(r"\[(?:DEBUG|INFO|WARNING)\] \w+\(|[IW]\d{4} [\d:.]+ |\d{4}-\d\d-\d\d [\d:.]+ [IW] ")
_ADVICE = re.compile(r"(?:See|Run) '.* --help'")  # the last line of container engines


def of(path: str, code: int, known_secrets: Iterable[str], label: str = "") -> str:
    """What the log says about an end with this exit code; an empty text if nothing does.

    The last exception of Python counts. An exception that was caught looks the same, therefore the last line is quoted
    too if it is another one.

    Args:
        path: of the log.
        code: the exit code.
        known_secrets: texts that are not shown.
        label: what begins the lines of the program, if it is one beside the script.
    """

    def quoted(line: str) -> str:
        return _shortened(secrets.hide(line, known_secrets))

    lines = _last_lines(path, label)
    exception, rest = _exception(lines)
    explained = code in _EXPLAINED_AT_THE_END
    if exception and (explained or not rest):
        return quoted(exception) + (f"; its last line was: {quoted(rest[-1])}" if rest else "")
    last = next((line for line in reversed(lines) if _says_something(line)), "")
    if not last or not explained:
        return ""
    return quoted(last) if last.startswith(_WITHOUT_FRAME) else f"its last line was: {quoted(last)}"


def exception(path: str, is_last: bool = False) -> str:
    """The text of the last exception in the log of a script; an empty text if there is none.

    Args:
        is_last: whether nothing may follow it, as where the script still runs.
    """
    found, rest = _exception(_last_lines(path, ""))
    return "" if is_last and rest else found


def _last_lines(path: str, label: str) -> list[str]:
    """The last lines of a program's output, without what launchers and terminals add."""
    try:
        with files.open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    lines = [line.rpartition("\r")[2] for line in _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")]
    own = [line for line in lines if _label(line) == label and not line.startswith(SERVICE_LOG)]
    return [_RANK.sub("", line.removeprefix(f"[{label}] "), count=1) for line in own]


def _label(line: str) -> str:
    found = _BESIDE.match(line)
    return found[1] if found else ""


def _exception(lines: list[str]) -> tuple[str, list[str]]:
    """The text of the last exception, or an empty text, and the lines after it that say something.

    Launchers end with an exception of their own after those of the processes that they started. Of these the last one
    counts that did not just lose the connection to another one.
    """
    last = _exception_before(lines, len(lines))
    if not _LAUNCHER.match(last[0]):
        return last
    of_processes = [found for found in _earlier(lines) if not _LAUNCHER.match(found[0])]
    return next((found for found in of_processes if not causes.says_loss(found[0])), next(iter(of_processes), last))


def _earlier(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The exceptions before the last one, from the end, without the lines after them."""
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    for first, following in zip(reversed(frames[:-1]), reversed(frames[1:])):
        found, _ = _exception_before(lines[:following], first + 1)
        if found:
            yield found, []


def _exception_before(lines: list[str], end: int) -> tuple[str, list[str]]:
    """The exception of the last traceback that begins before a line, and the lines after it that say something."""
    frame = next((number for number in reversed(range(end)) if _FRAME.match(lines[number])), len(lines))
    for number in range(frame + 1, len(lines)):
        line = _GROUP.sub("", lines[number]).rstrip()
        if not _EXCEPTION.fullmatch(line):
            continue
        rest = [_GROUP.sub("", line) for line in lines[number + 1 :] if _says_something(line)]
        if line.endswith(":") and rest:  # the text begins in the next line
            return f"{line} {rest[0].strip()}", rest[1:]
        return line, rest
    return "", []


def _says_something(line: str) -> bool:
    return any(map(str.isalnum, line)) and not _ADVICE.match(line) and not _NEWS.match(line)


def _shortened(line: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in line).strip()
    return shown if len(shown) <= _LENGTH else f"{shown[: _LENGTH - 1]}…"
