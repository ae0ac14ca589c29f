"""Errors keep their fields, say them, and can be caught as what Python calls them."""

from __future__ import annotations

import pickle

import pytest

from modelarts import errors
from modelarts._wire.status import JobStatus
from modelarts.errors import ApiError, AuthError, JobError, NameTaken, NotFound, Throttled

EXAMPLES: list[errors.ModelArtsError] = [
    errors.ConfigError("what"),
    errors.ArgumentError("fit", [errors.Fault("inputs", None, "needed")]),
    errors.ObsError("what", "ModelArts.0015"),
    errors.ServiceError("what"),
    errors.ConnectionFailed("what", "GET", "https://x"),
    errors.OutcomeUnknown("what", "POST", "https://x"),
    errors.BadReply("what", 502, "GET", "https://x"),
    *(kind(400, "ModelArts.0105", "why", "r", "GET", "https://x")
      for kind in (ApiError, AuthError, NotFound, NameTaken, Throttled)),
    *(kind(10, 20, 11, "reason", 3, "tail", "/b/log/")
      for kind in (JobError, errors.JobFailed, errors.JobStopped, errors.JobLost, errors.JobTimeout)),
]  # fmt: skip


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
    (errors.JobTimeout, TimeoutError),
]


@pytest.mark.parametrize(("kind", "standard"), STANDARD)
def test_an_error_is_also_what_people_already_catch(kind: type[Exception], standard: type[Exception]):
    assert issubclass(kind, standard)


def test_a_job_error_tells_how_it_ended_where_the_log_is_and_its_last_lines():
    error = errors.JobFailed(10, 20, JobStatus(11), "killed by the system", 137, "line 1\nline 2", "/b/log/")

    assert str(error) == (
        "job 10 version 20 failed (JOBSTAT_FAILED), exit code 137: killed by the system\n"
        "log: /b/log/\nlast log lines:\nline 1\nline 2"
    )


def test_a_job_error_leaves_out_what_is_not_known():
    assert str(errors.JobStopped(10, 20, JobStatus(12))) == "job 10 version 20 was stopped (JOBSTAT_KILLED)"


def test_long_values_are_cut_in_a_message_but_kept_in_the_fault():
    fault = errors.Fault("job_desc", "d" * 5000, "too long")

    assert len(str(errors.ArgumentError("fit", [fault]))) < 300
    assert fault.value == "d" * 5000
