"""Following a version to its end: its status, its log, and the error that its end amounts to."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelarts import errors
from modelarts._jobs.logs import LogReader, Page, names_in
from modelarts._jobs.reconnect import SHORTEST, TRANSIENT, ReconnectingClient
from modelarts._transport.response import Response, required, waited
from modelarts._wire.json_records import as_integer
from modelarts._wire.v1 import status as vocabulary
from modelarts._wire.v1.status import WAITING, JobStatus

if TYPE_CHECKING:
    from modelarts._api.client import Client
    from modelarts._display.screen import Screen

LONGEST, GROWTH = 5.0, 1.5  # seconds of the longest interval between requests, and how intervals grow
REST = 60.0  # seconds that a service may be unreachable when only the rest of a log is missing
TAIL = 10.0  # seconds for reading the end of the logs
TAIL_LINES = 20

_ERRORS: dict[str, type[errors.JobError]] = {
    vocabulary.FAILED: errors.JobFailed,
    vocabulary.STOPPED: errors.JobStopped,
    vocabulary.LOST: errors.JobLost,
}
_EXIT_CODE = re.compile(r"\[Modelarts Service Log\]Training end with return code: (-?\d+)")


def wait(
    client: Client, job_id: int | str, version_id: int | str, timeout: float | None = None, show: bool = True
) -> Response:
    """Follow a version to its end.

    Args:
        timeout: seconds; `None` waits without limit.
        show: print its log and each new status; without it the log is not read.

    Returns:
        The last status reply.

    Raises:
        JobError: it ended in another status than COMPLETED, or has not ended in time.
    """
    from modelarts._display.screen import Screen

    screen = Screen(quiet=not show)
    info = Follower(client, job_id, version_id, screen).run(timeout)
    error = error_of_end(client, job_id, version_id, info)
    if error is None:
        return info
    if not isinstance(error, errors.JobTimeout):
        screen.failure(error)
    raise error


def error_of_end(
    client: Client, job_id: int | str, version_id: int | str, info: Response
) -> errors.JobError | None:
    """The error that the end of a version amounts to; `None` for COMPLETED."""
    status: JobStatus = info["status"]
    if status.outcome == vocabulary.SUCCEEDED:
        return None
    tail = _log_tail(client, {"job_id": job_id, "version_id": version_id}) if status.ended else ""
    found = [int(code) for code in _EXIT_CODE.findall(tail)]  # of each node
    return _ERRORS.get(status.outcome, errors.JobTimeout)(
        job_id=as_integer(job_id),
        version_id=as_integer(version_id),
        status=status,
        reason=info.get("error_result") or "",
        exit_code=min(found, key=_is_of_another, default=None),
        log_tail=tail,
        log_path=info.get("log_url") or "",
    )


def _is_of_another(code: int) -> int:
    """How probably a node ended with this return code because another one failed: by SIGTERM, or SIGKILL after it."""
    return {0: 3, 143: 2, 137: 1}.get(code, 0)


def _log_tail(client: Client, version: dict[str, int | str]) -> str:
    """The last lines of each log; empty when they cannot be read, because the end itself matters more."""
    tails = []
    try:
        with client.deadline(min(TAIL, client.options.total_timeout), None, None):
            for name in names_in(client.call("list_training_job_log_files", version)):
                query = {"log_file": name, "lines": TAIL_LINES}
                tails.append(client.call("get_training_job_log", version, query).get("content") or "")
    except errors.ModelArtsError:
        return ""
    return "\n".join(tail.strip("\n") for tail in tails if tail.strip())


class Follower:
    """Reads status and log of one version until its end.

    A service that can hold replies back is asked to do so until there is something new. Any other one is asked again
    after an interval, which is short at first and grows while nothing changes.

    Args:
        client, job_id, version_id: the version.
        screen: gets each new status and the log. With a quiet one the log is not read.
        status: of the version if it is known, as that of one which has just been created.
    """

    def __init__(
        self, client: Client, job_id: int | str, version_id: int | str, screen: Screen, status: object = None
    ) -> None:
        self.screen = screen
        self._client = ReconnectingClient(client, screen)
        self._version = {"job_id": job_id, "version_id": version_id}
        self._logs: list[LogReader] = []
        self._first = status
        self._last: Response | None = None  # the last status reply
        self._interval = SHORTEST
        self._why = ""  # it waits, as last shown

    def run(self, timeout: float | None = None) -> Response:
        """Follow until the end, or until the time is over; return the last status reply."""
        self._client.deadline = time.monotonic() + (math.inf if timeout is None else timeout)
        try:
            self._follow()
        except TRANSIENT:
            if self._client.left > 0 or self._last is None:
                raise
        assert self._last is not None
        if self._last["status"].ended and not self.screen.quiet:
            self._show_rest()
        self.screen.status(self._last["status"])
        return self._last

    def _follow(self) -> None:
        status = self._first if isinstance(self._first, JobStatus) else self._info()["status"]
        self.screen.status(status)
        while not status.ended and self._client.left > 0:
            before, began = status, time.monotonic()
            pages: list[Page] = []
            if self.screen.quiet:
                hold = self._hold()
                info = self._info(hold)
                held = waited(info)
            else:
                hold, held, pages = self._new_pages()
                info = self._info()
            status = info["status"]
            news = bool(pages) or status != before
            # A service may say that it held a reply back, and yet have returned nothing at once.
            held = held and hold > 0 and (news or time.monotonic() - began >= hold / 2)
            if not status.ended:
                self.screen.status(status)
                self._say_why_it_waits(info)
            self._show(pages)
            if not held and not status.ended:
                self._pause(news)

    def _say_why_it_waits(self, info: Response) -> None:
        """Show the place in the queue, and the reason, whenever one of them has changed; no document has these."""
        place, reason = info.get("queue_position"), info.get("waiting_reason")
        text = f"place {place} in the queue: {reason}" if info["status"] == WAITING and place and reason else ""
        if text and text != self._why:
            self.screen.say(text)
        self._why = text

    def _hold(self) -> int:
        """Seconds that the service is asked to hold a reply back."""
        return int(min(self._client.longest_hold, self._client.left))

    def _show_rest(self) -> None:
        """Show what the log still holds; a rest that cannot be read is no failure of the job."""
        self._client.deadline, self._client.patience = math.inf, REST
        try:
            self._show(page for log in self._found_logs() for page in log.pages())
        except TRANSIENT as error:
            self.screen.say(f"the rest of the log could not be read: {error}")

    def _info(self, hold: int = 0) -> Response:
        prefer = f"wait={hold}" if hold > 0 else ""

        def request() -> Response:
            info = self._client.client.call(
                "get_training_job_version", self._version, prefer=prefer, raise_on_error=True
            )
            required(info, "status")
            return info

        self._last = self._client.reach(request)
        return self._last

    def _found_logs(self) -> list[LogReader]:
        if not self._logs:
            names = names_in(self._client.call("list_training_job_log_files", self._version))
            workers = range(len(names)) if len(names) > 1 else [None]
            self._logs = [LogReader(self._client, self._version, *log) for log in zip(names, workers)]
        return self._logs

    def _new_pages(self) -> tuple[int, bool, list[Page]]:
        """The next page of each log, behind the seconds the service was asked to wait, and whether it says it did."""
        logs = self._found_logs()
        hold = self._hold() if len(logs) == 1 else min(self._hold(), 1)
        pages = [log.page(hold if number == 0 else 0) for number, log in enumerate(logs)]
        return hold, any(log.held for log in logs), [page for page in pages if page.content]

    def _show(self, pages: Iterable[Page]) -> None:
        for page in pages:
            self.screen.log(page.content, page.worker)

    def _pause(self, news: bool) -> None:
        self._interval = SHORTEST if news else min(self._interval * GROWTH, LONGEST)
        time.sleep(max(min(self._interval, self._client.left), 0.0))
