"""Following a version to its end: its status, its log, and what its end means."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from modelarts import errors
from modelarts._jobs.reconnect import SHORTEST, TRANSIENT, ReconnectingClient
from modelarts._transport.response import Response, bad_member, waited
from modelarts._wire.json_records import as_integer
from modelarts._wire.v1 import status as vocabulary
from modelarts._wire.v1.limits import LOG_LINES
from modelarts._wire.v1.status import JobStatus

if TYPE_CHECKING:
    from modelarts._display.screen import Screen
    from modelarts.job import JobCalls

LONGEST, GROWTH = 5.0, 1.5
REST = 60.0  # seconds that a service may be out of reach when only the rest of a log is missing
TAIL = 10.0  # seconds that each call has which asks for the end of a log
TAIL_LINES = 20
LONG_PAGE = 30_000  # characters; a page that a service cuts at its own limit has at least as many

_ERRORS: dict[str, type[errors.JobError]] = {
    vocabulary.FAILED: errors.JobFailed,
    vocabulary.STOPPED: errors.JobStopped,
    vocabulary.LOST: errors.JobLost,
}
_EXIT_CODE = re.compile(r"\[Modelarts Service Log\]Training end with return code: (-?\d+)")


def wait(job: JobCalls, timeout: float | None = None, show: bool = True) -> Response:
    """Follow a version to its end; raise the `JobError` of any end but COMPLETED."""
    from modelarts._display.screen import Screen

    screen = Screen(quiet=not show)
    info = Follower(job, screen).run(timeout)
    error = error_of_end(job, info)
    if error is None:
        return info
    if isinstance(error, errors.JobTimeout):
        raise error
    screen.failure(error)
    raise error


def error_of_end(job: JobCalls, info: Response) -> errors.JobError | None:
    """What a version's end amounts to: nothing when COMPLETED, else the error that tells about it."""
    status: JobStatus = info["status"]
    if status.outcome == vocabulary.SUCCEEDED:
        return None
    tail = _log_tail(job) if status.ended else ""
    found = _EXIT_CODE.findall(tail)
    return _ERRORS.get(status.outcome, errors.JobTimeout)(
        job_id=as_integer(job.job_id),
        version_id=as_integer(job.version_id),
        status=status,
        reason=info.get("error_result") or "",
        exit_code=int(found[-1]) if found else None,
        log_tail=tail,
        log_path=info.get("log_url") or "",
    )


def _log_tail(job: JobCalls) -> str:
    try:
        with job.modelarts_session.deadline(min(TAIL, job.modelarts_session.client.sending.total_timeout)):
            names = job.get_job_log_file_list().get("log_file_list") or []
            tails = [job.get_job_log(name, lines=TAIL_LINES).get("content") or "" for name in names]
    except errors.ModelArtsError:
        return ""  # the end itself matters more than a log that cannot be read
    return "\n".join(tail.strip("\n") for tail in tails if tail.strip())


class Follower:
    """Reads status and log with a short first interval that grows while there is no news."""

    def __init__(self, job: JobCalls, screen: Screen) -> None:
        self.job = job
        self.screen = screen
        self._line = ReconnectingClient(job.modelarts_session.client, screen)
        self._version = {"job_id": job.job_id, "version_id": job.version_id}
        self._logs: list[_Log] = []
        self._seen: Any = None  # the last `get_job_info`
        self._interval = SHORTEST

    def run(self, timeout: float | None = None) -> Response:
        """Follow until the end, or until the time is over; return the last `get_job_info`."""
        self._line.deadline = time.monotonic() + (math.inf if timeout is None else timeout)
        try:
            self._follow()
        except TRANSIENT:
            if self._line.left > 0 or self._seen is None:
                raise
        info: Response = self._seen
        if info["status"].ended:
            self._show_rest()
        self.screen.status(info["status"])
        return info

    def _follow(self) -> None:
        info = self._info()
        self.screen.status(info["status"])
        while not info["status"].ended and self._line.left > 0:
            held, pages = self._new_pages()
            info = self._info()
            if not info["status"].ended:
                self.screen.status(info["status"])
            self._show(pages)
            if not held and not info["status"].ended:
                self._pause(bool(pages))

    def _show_rest(self) -> None:
        """What the log still holds; the end itself matters more than a rest that cannot be read."""
        self._line.deadline, self._line.patience = math.inf, REST
        try:
            self._show(page for log in self._found_logs() for page in log.pages())
        except TRANSIENT as error:
            self.screen.say(f"the rest of the log could not be read: {error}")

    def _info(self) -> Response:
        self._seen = self._line.reach(self._asked_info)
        info: Response = self._seen
        return info

    def _asked_info(self) -> Response:
        info = self._line.client.call("get_training_job_version", self._version, raise_on_error=True)
        if not isinstance(info.get("status"), JobStatus):
            raise bad_member(info, "status", info.get("status"))
        return info

    def _found_logs(self) -> list[_Log]:
        if not self._logs:
            names = self._line.reach(self.job.get_job_log_file_list).get("log_file_list") or []
            workers = range(len(names)) if len(names) > 1 else [None]
            self._logs = [_Log(self._line, self._version, *log) for log in zip(names, workers)]
        return self._logs

    def _new_pages(self) -> tuple[bool, list[_Page]]:
        """The next page of each log; whether the service itself waited for one."""
        logs = self._found_logs()
        hold = int(min(self._line.longest_hold if len(logs) == 1 else 1, self._line.left))
        first = [log.page(hold if number == 0 else 0) for number, log in enumerate(logs)]
        return any(log.held for log in logs), [page for page in first if page.content]

    def _show(self, pages: Iterable[_Page]) -> None:
        for page in pages:
            self.screen.log(page.content, page.worker)

    def _pause(self, news: bool) -> None:
        self._interval = SHORTEST if news else min(self._interval * GROWTH, LONGEST)
        time.sleep(max(min(self._interval, self._line.left), 0.0))


class _Page(NamedTuple):
    content: str
    worker: int | None


class _Log:
    """One log file, read onward from where the last reading ended."""

    def __init__(self, line: ReconnectingClient, version: dict[str, Any], name: str, worker: int | None) -> None:
        self._line = line
        self._version = version
        self.name = name
        self.worker = worker
        self.position: str | None = None
        self.held = False

    def pages(self) -> Iterator[_Page]:
        """All that is new, page by page."""
        while (page := self.page()).content:
            yield page

    def page(self, hold: int = 0) -> _Page:
        """The next page; `hold` asks the service to wait so many seconds for one."""
        response = self._read(self.position, "desc", hold)
        self.held = waited(response)
        if self.position is None and _is_long(response):
            response = self._beginning(response)
        content = response.get("content") or ""
        if self.position is not None and response.get("start_line") == self.position:
            content = content.partition("\n")[2]  # a service that repeats the line it starts from
        end = response.get("end_line")
        if content and not end:
            raise bad_member(response, "end_line", end)  # without it, the same would be read for ever
        if end == self.position:
            content = ""  # nothing came behind it
        self.position = end or self.position
        return _Page(content, self.worker)

    def _beginning(self, page: Response) -> Response:
        """The first page of the log: without a position the service answers the newest lines."""
        while (before := self._read(start := page.get("start_line"), "asc", 0)).get("content"):
            if before.get("start_line") in (None, start):
                break
            page = before
        return page

    def _read(self, position: str | None, order: str, hold: int) -> Response:
        query = {"log_file": self.name, "base_line": position, "lines": LOG_LINES, "order": order}
        prefer = f"wait={hold}" if hold > 0 else ""
        return self._line.call("get_training_job_log", self._version, query, prefer=prefer)


def _is_long(page: Response) -> bool:
    """Whether there may be more before a page of newest lines."""
    return page.get("lines", 0) >= LOG_LINES or len(page.get("content") or "") >= LONG_PAGE
