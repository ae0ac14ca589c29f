"""Every error that this package raises.

    ModelArtsError
    ├─ ConfigError(ValueError)            settings or credentials: nothing was sent
    ├─ ArgumentError(ValueError)          the arguments of a call: nothing was sent; `problems` lists them all
    ├─ ObsError(OSError)                  a bucket, a path in it, or a local file for it
    ├─ ServiceError                       the local service cannot start, stop or be found
    ├─ ConnectionFailed(ConnectionError)  there was no reply
    │   └─ OutcomeUnknown                 … after a creating call was sent
    ├─ BadReply                           a reply that is not one of the API
    ├─ ApiError                           the service returned an error: status, code, message, request id
    │   ├─ InvalidArgument(ValueError)    a value that the service does not accept
    │   ├─ AuthError                      credentials (401) or permissions (403)
    │   ├─ NotFound                       the object does not exist (404)
    │   ├─ Conflict                       the state of the object does not allow the call (409)
    │   │   └─ NameTaken                  … an object of that name exists
    │   ├─ QuotaExceeded                  a quota of the account or of a free flavor
    │   ├─ Throttled                      too many requests (429)
    │   └─ Unavailable                    the service failed (500, 502, 503, 504 …)
    └─ JobError                           a job did not complete
        ├─ JobFailed
        ├─ JobStopped
        ├─ JobLost
        └─ JobTimeout(TimeoutError)       the time-out of the waiting expired; the job continues
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from modelarts._wire.v1.status import JobStatus

_WORDS = {
    "en": {
        "no code": "no error code",
        "ahead": "This machine's clock is {} ahead of the service's: correct it.",
        "behind": "This machine's clock is {} behind the service's: correct it.",
        "meaning": "The code means: {}",
        "request": "Request id: {}.",
        "units": "h min s",
    },
    "zh": {
        "no code": "无错误码",
        "ahead": "本机时钟比服务端快 {}，请校准。",
        "behind": "本机时钟比服务端慢 {}，请校准。",
        "meaning": "错误码含义：{}",
        "request": "请求 ID：{}。",
        "units": "小时 分 秒",
    },
}
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？")


_language = [""]  # that of the settings of the latest session


def set_language(language: str) -> None:
    """Explain errors in `en` or `zh` from now on, unless `MODELARTS_LANG` is set."""
    _language[0] = language


def language() -> str:
    """The language of explanations: `MODELARTS_LANG`, else that of the settings, else that of the locale."""
    for chosen in (os.environ.get("MODELARTS_LANG", "").strip().lower()[:2], _language[0]):
        if chosen in _WORDS:
            return chosen
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if locale.lower().startswith("zh") else "en"


class ModelArtsError(Exception):
    """Base of every error of this package."""


class ConfigError(ModelArtsError, ValueError):
    """A setting or credential is missing or invalid; nothing was sent."""


class ArgumentProblem(NamedTuple):
    """One invalid argument of a call: the argument as the user wrote it, its value, the rule."""

    argument: str
    value: Any
    rule: str

    def __str__(self) -> str:
        return f"{self.argument}={shortened(self.value)}: {self.rule}"


Fault = ArgumentProblem  # its earlier name


class ArgumentError(ModelArtsError, ValueError):
    """Arguments of a call break documented rules; nothing was sent. `problems` lists all of them."""

    def __init__(self, call: str, problems: Sequence[ArgumentProblem]) -> None:
        self.call = call
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{call}: nothing was sent, {_counted(len(self.problems), 'argument')} to correct{lines}")

    @property
    def faults(self) -> tuple[ArgumentProblem, ...]:
        """The same as `problems`, by its earlier name."""
        return self.problems

    def __reduce__(self) -> Any:
        return type(self), (self.call, self.problems)


class ObsError(ModelArtsError, OSError):
    """A bucket, or a path in one, cannot be used; `error_code` and `error_msg` as documented."""

    def __init__(self, message: str, error_code: str = "ModelArts.1002") -> None:
        super().__init__(message)
        self.error_code = error_code
        self.error_msg = message

    def __reduce__(self) -> Any:
        return type(self), (self.error_msg, self.error_code)


class ServiceError(ModelArtsError):
    """The local service cannot be started, stopped or found."""


class ConnectionFailed(ModelArtsError, ConnectionError):
    """There was no reply."""

    def __init__(self, message: str, method: str = "", url: str = "") -> None:
        super().__init__(message)
        self.method = method
        self.url = url

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.method, self.url)


class OutcomeUnknown(ConnectionFailed):
    """A creating call was sent, its reply was lost, and a look-up could not find out what it created."""


class BadReply(ModelArtsError):
    """A reply is not one of the ModelArts API."""

    def __init__(self, message: str, status: int = 0, method: str = "", url: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.method = method
        self.url = url

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.status, self.method, self.url)


class Advice(NamedTuple):
    """What this package adds to an error of the service; texts by language, `en` and `zh`.

    `clock_ahead`: seconds that this machine's clock was ahead of the service's; 0 where that does not matter.
    """

    meaning: Mapping[str, str] = {}
    next_step: Mapping[str, str] = {}
    clock_ahead: float = 0.0


class ApiError(ModelArtsError):
    """The service returned an error.

    Its text is the message of the service, then what to do and what the code means, in the language of `language()`.

    Attributes:
        status: HTTP status.
        code, message: as returned by the service; `code` is empty if there was none.
        request_id: for support; empty if there was none.
        method, url: the call.
        advice, meaning, next_step: what this package adds.
        response: further members of the reply.
    """

    _next_step: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        request_id: str = "",
        method: str = "",
        url: str = "",
        advice: Advice | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.method = method
        self.url = url
        self.advice = advice or Advice()
        self.response: Mapping[str, Any] = {}
        super().__init__(status, code, message, request_id, method, url, self.advice)

    @property
    def error_code(self) -> str:
        """The same as `code`, as responses name it."""
        return self.code

    @property
    def error_msg(self) -> str:
        """The same as `message`, as responses name it."""
        return self.message

    @property
    def meaning(self) -> str:
        """The meaning of the code; empty if it is not known."""
        return self.advice.meaning.get(language(), "")

    @property
    def next_step(self) -> str:
        """What to do; empty if that depends on the message alone."""
        return (self.advice.next_step or self._next_step).get(language(), "")

    def __str__(self) -> str:
        words = _WORDS[language()]
        off = self.advice.clock_ahead
        parts = [
            self.message if self.message.endswith(_SENTENCE_ENDS) else f"{self.message}.",
            off and clock_off(off),
            self.next_step,
            self.meaning and words["meaning"].format(self.meaning),
            self.request_id and words["request"].format(self.request_id),
            f"({self.method} {self.url}, HTTP {self.status})" if self.url else f"(HTTP {self.status})",
        ]
        return f"{self.code or words['no code']}: {' '.join(part for part in parts if part)}"


class InvalidArgument(ApiError, ValueError):
    """The service does not accept a value. Invalid values that are found before sending raise `ArgumentError`."""

    _next_step = {"en": "Correct the value and call again.", "zh": "请修正参数后重试。"}


class AuthError(ApiError):
    """The credentials (401) or permissions (403) are not sufficient."""

    _next_step = {
        "en": "Check the access key, the project id and the region of the session, and its permissions.",
        "zh": "请检查会话的访问密钥、项目 ID、区域及其权限。",
    }


class NotFound(ApiError):
    """The object of a call does not exist."""

    _next_step = {
        "en": "Check the id or the name; it may have been deleted.",
        "zh": "请检查 ID 或名称，该对象可能已被删除。",
    }


class Conflict(ApiError):
    """The state of an object does not allow the call."""

    _next_step = {
        "en": "Check the current state of the object.",
        "zh": "请检查该对象的当前状态。",
    }


class NameTaken(Conflict):
    """An object of that name exists, for example a job or a configuration."""

    _next_step = {
        "en": "Choose another name, or omit it to have one generated.",
        "zh": "请更换名称，或不指定名称，由 SDK 自动生成。",
    }


class QuotaExceeded(ApiError):
    """A quota of the account or of a free flavor is exhausted."""

    _next_step = {
        "en": "Stop or delete what is not needed, or request a higher quota.",
        "zh": "请停止或删除不再需要的资源，或申请提高配额。",
    }


class Throttled(ApiError):
    """Too many requests."""

    _next_step = {"en": "Wait a moment and call again.", "zh": "请稍后重试。"}


class Unavailable(ApiError):
    """The service failed; the call may be correct."""

    _next_step = {
        "en": "The service failed: call again later. If it keeps failing, give support the request id.",
        "zh": "服务端故障，请稍后重试；如果仍然失败，请将请求 ID 提供给技术支持。",
    }


class JobError(ModelArtsError):
    """A job did not complete.

    Attributes:
        job_id, version_id: the version.
        status: its final status, an integer with a `name`.
        reason: given by the service; may be empty.
        exit_code: of the script; `None` if it is not known.
        log_tail: the last lines of its logs.
        log_path: OBS folder of its logs, if it has one.
    """

    what = "ended badly"

    def __init__(
        self,
        job_id: int,
        version_id: int,
        status: JobStatus,
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
        text = f"job {self.job_id} version {self.version_id} {self.what} ({getattr(self.status, 'name', self.status)})"
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
    """The job was stopped."""

    what = "was stopped"


class JobLost(JobError):
    """The process that ran the job was killed."""

    what = "was lost"


class JobTimeout(JobError, TimeoutError):
    """The job did not end within the time-out of `wait`; it continues."""

    what = "has not ended yet"


def clock_off(ahead: float) -> str:
    """What to do about a clock of this machine that is some seconds ahead of the service's, or behind."""
    return _WORDS[language()]["ahead" if ahead > 0 else "behind"].format(_duration(abs(ahead)))


def shortened(value: Any, limit: int = 120) -> str:
    """A value as text for a message, shortened if it is long."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a class may raise anything, and numbers may be too long
        text = f"a value of {type(value)!r} that cannot be shown ({type(error).__name__})"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _duration(seconds: float) -> str:
    """A duration in the units that it needs: `45 s`, `8 h 0 min 3 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    shown = [hours, minutes, rest][0 if hours else 1 if minutes else 2 :]
    units = _WORDS[language()]["units"].split()[-len(shown) :]
    return " ".join(f"{number} {unit}" for number, unit in zip(shown, units))
