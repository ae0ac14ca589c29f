"""Errors keep their fields, say them, and can be caught as what Python calls them."""

from __future__ import annotations

import pickle

import pytest

from modelarts import errors
from modelarts._wire.v1.status import JobStatus
from modelarts.errors import Advice, ApiError, AuthError, JobError, NameTaken, NotFound, Throttled

ADVICE = Advice({"en": "It is so.", "zh": "是这样。"}, {"en": "Do that.", "zh": "请这样做。"}, -75.0)
REFUSALS: list[type[ApiError]] = [
    ApiError, AuthError, NotFound, NameTaken, Throttled,
    errors.Conflict, errors.InvalidArgument, errors.QuotaExceeded, errors.Unavailable,
]  # fmt: skip

EXAMPLES: list[errors.ModelArtsError] = [
    errors.ConfigError("what"),
    errors.ArgumentError("fit", [errors.ArgumentProblem("inputs", None, "needed")]),
    errors.ObsError("what", "ModelArts.0015"),
    errors.ServiceError("what"),
    errors.ConnectionFailed("what", "GET", "https://x"),
    errors.OutcomeUnknown("what", "POST", "https://x"),
    errors.BadReply("what", 502, "GET", "https://x"),
    *(kind(400, "ModelArts.0105", "why", "r", "GET", "https://x") for kind in REFUSALS),
    *(kind(400, "ModelArts.0105", "why", "r", "GET", "https://x", ADVICE) for kind in REFUSALS),
    *(kind(10, 20, 11, "reason", 3, "tail", "/b/log/")
      for kind in (JobError, errors.JobFailed, errors.JobStopped, errors.JobLost, errors.JobTimeout)),
]  # fmt: skip


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_with_its_fields(error: errors.ModelArtsError):
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_every_error_class_has_its_example_of_pickling():
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}

    assert {type(error) for error in EXAMPLES} == classes - {errors.ModelArtsError}


STANDARD = [
    (errors.ConfigError, ValueError),
    (errors.ArgumentError, ValueError),
    (errors.ObsError, OSError),
    (errors.ConnectionFailed, ConnectionError),
    (errors.InvalidArgument, ValueError),
    (errors.JobTimeout, TimeoutError),
]


@pytest.mark.parametrize(("kind", "standard"), STANDARD)
def test_an_error_is_also_the_matching_built_in_exception(kind: type[Exception], standard: type[Exception]):
    assert issubclass(kind, standard)


def test_a_job_error_has_the_status_the_log_path_and_the_last_lines():
    error = errors.JobFailed(10, 20, JobStatus(11), "killed by the system", 137, "line 1\nline 2", "/b/log/")

    assert str(error) == (
        "job 10 version 20 failed (JOBSTAT_FAILED), exit code 137: killed by the system\n"
        "log: /b/log/\nlast log lines:\nline 1\nline 2"
    )


def test_a_job_error_leaves_out_what_is_not_known():
    assert str(errors.JobStopped(10, 20, JobStatus(12))) == "job 10 version 20 was stopped (JOBSTAT_KILLED)"


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("value", [Unshowable(), 10**5000], ids=["object", "number"])
def test_a_value_that_cannot_be_shown_is_reported_by_its_type(value: object):
    assert "job_id=" in str(errors.ArgumentError("wait", [errors.ArgumentProblem("job_id", value, "a number")]))


def test_long_values_are_shortened_in_a_message_only():
    fault = errors.ArgumentProblem("job_desc", "d" * 5000, "too long")

    assert len(str(errors.ArgumentError("fit", [fault]))) < 300
    assert fault.value == "d" * 5000


# --- refusals


def test_an_error_has_message_clock_next_step_meaning_and_call():
    error = ApiError(401, "ModelArts.0207", "Expired", "r-1", "GET", "https://x", ADVICE)

    assert str(error) == (
        "ModelArts.0207: Expired. This machine's clock is 1 min 15 s behind the service's: correct it. Do that. "
        "The code means: It is so. Request id: r-1. (GET https://x, HTTP 401)"
    )


def test_an_error_omits_what_is_not_known():
    assert str(ApiError(400, "", "why?")) == "no error code: why? (HTTP 400)"


def test_an_error_is_shown_in_the_current_language(monkeypatch: pytest.MonkeyPatch):
    error = ApiError(401, "ModelArts.0207", "Expired", "r-1", "GET", "https://x", ADVICE)
    english = str(error)

    monkeypatch.setenv("MODELARTS_LANG", "zh")

    assert (error.message, error.meaning, error.next_step) == ("Expired", "是这样。", "请这样做。")
    assert str(error) == (
        "ModelArts.0207: Expired. 本机时钟比服务端慢 1 分 15 秒，请校准。 请这样做。 "
        "错误码含义：是这样。 请求 ID：r-1。 (GET https://x, HTTP 401)"
    )
    monkeypatch.setenv("MODELARTS_LANG", "en")
    assert str(error) == english


@pytest.mark.parametrize("kind", REFUSALS[1:], ids=lambda kind: kind.__name__)
def test_each_error_class_has_a_next_step_in_both_languages(
    monkeypatch: pytest.MonkeyPatch, kind: type[ApiError]
):
    error = kind(400, "X.1", "why")
    english = error.next_step

    monkeypatch.setenv("MODELARTS_LANG", "zh")

    assert english.isascii() and english.endswith(".")
    assert not error.next_step.isascii() and error.next_step.endswith("。")
    assert error.next_step in str(error)


def test_advice_of_the_code_replaces_that_of_the_class():
    assert NotFound(404, "X.1", "why", advice=ADVICE).next_step == "Do that."
    assert NotFound(404, "X.1", "why", advice=Advice({"en": "It is so."})).next_step.startswith("Check the id")


LANGUAGES = [
    ({}, "en"),
    ({"LANG": "zh_CN.UTF-8"}, "zh"),
    ({"LC_MESSAGES": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
    ({"LC_ALL": "C", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ({"LC_ALL": "", "LANG": "zh_CN"}, "zh"),
    ({"LANG": "de_DE.UTF-8"}, "en"),
    ({"MODELARTS_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
    ({"MODELARTS_LANG": " EN ", "LANG": "zh_CN.UTF-8"}, "en"),
    ({"MODELARTS_LANG": "fr", "LANG": "zh_CN.UTF-8"}, "zh"),
]


@pytest.mark.parametrize(("environment", "language"), LANGUAGES)
def test_the_language_is_the_setting_or_else_that_of_the_locale(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert errors.language() == language


DURATIONS = [
    (61.2, "1 min 1 s ahead of"), (-600, "10 min 0 s behind"), (28803, "8 h 0 min 3 s ahead of"),
    (-0.6, "1 s behind"), (90000, "25 h 0 min 0 s ahead of"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_a_wrong_clock_is_reported_with_its_direction(seconds: float, text: str):
    error = AuthError(401, "X.1", "why", advice=Advice(clock_ahead=seconds))

    assert f"This machine's clock is {text} the service's" in str(error)
