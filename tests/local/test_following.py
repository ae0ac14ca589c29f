"""Following the log of a job: no text is lost, repeated or reordered, and few requests are sent."""

from __future__ import annotations

import hashlib
import io

import pytest

from modelarts._display.screen import Screen
from modelarts._jobs.follow import Follower
from modelarts.errors import JobFailed
from modelarts.session import Session
from tests.support.jobs import estimator, put_code


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share; `home` is for tests with a service of their own."""
    return shared_session


BEGIN, END = "begin of output\n", "end of output\n"
FRAME = "print('begin of output', flush=True)\n{}\nprint('end of output', flush=True)"


def followed(session, tmp_path, script: str) -> str:
    """What was shown between the first and the last line of the script."""
    put_code(session, tmp_path, "import sys, time\n" + FRAME.format(script))
    job = estimator(session).fit(inputs="/bucket/data/")
    stream = io.StringIO()
    Follower(session.client, job.job_id, job.version_id, Screen(stream)).run(timeout=120)
    shown = stream.getvalue()
    return shown[shown.index(BEGIN) + len(BEGIN) : shown.index(END)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("for i in range(20_000): print(i)", "".join(f"{i}\n" for i in range(20_000))),
        ("for i in range(30): print(i, flush=True); time.sleep(0.02)", "".join(f"{i}\n" for i in range(30))),
        ("print('a\\0b')", "a\0b\n"),
        ("for c in '训练😀': [(sys.stdout.buffer.write(bytes([b])), sys.stdout.flush(), time.sleep(0.03)) "
         "for b in c.encode()]", "训练😀"),
        ("for i in range(5): print(f'\\r{i} %', end='', flush=True); time.sleep(0.05)",
         "".join(f"\r{i} %" for i in range(5))),
        ("print('x' * 3_000_000)", "x" * 3_000_000 + "\n"),
    ],
    ids=["many lines", "slow lines", "NUL", "half characters", "a progress bar", "one line of 3 MB"],
)  # fmt: skip
def test_the_output_of_a_script_is_shown_as_it_is(session, tmp_path, script, expected):
    assert followed(session, tmp_path, script) == expected


def test_a_finished_log_of_long_lines_is_followed_from_its_beginning(session, tmp_path):
    put_code(session, tmp_path, FRAME.format("for i in range(3): print('训练' * 200_000)"))
    job = estimator(session).fit(inputs="/bucket/data/")
    job.wait(show=False)
    stream = io.StringIO()

    Follower(session.client, job.job_id, job.version_id, Screen(stream)).run(timeout=120)

    shown = stream.getvalue()
    assert shown[shown.index(BEGIN) + len(BEGIN) : shown.index(END)] == ("训练" * 200_000 + "\n") * 3


def test_twelve_megabytes_in_lines_of_one_are_shown_completely(session, tmp_path):
    put_code(session, tmp_path, FRAME.format("for i in range(12): print(chr(65 + i % 26) * 1_000_000)"))
    job = estimator(session).fit(inputs="/bucket/data/")
    counted = Counting()

    Follower(session.client, job.job_id, job.version_id, Screen(counted)).run(timeout=120)

    expected = hashlib.sha256()
    for i in range(12):
        expected.update((chr(65 + i % 26) * 1_000_000 + "\n").encode())
    assert counted.digest.hexdigest() == expected.hexdigest()


# --- how many requests it takes


@pytest.fixture
def operations(session, monkeypatch) -> list[str]:
    """The operations that the session's client calls."""
    called: list[str] = []
    call = session.client.call

    def counted(operation, *arguments, **options):
        called.append(operation)
        return call(operation, *arguments, **options)

    monkeypatch.setattr(session.client, "call", counted)
    return called


@pytest.mark.parametrize("printed", ["'训练'.encode()[:-1]", "b'caf\\xe9'"], ids=["half a character", "latin-1"])
def test_a_log_that_ends_within_a_character_is_not_read_again_and_again(session, tmp_path, operations, printed):
    put_code(session, tmp_path, f"""
        import sys, time
        sys.stdout.buffer.write({printed})
        sys.stdout.flush()
        time.sleep(1)
    """)
    job = estimator(session).fit(inputs="/bucket/data/")
    operations.clear()

    job.wait(timeout=60)

    assert len(operations) < 30
    operations.clear()
    job.wait()
    assert operations == ["get_training_job_version", "list_training_job_log_files", "get_training_job_log"]


def test_without_the_log_only_the_status_is_read(session, tmp_path, operations):
    put_code(session, tmp_path, "import time\nfor i in range(20_000): print(i)\ntime.sleep(1)")
    job = estimator(session).fit(inputs="/bucket/data/")
    operations.clear()

    assert job.wait(timeout=60, show=False).status == 10

    assert set(operations) == {"get_training_job_version"}
    assert len(operations) < 20


def test_without_the_log_a_failure_still_has_its_last_lines(session, tmp_path, operations):
    put_code(session, tmp_path, "for i in range(20_000): print(i)\nraise SystemExit('out of luck')")
    job = estimator(session).fit(inputs="/bucket/data/")
    operations.clear()

    with pytest.raises(JobFailed) as caught:
        job.wait(timeout=60, show=False)

    assert "out of luck" in caught.value.log_tail
    assert caught.value.exit_code == 1
    assert operations.count("get_training_job_log") == 1


def test_a_log_that_is_complete_is_read_once(session, tmp_path, operations, capsys):
    put_code(session, tmp_path, "for i in range(20_000): print(i)")
    job = estimator(session).fit(inputs="/bucket/data/")
    job.wait(show=False)
    operations.clear()

    job.wait()

    assert capsys.readouterr().out.count("\n") > 20_000
    assert operations.count("get_training_job_log") < 20_000 / 500 + 10


def test_the_status_of_a_version_that_was_just_created_is_not_requested(session, tmp_path, operations, capsys):
    put_code(session, tmp_path, "")
    training = estimator(session)

    training.fit(inputs="/bucket/data/", wait=True)

    created = operations.index("create_training_job")
    assert operations[created + 1] == "list_training_job_log_files"
    assert capsys.readouterr().out.splitlines()[1] == "JOBSTAT_INIT"


class Counting(io.StringIO):
    """A stream that keeps a digest of the text between the first and the last line, not the text."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self._on = False
        self._rest = ""

    def write(self, text: str) -> int:
        self._rest += text
        while "\n" in self._rest:
            line, _, self._rest = self._rest.partition("\n")
            if f"{line}\n" in (BEGIN, END):
                self._on = f"{line}\n" == BEGIN
            elif self._on and not line.startswith("JOBSTAT_"):
                self.digest.update(f"{line}\n".encode())
        return len(text)
