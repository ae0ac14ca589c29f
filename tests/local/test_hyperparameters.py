"""What scripts get of hyperparameters: names that the engine passes, too, flags, and values of the greatest length."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from modelarts._wire.v1 import limits
from modelarts.session import Session
from tests.support.jobs import estimator, put_code

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "hyperparameters.md"


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share."""
    return shared_session


def test_the_documented_flag_takes_every_form_of_a_bare_hyperparameter(session: Any, tmp_path: Path):
    found = re.search(r"```python\n(def flag.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    names = {"none": None, "empty": "", "yes": True, "no": False}
    declared = [found[1].split("parser.")[0], "import argparse, sys\nparser = argparse.ArgumentParser()"]
    for name in (*names, "left_out"):
        declared.append("parser." + found[1].split("parser.")[1].replace("--amp", f"--{name}"))
    declared.append("seen = vars(parser.parse_known_args()[0])\nprint('FLAGS', *(f'{k}={v}' for k, v in seen.items()))")
    declared.append("print('ON A COMMAND LINE', parser.parse_args(['--yes']).yes)")
    put_code(session, tmp_path, "\n".join(declared))

    job = estimator(session, hyperparameters=names).fit(inputs="/bucket/data/")

    job.wait(show=False)
    log = job.get_job_log(f"job-{job.job_name}.0").content
    assert "FLAGS none=True empty=True yes=True no=False left_out=False\nON A COMMAND LINE True\n" in log


def test_the_longest_values_reach_the_script(session: Any, tmp_path: Path):
    put_code(session, tmp_path, """
        import sys
        print("LENGTHS", *(len(text) for text in sys.argv if text.startswith("--p")))
    """)  # fmt: skip
    fitting = limits.ARGUMENT_BYTES - len("--p00=")
    full = {f"p{number:02}": "x" * fitting for number in range(11)}  # together just below ARGUMENTS_BYTES

    job = estimator(session, hyperparameters=full).fit(inputs="/bucket/data/")

    job.wait(show=False)
    assert job.get_job_info().status == 10
    log = job.get_job_log(f"job-{job.job_name}.0", lines=2).content
    assert f"LENGTHS {' '.join(['131071'] * 11)}\n" in log


def test_an_argument_that_is_passed_twice_is_told_in_the_log(session: Any, tmp_path: Path):
    put_code(session, tmp_path, """
        import argparse
        parser = argparse.ArgumentParser()
        for name in ("data_url", "train_url", "init_method", "lr"):
            parser.add_argument(f"--{name}")
        print("SEEN", parser.parse_args().data_url)
    """)  # fmt: skip

    job = estimator(session, hyperparameters={"data_url": "s3://other/", "lr": 1}).fit(inputs="/bucket/data/")

    job.wait(show=False)
    log = job.get_job_log(f"job-{job.job_name}.0").content
    assert "--data_url is passed by the engine and once more as a hyperparameter; argparse takes the last\n" in log
    assert "SEEN s3://other/\n" in log
