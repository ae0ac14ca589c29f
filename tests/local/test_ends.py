"""The first and the last lines of a log, and the reasons of failures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelarts.errors import ArgumentError, JobFailed
from modelarts.local.places import last_words
from modelarts.session import Session
from tests.support.jobs import estimator, logs, put_code

MARK = "[Modelarts Service Log]"


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share."""
    return shared_session


def ended(session, tmp_path: Path, script: str | bytes, name: str = "train.py", **changes):
    """Train a script: the information about it, and the log of each worker."""
    if isinstance(script, str):
        put_code(session, tmp_path, script, name)
    else:
        put_code(session, tmp_path, "", name)
        (tmp_path / "src" / name).write_bytes(script)
        session.obs.upload_dir(tmp_path / "src", "obs://bucket/")
    job = estimator(session, boot_file=name, **changes).fit(inputs="/bucket/data/")
    try:
        job.wait(show=False)
    except JobFailed as error:
        assert f"exit code {error.exit_code}" in error.reason or error.exit_code in (2, 130)
    return job.get_job_info(), logs(job)


def test_a_log_begins_as_on_the_platform(session, tmp_path):
    info, (log,) = ended(
        session, tmp_path, "print('unterminated', end='')", framework_type="TensorFlow",
        framework_version="TF-1.8.0-python3.6", hyperparameters={"lr": 0.1, "flag": None, "secret_key": "hunter22"},
    )  # fmt: skip

    names = ["user", "pwd", "app_url", "boot_file", "log_url", "command", "dependencies_file_dir"]
    lines = dict(line[len(MARK) :].split(": ", 1) for line in log.splitlines()[: len(names)])
    assert list(lines) == names
    assert lines["user"].startswith("uid=")
    assert lines["app_url"] == "s3://bucket/src/"
    assert lines["boot_file"] == "src/train.py"
    assert lines["log_url"] == f"/tmp/log/{info.job_name}.log"
    assert lines["command"] == (
        "src/train.py --data_url=s3://bucket/data/ --train_url=s3://bucket/output/ --num_gpus=0 --lr=0.1 --flag='' "
        "--secret_key=****"
    )
    assert lines["dependencies_file_dir"] == f"{lines['pwd']}/user-job-dir/src"
    assert all(line.startswith(f"{MARK}[local] ") for line in log.splitlines()[len(names) : -2])
    assert log.endswith(f"\nunterminated\n{MARK}Training completed.\n")


def test_each_log_of_several_nodes_says_who_failed_and_who_was_ended(session, tmp_path):
    script = """
        import sys, time
        if "--rank=1" in sys.argv:
            sys.exit(7)
        print("waiting", end="", flush=True)
        time.sleep(300)
    """
    info, (first, second) = ended(session, tmp_path, script, train_instance_count=2)

    assert info.error_result == "worker 1 ended with exit code 7"
    assert first.endswith(
        f"{MARK}[local] ended because worker 1 failed with return code 7\n{MARK}Training end with return code: 143\n"
    )
    assert second.endswith(f"{MARK}Training end with return code: 7\n")
    assert "ended because" not in second


def test_a_node_that_had_completed_keeps_its_end(session, tmp_path):
    script = """
        import os, sys, time
        gate = os.path.join(os.environ["MODELARTS_HOME"], "local", "buckets", "bucket", "gate")
        if "--rank=1" in sys.argv:
            while not os.path.exists(gate): time.sleep(0.02)
            time.sleep(1)  # the other one ends
            sys.exit(7)
        open(gate, "w").close()
    """
    _, (first, second) = ended(session, tmp_path, script, train_instance_count=2)

    assert first.endswith(f"{MARK}Training completed.\n")
    assert second.endswith(f"{MARK}Training end with return code: 7\n")


def test_the_reason_quotes_the_exception_of_the_worker_that_failed(session, tmp_path):
    script = "import sys\nif '--rank=1' in sys.argv: raise ValueError('no such layer; password=hunter22')"
    info, _ = ended(session, tmp_path, script, train_instance_count=2)

    assert info.error_result == "worker 1 ended with exit code 1: ValueError: no such layer; password=****"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("raise ValueError('first\\nsecond\\nthird')", "ValueError: first; its last line was: third"),
        ("raise RuntimeError('Errors in Net:\\n\\tMissing key: a')", "RuntimeError: Errors in Net: Missing key: a"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e", "KeyError: 'x'"),
        ("try:\n    1 / 0\nfinally:\n    {}['x']", "KeyError: 'x'"),
        ("x = = 1", "SyntaxError: invalid syntax"),
        ("import json\njson.loads('')", "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("def f():\n    class 错误(Exception): pass\n    raise 错误('坏')\nf()", "f.<locals>.错误: 坏"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("print('a')\nraise SystemExit('cannot converge')", "its last line was: cannot converge"),
        ("import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()\nexit('no')",
         "ZeroDivisionError: division by zero; its last line was: no"),
        ("import argparse\nargparse.ArgumentParser(prog='t').parse_args(['--x=1'])",
         "its last line was: t: error: unrecognized arguments: --x=1"),
        ("print('a')\nexit(7)", ""),
        ("exit(1)", ""),
        ("raise ValueError('abc https://me:pass@host/ --api-key=abc token known-secret')",
         "ValueError: abc https://****@host/ --api-key=**** token ****"),
        ("exit({'token': 'abcdef', 'tokens': 3, 'sk': 'xyz'})",
         "its last line was: {'token': '****', 'tokens': 3, 'sk': '****'}"),
        ("exit('unexpected token: x; token=abcdef; Authorization: Bearer abc')",
         "its last line was: unexpected token: x; token=****; Authorization: Bearer ****"),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'raise ValueError(1)'], check=True)",
         "ValueError: 1"),
        ("raise ValueError('x' * 9999)", "ValueError: " + "x" * 287 + "…"),
    ],
)  # fmt: skip
def test_what_a_script_said_at_its_end_is_found(tmp_path, script, said):
    environment = {"PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment, check=False)
    (tmp_path / "log").write_bytes(f"{MARK}user: x\n".encode() + run.stdout + run.stderr)

    assert last_words.of(str(tmp_path / "log"), max(run.returncode, 1), ["known-secret"]) == said


def test_a_script_that_cannot_be_decoded_is_named_as_such(tmp_path):
    (tmp_path / "a.py").write_bytes("print(1)".encode("utf-16"))
    run = subprocess.run([sys.executable, tmp_path / "a.py"], capture_output=True, check=False)
    (tmp_path / "log").write_bytes(run.stdout + run.stderr)

    assert last_words.of(str(tmp_path / "log"), 1, []).startswith(("SyntaxError: ", "ValueError: source code"))


def test_a_launcher_may_prefix_lines(tmp_path):
    lines = ["Traceback (most recent call last):", '  File "a.py", line 1, in <module>', "ValueError: bad"]
    (tmp_path / "log").write_text("".join(f"[rank1]: {line}\r\n" for line in lines))

    assert last_words.of(str(tmp_path / "log"), 1, []) == "ValueError: bad"


@pytest.mark.parametrize("news", [
    "[INFO] DISTRIBUTED(2,7f37c269b6c0,python):2026-11-27-07:04:59.538.007 [tcp_server.cc:314] Start] success!",
    "W0000 00:00:1795762774.913062       2 port.cc:153] custom operations are on.",
    "2026-11-27 07:04:59.538007: I tensorflow/core/util/port.cc:153] custom operations are on.",
])  # fmt: skip
def test_what_frameworks_report_after_an_exception_is_not_quoted(tmp_path, news):
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: bad\n'
    (tmp_path / "log").write_text(f"{trace}{news}\n")

    assert last_words.of(str(tmp_path / "log"), 1, []) == "ValueError: bad"


def test_the_process_of_a_launcher_that_did_not_lose_another_one_counts(tmp_path):
    ends = ["ValueError: bad", "RuntimeError: Connection closed by peer [127.0.0.1]", "x.ChildFailedError: train.py"]
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n'
    (tmp_path / "log").write_text("".join(f"{trace}{end}\n" for end in ends))

    assert last_words.of(str(tmp_path / "log"), 1, []) == "ValueError: bad"


# --- what boots


def test_a_shell_script_gets_the_same_arguments_whatever_its_line_ends(session, tmp_path):
    script = b"\xef\xbb\xbf#!/bin/bash\r\nif true; then\r\n  echo ran with \"$@\"\r\nfi\r\n"
    info, (log,) = ended(session, tmp_path, script, "run.sh", hyperparameters={"lr": "a b"}, train_instance_count=1)

    assert info.status == 10
    assert "\nran with --data_url=s3://bucket/data/ --train_url=s3://bucket/output/ --init_method=tcp://" in log
    assert " --lr=a b\n" in log
    assert f"{MARK}[local] run.sh has Windows line ends or a byte order mark, " in log


def test_an_html_page_fails_as_python_does_with_one_hint(session, tmp_path):
    info, (log,) = ended(session, tmp_path, "<!DOCTYPE html>\n<html><body></body></html>\n")

    assert info.error_result == "the script ended with exit code 1: SyntaxError: invalid syntax"
    assert log.endswith(
        f"SyntaxError: invalid syntax\n{MARK}[local] train.py is an HTML page: download the file itself, not the page "
        f"that shows it\n{MARK}Training end with return code: 1\n"
    )


@pytest.mark.parametrize(
    "script",
    [b"", b"\xef\xbb\xbfprint('ok')\r\n", "# -*- coding: gbk -*-\nassert '中' == chr(0x4e2d)\n".encode("gbk")],
    ids=["empty", "byte order mark and CRLF", "GBK"],
)
def test_whatever_python_reads_runs(session, tmp_path, script):
    info, _ = ended(session, tmp_path, script)

    assert info.status == 10, info.error_result


def test_a_notebook_with_the_name_of_a_script_fails_with_what_to_do(session, tmp_path):
    info, (log,) = ended(session, tmp_path, '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')

    reason = "the boot file train.py is a notebook: `jupyter nbconvert --to script train.py` makes a script of it"
    assert (info.status, info.error_result) == (11, reason)
    assert f"{MARK}[local] {reason}\n" in log


@pytest.mark.parametrize("name", ["train.ipynb", "train.exe", "train"])
def test_what_is_no_script_is_refused_before_it_is_sent(session, name):
    with pytest.raises(ArgumentError, match=rf"boot_file='{name}': a Python script, \.py, or a shell script, \.sh"):
        estimator(session, boot_file=name).payload(inputs="/bucket/data/")


def test_what_is_no_script_fails_with_the_rule_if_it_was_sent(session, tmp_path):
    put_code(session, tmp_path, "{}", "train.ipynb")
    body = estimator(session).payload(inputs="/bucket/data/", job_name="notebook")
    body["config"]["boot_file_url"] = "/bucket/src/train.ipynb"

    job = session.client.call("create_training_job", body=body, raise_on_error=True)

    failed = estimator(session, job_id=job.job_id, version_id=job.version_id)
    with pytest.raises(JobFailed, match=r"the boot file src/train.ipynb cannot be started: it must be a Python script"):
        failed.wait(show=False)
