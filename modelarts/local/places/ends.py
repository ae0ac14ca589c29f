"""How a version ended: the return codes of its workers, and the reason.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modelarts.local.places import boot_file
from modelarts.local.places.worker_log import Log

STOPPED = 128 + signal.SIGTERM  # the return code of what was stopped by its user


class End(NamedTuple):
    """The end of a version; all its texts are for users."""

    code: int
    reason: str
    codes: Sequence[int]  # of each worker
    notes: Mapping[int, str] = {}  # lines for the logs of single workers


def of_all(code: int, reason: str, count: int) -> End:
    """The same end for all workers, for the same reason."""
    return End(code, reason, [code] * count, dict.fromkeys(range(count), reason))


def stopped(codes: Mapping[int, int], ended: Sequence[int], count: int) -> End:
    """An end that the user asked for; workers that had ended before keep their codes."""
    reason = "stopped by its user"
    own = [STOPPED if index in ended else _return_code(codes.get(index, 0)) for index in range(count)]
    return End(STOPPED, reason, own, dict.fromkeys(ended, reason))


def completed(count: int) -> End:
    """The end of workers that all succeeded."""
    return End(0, "", [0] * count)


def of_workers(
    first: int, codes: Mapping[int, int], ended: Sequence[int], workers: Sequence[dict[str, Any]], label: str = ""
) -> End:
    """The end after a worker has failed.

    Args:
        first: the worker that failed by itself, and is to blame.
        codes: exit codes by worker; signals are negative.
        ended: the workers that were ended because of it. Others may have failed because of it by themselves.
        workers: the workers of the spec.
        label: of the program that failed, if the worker runs several.
    """
    who, how = "the script" if len(workers) == 1 else f"worker {first}", _how(codes[first])
    who += f" ({label})" if label else ""
    words = _last_words(workers[first], codes[first], label)
    code = _return_code(codes[first])
    codes_of_all = [_return_code(codes.get(index, -signal.SIGKILL)) for index in range(len(workers))]
    because = f"ended because worker {first} failed with return code {code}{words}"
    affected = {*ended, *(index for index, own in enumerate(codes_of_all) if own)} - {first}
    notes = dict.fromkeys(affected, because)
    if hint := boot_file.hint(workers[first]):
        notes[first] = hint
    return End(code, f"{who} {how}{words}", codes_of_all, notes)


def of_hanging_worker(
    worker: int, codes: Mapping[int, int], ended: Sequence[int], workers: Sequence[dict[str, Any]]
) -> End:
    """The end of workers after one of them has failed, but did not end by itself."""
    reason = f"worker {worker} did not end after it had failed{_last_words(workers[worker], 1, '')}"
    codes_of_all = [_return_code(codes.get(index, -signal.SIGKILL)) for index in range(len(workers))]
    affected = {*ended, *(index for index, own in enumerate(codes_of_all) if own)}
    return End(1, reason, codes_of_all, dict.fromkeys(affected, f"ended because {reason}"))


def write(end: End, logs: Sequence[Log]) -> None:
    """Write the last lines of each log."""
    for index, (log, code) in enumerate(zip(logs, end.codes)):
        if index in end.notes:
            log.note(end.notes[index])
        is_completed = code == 0 and index not in end.notes  # one that was ended may return 0, too
        log.line("Training completed." if is_completed else f"Training end with return code: {code}")


def _how(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    name = _signal_name(-code)
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"


def _last_words(worker: dict[str, Any], code: int, label: str) -> str:
    if code < 0 and code != -signal.SIGINT:  # of which Python makes an exception
        return ""
    from modelarts.local.places import last_words  # only failures need it
    from modelarts.local.runtime import secrets

    known = secrets.values_of(worker["environment"])
    said = last_words.of(worker["log"], 1 if code < 0 else code, known, label)
    return f": {said}" if said else ""


def _return_code(code: int) -> int:
    return 128 - code if code < 0 else code


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        return f"signal {number}"
