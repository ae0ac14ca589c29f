"""Following a job's log: nothing is lost, doubled or reordered, whatever the script prints."""

from __future__ import annotations

import hashlib
import io

import pytest

from modelarts._display.screen import Screen
from modelarts._jobs.follow import Follower
from tests.support.jobs import estimator, put_code

BEGIN, END = "begin of output\n", "end of output\n"
FRAME = "print('begin of output', flush=True)\n{}\nprint('end of output', flush=True)"


def followed(session, tmp_path, script: str) -> str:
    """What the user's screen got between the marks."""
    put_code(session, tmp_path, "import sys, time\n" + FRAME.format(script))
    job = estimator(session).fit(inputs="/bucket/data/")
    stream = io.StringIO()
    Follower(job, Screen(stream)).run(timeout=120)
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
def test_the_screen_gets_what_the_script_printed(session, tmp_path, script, expected):
    assert followed(session, tmp_path, script) == expected


def test_a_finished_log_of_long_lines_is_followed_from_its_beginning(session, tmp_path):
    put_code(session, tmp_path, FRAME.format("for i in range(6): print('训练' * 200_000)"))
    job = estimator(session).fit(inputs="/bucket/data/")
    job.wait(show=False)
    stream = io.StringIO()

    Follower(job, Screen(stream)).run(timeout=120)

    shown = stream.getvalue()
    assert shown[shown.index(BEGIN) + len(BEGIN) : shown.index(END)] == ("训练" * 200_000 + "\n") * 6


def test_two_hundred_megabytes_in_lines_of_one_arrive_whole(session, tmp_path):
    put_code(session, tmp_path, FRAME.format("for i in range(200): print(chr(65 + i % 26) * 1_000_000)"))
    job = estimator(session).fit(inputs="/bucket/data/")
    counted = Counting()

    Follower(job, Screen(counted)).run(timeout=120)

    expected = hashlib.sha256()
    for i in range(200):
        expected.update((chr(65 + i % 26) * 1_000_000 + "\n").encode())
    assert counted.digest.hexdigest() == expected.hexdigest()


class Counting(io.StringIO):
    """A screen that keeps a digest of what stands between the marks, not the text."""

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
