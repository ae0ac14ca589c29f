"""What a terminal or a pipe cannot show is escaped, as in tracebacks, and what is closed shows nothing more."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelarts._display import progress
from modelarts._display.screen import Screen
from modelarts._display.tables import print_table
from modelarts.cli.main import cli
from modelarts.estimator import Estimator
from modelarts.job import TrainingJob
from modelarts.session import Session
from tests.sdk.conftest import cloud, pauses, session  # noqa: F401  the faked cloud
from tests.support.cloud import MADE, Cloud, cloud_estimator

INFO = "/training-jobs/10/versions/20"
LOG = "训练 epoch 1 ✅ é \udcff\n"
ENCODINGS = ["ascii", "gbk", "cp1252", "latin-1", "utf-8", "utf-16"]


def stream_of(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")


def written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode(stream.encoding)  # type: ignore[attr-defined]


@pytest.fixture
def ended_job(cloud: Cloud) -> None:  # noqa: F811
    """A job with a log that few encodings can show, and names of the same kind."""
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", {**MADE, "job_name": LOG})
    cloud.answer("GET", INFO, {"is_success": True, "status": 11, "error_result": LOG})
    cloud.answer("GET", f"{INFO}/log/file-names", {"is_success": True, "log_file_list": ["a"]})
    cloud.answer("GET", f"{INFO}/aom-log",
                 {"is_success": True, "content": LOG, "lines": 1, "start_line": "0", "end_line": "9"})  # fmt: skip


def follow(session: Session) -> TrainingJob:  # noqa: F811
    return cloud_estimator(session).fit(inputs="/bucket/data/", job_name="digits", wait=True)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.usefixtures("ended_job")
def test_a_log_is_shown_in_every_encoding(
    session: Session, monkeypatch: pytest.MonkeyPatch, encoding: str  # noqa: F811
):  # fmt: skip
    stream = stream_of(encoding)
    monkeypatch.setattr(sys, "stdout", stream)

    job = follow(session)

    shown = written(stream)
    assert job.job_id == 10
    assert LOG.encode(encoding, "backslashreplace").decode(encoding) in shown
    assert "JOBSTAT_FAILED" in shown


class Closed(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("stream", [None, Closed(), io.StringIO()], ids=["none", "broken", "closed"])
@pytest.mark.usefixtures("ended_job")
def test_waiting_goes_on_where_nothing_can_be_shown(
    cloud: Cloud, session: Session, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None  # noqa: F811
):  # fmt: skip
    cloud.answer("GET", "/training-job-configs", {"is_success": True, "configs": [{"config_name": LOG}]})
    cloud.faked.assert_all_requests_are_fired = False
    if type(stream) is io.StringIO:
        stream.close()
    monkeypatch.setattr(sys, "stdout", stream)

    assert follow(session).job_id == 10
    assert [handle.config_name for handle in Estimator.get_job_configs_object_list(session)] == [LOG]


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "cp1252"])
def test_commands_print_in_every_encoding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str):
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "目录 ✅"))

    monkeypatch.setenv("MODELARTS_LOCAL_CONDA", "✅")

    for command in (["local", "status"], ["config", "show"]):
        result = CliRunner(charset=encoding).invoke(cli, command)

        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "\\u2705" in result.stdout_bytes.decode(encoding)


def test_a_table_is_shown():
    stream = stream_of("ascii")

    print_table([{"job_name": "训练"}], ["job_name"], stream)

    assert written(stream).splitlines()[-1] == "\\u8bad\\u7ec3"


def test_progress_is_shown(monkeypatch: pytest.MonkeyPatch):
    stream = stream_of("ascii")
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    meter = progress.meter("upload 训练", True, stream)

    meter.found(10)
    meter.moved(10)
    meter.close()

    assert written(stream).startswith("upload \\u8bad\\u7ec3  10 bytes of 10 bytes")


def test_a_log_goes_on_behind_what_had_to_be_escaped():
    stream = stream_of("ascii")
    screen = Screen(stream)

    screen.log("epoch 1\n")
    screen.log("训练 done\n")

    assert written(stream) == "epoch 1\n\\u8bad\\u7ec3 done\n"
