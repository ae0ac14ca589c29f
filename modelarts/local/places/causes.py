"""Which worker is to blame when several fail: the others notice the loss of a peer, often before it has ended.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from modelarts.local import files

PATIENCE = 3.0  # seconds in which a worker that lost a peer lets others end first
_TAIL = 8192  # bytes at the end of a log
_LOSS = re.compile(
    r"""(?ix) connection (?: \s was | \s has \s been)? \s (?: closed | reset | refused | lost | aborted)
    | broken \s pipe
    | (?: reset | closed | disconnected) \s by \s (?: the \s )? (?: remote \s )? peer | socket \s (?: is \s )? closed
    | remote \s (?: process | rank | host | end) \s (?: has \s )? (?: exited | closed | disconnected | failed)
    | \b EOFError \b | \b ECONN(?:RESET|REFUSED|ABORTED) \b | \b EPIPE \b
    | timed? \s? -? out \s (?: after | waiting | when | while ) | \b Unavailable(?:Error)? \b | heart -? \s? beat
    | (?: worker | peer | node | rank ) \s? s? \s [\w\s,:'"\[\].-]{0,60}
      (?: lost | disconnected | offline | abnormal )"""
)


def cause(failures: Mapping[int, float], logs: Sequence[str]) -> int:
    """The worker that failed first, before those that say that they lost a peer.

    Args:
        failures: times by worker.
        logs: the paths of all logs.
    """
    return min(failures, key=lambda worker: (lost_a_peer(logs[worker]), failures[worker]))


def says_loss(text: str) -> bool:
    """Whether a text says that a connection was lost."""
    return bool(_LOSS.search(text))


def lost_a_peer(log: str) -> bool:
    """Whether a log says that a worker ended because it lost another one: in its last exception, or else at its end."""
    from modelarts.local.places import last_words  # only failures need it

    return says_loss(last_words.exception(log) or _tail(log))


def hanging(running: Iterable[int], logs: Sequence[str]) -> int | None:
    """A worker that still runs although its log ends with an exception other than the loss of a peer."""
    from modelarts.local.places import last_words

    found = ((worker, last_words.exception(logs[worker], is_last=True)) for worker in running)
    return next((worker for worker, exception in found if exception and not says_loss(exception)), None)


def _tail(log: str) -> str:
    try:
        with files.open_regular(log) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
