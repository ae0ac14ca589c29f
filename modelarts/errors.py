"""Every error that this package raises.

    ModelArtsError
    ├─ ConfigError(ValueError)            settings or credentials: nothing was sent
    ├─ ArgumentError(ValueError)          the arguments of a call: nothing was sent; `faults` lists them all
    ├─ ObsError(OSError)                  a bucket, a path in it, or a local file for it
    ├─ ServiceError                       the local service cannot start, stop or be found
    ├─ ConnectionFailed(ConnectionError)  nobody answered
    │   └─ OutcomeUnknown                 … after a creating call was sent
    ├─ BadReply                           something answered that is not the API
    ├─ ApiError                           the service refused: status, code, message, request id
    │   ├─ AuthError                      who you are (401) or what you may do (403)
    │   ├─ NotFound                       404, and the codes that mean it
    │   ├─ NameTaken                      ModelArts.0103
    │   └─ Throttled                      429
    └─ JobError                           a job ended otherwise than COMPLETED
        ├─ JobFailed
        ├─ JobStopped
        ├─ JobLost
        └─ JobTimeout(TimeoutError)       it has not ended; only the waiting has
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs


class ModelArtsError(Exception):
    """Base of every error of this package."""


class ConfigError(ModelArtsError, ValueError):
    """A setting or a credential is missing or wrong; nothing was sent."""


@attrs.frozen
class Fault:
    """One mistake in the arguments of a call: the argument as the user wrote it, its value, the rule."""

    argument: str
    value: Any
    rule: str

    def __str__(self) -> str:
        return f"{self.argument}={shortened(self.value)}: {self.rule}"


class ArgumentError(ModelArtsError, ValueError):
    """The arguments of a call break documented rules; nothing was sent. `faults` holds each of them."""

    def __init__(self, call: str, faults: Sequence[Fault]) -> None:
        self.call = call
        self.faults = tuple(faults)
        lines = "".join(f"\n  - {fault}" for fault in self.faults)
        super().__init__(f"{call}: nothing was sent, {_counted(len(self.faults), 'argument')} to mend{lines}")

    def __reduce__(self) -> Any:
        return type(self), (self.call, self.faults)


class ObsError(ModelArtsError, OSError):
    """A bucket or a path in one cannot be used; `error_code` and `error_msg` as the documents name them."""

    def __init__(self, message: str, error_code: str = "ModelArts.1002") -> None:
        super().__init__(message)
        self.error_code = error_code
        self.error_msg = message

    def __reduce__(self) -> Any:
        return type(self), (self.error_msg, self.error_code)


class ServiceError(ModelArtsError):
    """The local service cannot be started, stopped or found."""


class ConnectionFailed(ModelArtsError, ConnectionError):
    """Nobody answered."""

    def __init__(self, message: str, method: str = "", url: str = "") -> None:
        super().__init__(message)
        self.method = method
        self.url = url

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.method, self.url)


class OutcomeUnknown(ConnectionFailed):
    """A creating call was sent, no answer came, and looking the name up did not settle it."""


class BadReply(ModelArtsError):
    """Something answered, but not the ModelArts API."""

    def __init__(self, message: str, status: int = 0, method: str = "", url: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.method = method
        self.url = url

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.status, self.method, self.url)


class ApiError(ModelArtsError):
    """The service refused a call."""

    next_step = ""

    def __init__(
        self, status: int, code: str, message: str, request_id: str = "", method: str = "", url: str = ""
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.method = method
        self.url = url
        super().__init__(status, code, message, request_id, method, url)

    def __str__(self) -> str:
        where = f" ({self.method} {self.url}, HTTP {self.status})" if self.url else f" (HTTP {self.status})"
        request = f" Request id: {self.request_id}." if self.request_id else ""
        hint = f" {self.next_step}" if self.next_step else ""
        message = self.message if self.message.endswith((".", "!", "?", "。")) else f"{self.message}."
        return f"{self.code or 'no error code'}: {message}{hint}{request}{where}"


class AuthError(ApiError):
    """Who you are (401) or what you may do (403)."""

    next_step = "Check the access key, the project id and the region of the session, and its permissions."


class NotFound(ApiError):
    """What the call names does not exist."""

    next_step = "Check the id or the name; it may have been deleted."


class NameTaken(ApiError):
    """A job or a configuration of that name exists."""

    next_step = "Choose another name, or leave it out to have one made."


class Throttled(ApiError):
    """Too many requests."""

    next_step = "Wait a little and call again."


class JobError(ModelArtsError):
    """A job ended otherwise than COMPLETED."""

    what = "ended badly"

    def __init__(
        self,
        job_id: int,
        version_id: int,
        status: int,
        reason: str = "",
        exit_code: int | None = None,
        log_tail: str = "",
        log_path: str = "",
    ) -> None:
        self.job_id = job_id
        self.version_id = version_id
        self.status = status
        self.reason = reason
        self.exit_code = exit_code
        self.log_tail = log_tail
        self.log_path = log_path
        super().__init__(job_id, version_id, status, reason, exit_code, log_tail, log_path)

    def __str__(self) -> str:
        text = f"job {self.job_id} version {self.version_id} {self.what} ({self.status})"
        if self.exit_code is not None:
            text += f", exit code {self.exit_code}"
        if self.reason:
            text += f": {self.reason}"
        if self.log_path:
            text += f"\nlog: {self.log_path}"
        if self.log_tail:
            text += f"\nlast log lines:\n{self.log_tail}"
        return text


class JobFailed(JobError):
    """The job failed, or could not be started."""

    what = "failed"


class JobStopped(JobError):
    """The job was stopped before its end."""

    what = "was stopped"


class JobLost(JobError):
    """What ran the job is gone."""

    what = "was lost"


class JobTimeout(JobError, TimeoutError):
    """The job did not end within the time given to `wait`; it goes on."""

    what = "has not ended yet"


def shortened(value: Any, limit: int = 120) -> str:
    """A value as text for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
