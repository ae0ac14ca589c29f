"""Every documented error code is explained in both languages; unknown ones are kept."""

from __future__ import annotations

import pickle
import re
import runpy
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from modelarts import errors
from modelarts._transport.response import error_of, to_response
from modelarts._wire.v1 import codes
from modelarts.errors import (
    Advice,
    ApiError,
    AuthError,
    Conflict,
    InvalidArgument,
    NameTaken,
    NotFound,
    QuotaExceeded,
    Throttled,
    Unavailable,
)
from modelarts.job import TrainingJob
from modelarts.session import Session
from tests.support.cloud import Cloud, contract

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTED = contract("errors.json")
CODES = [(row["code"], row["http_status"]) for row in DOCUMENTED["codes"]]
UNDEFINED = [row["code"] for row in DOCUMENTED["undefined_codes_in_samples"]]
ROWS = [(code, status, row) for code, rows in codes.documented()["codes"].items() for status, row in rows.items()]
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def refusal(status: int, code: str, headers: dict[str, str] | None = None, **more: Any) -> ApiError:
    members = {"error_code": code, "error_msg": "why", **more}
    return error_of(to_response(members, status, headers or {}, "GET", "https://x"))


# --- the table


def test_every_documented_code_is_explained_with_each_of_its_statuses():
    assert {(code, status) for code, status, _ in ROWS} == {
        *((code, str(status)) for code, status in CODES), *((code, "any") for code in UNDEFINED),
    }  # fmt: skip


def test_a_row_has_sentences_in_both_languages_and_a_known_class():
    for code, status, row in ROWS:
        assert set(row) <= {"class", "clock", "meaning", "next_step"}, (code, status)
        for texts in (row["meaning"], row.get("next_step", {"en": "Do.", "zh": "请做。"})):
            assert set(texts) == {"en", "zh"}, (code, status)
            assert texts["en"].isascii() and re.fullmatch(r"[A-Z].*\.", texts["en"]), (code, status)
            assert CHINESE.search(texts["zh"]) and texts["zh"].endswith("。"), (code, status)
        assert issubclass(getattr(errors, row.get("class", "ApiError")), ApiError), (code, status)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_documented_code_says_what_it_means_and_what_to_do_next(monkeypatch: pytest.MonkeyPatch, language: str):
    monkeypatch.setenv("MODELARTS_LANG", language)
    for code, status in CODES:
        error = refusal(status, code)

        assert error.meaning and error.next_step, code
        assert str(error).startswith(f"{code}: why. {error.next_step} ")
        assert error.meaning in str(error)


# --- classes

KINDS = [
    (500, "ModelArts.0010", Unavailable),
    (404, "ModelArts.0015", NotFound),
    (400, "ModelArts.0101", InvalidArgument),
    (400, "ModelArts.0104", InvalidArgument),
    (409, "ModelArts.0103", NameTaken),
    (400, "ModelArts.0108", AuthError),
    (500, "ModelArts.0109", AuthError),
    (400, "ModelArts.0113", QuotaExceeded),
    (400, "ModelArts.0116", QuotaExceeded),
    (401, "ModelArts.0202", AuthError),
    (400, "ModelArts.0210", AuthError),
    (400, "ModelArts.0420", ApiError),
    (401, "ModelArts.0428", AuthError),
    (400, "ModelArts.0428", ApiError),
    (400, "ModelArts.2605", Unavailable),
    (403, "ModelArts.2702", Conflict),
    (400, "ModelArts.2751", NameTaken),
    (400, "ModelArts.2757", InvalidArgument),
    (400, "ModelArts.2775", NotFound),
    (404, "ModelArts.2786", AuthError),
    (409, "ModelArts.2796", Conflict),
    (429, "ModelArts.2799", Throttled),
    (400, "ModelArts.2815", QuotaExceeded),
    # the status decides where the code does not
    (400, "ModelArts.0105", ApiError),
    (401, "ModelArts.0105", AuthError),
    (404, "ModelArts.0105", NotFound),
    (409, "ModelArts.0105", Conflict),
    *((status, "ModelArts.9999", kind) for status, kind in [
        (200, ApiError), (400, ApiError), (401, AuthError), (403, AuthError), (404, NotFound), (409, Conflict),
        (429, Throttled), (500, Unavailable), (501, ApiError), (503, Unavailable), (504, Unavailable),
    ]),
    # a call that is not there at all is not a thing that is not there
    (501, "ModelArts.0015", ApiError),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "kind"), KINDS)
def test_the_class_follows_the_code_and_else_the_status(status: int, code: str, kind: type[ApiError]):
    error = refusal(status, code)

    assert type(error) is kind
    assert (error.status, error.code) == (status, code)


def test_a_code_with_several_meanings_has_that_of_its_status():
    meanings = {status: refusal(status, "ModelArts.0210").meaning for status in (400, 401, 403)}

    assert "not valid" in meanings[400] and "API id" in meanings[401] and "credential" in meanings[403]


def test_a_code_with_an_unknown_status_has_all_of_its_meanings():
    error = refusal(200, "ModelArts.0210")

    assert type(error) is AuthError
    assert error.meaning.count(" / ") == 2
    assert type(refusal(404, "ModelArts.0428")) is NotFound


def test_a_status_may_have_its_own_next_step():
    assert refusal(400, "ModelArts.0105").next_step.startswith("Check the state of the job")
    assert refusal(404, "ModelArts.0105").next_step.startswith("Check the id or the name")


@pytest.mark.parametrize("code", ["ModelArts.9999", "AS.0001", "", "ModelArts.2757x"])
def test_an_unknown_code_is_kept(code: str):
    error = refusal(400, code, {"X-Request-Id": "r-1"})

    assert (error.status, error.code, error.message, error.request_id) == (400, code, "why", "r-1")
    assert (error.advice, error.meaning, error.next_step) == (Advice(), "", "")
    assert str(error) == f"{code or 'no error code'}: why. Request id: r-1. (GET https://x, HTTP 400)"


@pytest.mark.parametrize("code", ["APIGW.0101", "APIGW.0301", "APIG.1004"])
def test_a_code_of_the_gateway_is_explained(monkeypatch: pytest.MonkeyPatch, code: str):
    error = refusal(404, code, request_id="in-the-body")

    assert (type(error), error.code, error.request_id) == (NotFound, code, "in-the-body")
    assert "The API gateway refused the request" in str(error)
    monkeypatch.setenv("MODELARTS_LANG", "zh")
    assert "API 网关" in str(error)


def test_an_error_keeps_unusual_members():
    error = refusal(400, 7, error_msg={"a": 1})  # type: ignore[arg-type]

    assert str(error) == "7: {'a': 1}. (GET https://x, HTTP 400)"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_error_of_the_service_survives_pickling_with_its_advice(monkeypatch: pytest.MonkeyPatch, language: str):
    monkeypatch.setenv("MODELARTS_LANG", language)
    for code, status in [*CODES, ("APIGW.0301", 401), ("ModelArts.9999", 503)]:
        error = refusal(status, code, {"Date": formatdate(time.time() - 900, usegmt=True)})

        copy = pickle.loads(pickle.dumps(error))

        assert (type(copy), vars(copy)) == (type(error), vars(error))
        assert str(copy) == str(error)


# --- clocks

CLOCK_MATTERS = [
    (401, "ModelArts.0202"), (401, "ModelArts.0207"), (401, "ModelArts.0208"), (403, "ModelArts.0206"),
    (401, "APIGW.0301"), (403, "APIGW.0305"), (401, "ModelArts.0105"), (401, ""), (403, "ModelArts.9999"),
]  # fmt: skip


@pytest.mark.parametrize(("off", "difference"), [(-900, "15 min 0 s behind"), (28800, "8 h 0 min 0 s ahead of")])
@pytest.mark.parametrize(("status", "code"), CLOCK_MATTERS)
def test_refused_credentials_show_how_wrong_the_clock_is(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, off: int, difference: str
):
    now = 1_700_000_000
    monkeypatch.setattr(time, "time", lambda: now + off)

    error = refusal(status, code, {"Date": formatdate(now, usegmt=True)})

    assert f" This machine's clock is {difference} the service's: correct it. " in str(error)
    monkeypatch.setenv("MODELARTS_LANG", "zh")
    assert f"本机时钟比服务端{'快' if off > 0 else '慢'}" in str(error)


@pytest.mark.parametrize(("status", "code"), [(403, "ModelArts.0108"), (404, "ModelArts.0015"), (400, "APIGW.0106")])
def test_the_clock_is_not_mentioned_where_it_does_not_matter(status: int, code: str):
    assert "clock" not in str(refusal(status, code, {"Date": formatdate(0, usegmt=True)}))


DATES = [None, "", "yesterday", " ", "Thu, 01 Jan 99999999999999999999 00:00:00 GMT", "0", ",", "now"]


@pytest.mark.parametrize("date", DATES)
def test_a_clock_that_is_right_or_unknown_is_not_mentioned(date: str | None):
    sent = formatdate(usegmt=True) if date == "now" else date
    error = refusal(401, "ModelArts.0208", {} if sent is None else {"Date": sent})

    assert error.advice.clock_ahead == 0
    assert str(error).startswith("ModelArts.0208: why. Check the secret key")


@pytest.mark.parametrize(("off", "mentioned"), [(59, False), (-59, False), (61, True), (-61, True)])
def test_a_difference_below_a_minute_is_not_mentioned(monkeypatch: pytest.MonkeyPatch, off: int, mentioned: bool):
    now = 1_700_000_000
    monkeypatch.setattr(time, "time", lambda: now + off)

    assert ("clock is" in str(refusal(401, "ModelArts.0207", {"Date": formatdate(now, usegmt=True)}))) is mentioned


def test_the_clock_is_compared_when_the_reply_arrives(monkeypatch: pytest.MonkeyPatch):
    headers = {"Date": formatdate(usegmt=True)}
    response = to_response({"error_code": "ModelArts.0207", "error_msg": "why"}, 401, headers, "GET", "https://x")
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)

    with pytest.raises(AuthError) as caught:
        response.raise_on_failure()

    assert caught.value.advice.clock_ahead == 0


# --- through a session


def test_a_call_raises_what_the_code_means(cloud: Cloud, session: Session):
    reply = {"is_success": False, "error_code": "ModelArts.0207", "error_message": "Expired"}
    headers = {"Date": formatdate(time.time() + 3600, usegmt=True), "X-Request-Id": "r-1"}
    cloud.answer("GET", "/training-jobs/10/versions/20", reply, 401, headers=headers)

    with pytest.raises(AuthError) as caught:
        TrainingJob(session, job_id=10, version_id=20).get_job_info()

    assert re.search(r"Expired\. This machine's clock is (1 h 0 min \d+|59 min 5\d) s behind", str(caught.value))
    assert "The signature has expired" in str(caught.value)
    assert caught.value.request_id == "r-1"


def test_importing_a_session_does_not_read_the_table():
    program = (
        "import modelarts.session, modelarts.estimator, modelarts._api.client\n"
        "from modelarts._wire.v1 import codes\n"
        "print(codes.documented.cache_info().currsize)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "0"


# --- the page


def test_the_page_is_generated_from_the_table():
    written = runpy.run_path(str(DOCS / "error-codes.py"))["page"]()

    assert (DOCS / "error-codes.md").read_text(encoding="utf-8") == written, "run `python docs/error-codes.py`"
