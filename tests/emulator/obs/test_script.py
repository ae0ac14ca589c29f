"""One unchanged script on the local service and on the emulator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from modelarts.local.paths import LocalHome
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import environment

TRAIN = """
    import argparse
    from pathlib import Path

    from modelarts.session import Session

    parser = argparse.ArgumentParser()
    for name in ("data_url", "train_url", "init_method", "rate"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    session = Session()
    session.obs.download_dir(given.data_url, ".")
    rows = sorted(path.read_text() for path in Path("rows").iterdir())
    Path("model.txt").write_text(f"{given.rate} of {rows}")
    session.obs.upload_file("model.txt", given.train_url)
    print("trained at", given.rate)
"""

SCRIPT = """
    import pathlib

    from modelarts.estimator import Estimator
    from modelarts.session import Session

    session = Session()
    session.obs.create_bucket("one-script")
    session.obs.upload_dir("rows", "obs://one-script/data/")
    estimator = Estimator(
        modelarts_session=session, framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6",
        code_dir="code", boot_file="train.py", hyperparameters={"rate": 0.5}, log_url="/one-script/log/",
        output_path="/one-script/output/", train_instance_type="local", train_instance_count=1,
    )
    job = estimator.fit(inputs="/one-script/data/rows/", job_name="one_script", wait=True)
    print(">", job.get_job_info().status.name)
    job.delete_job()
    session.obs.download_dir("obs://one-script/output/", "results")
    print(">", pathlib.Path("results/output/model.txt").read_text())
    print(">", [item.url for item in session.obs.list("obs://one-script/data/", recursive=True)])
    print(">", session.obs.exists("obs://one-script/output/model.txt"))
    session.obs.delete("obs://one-script/", recursive=True)
    session.obs.delete_bucket("one-script")
    print(">", session.obs.exists("obs://one-script/"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with the script, code and data."""
    place = tmp_path / "work"
    for name, text in {"script.py": SCRIPT, "code/train.py": TRAIN, "rows/1.csv": "1", "rows/二 b.csv": "2"}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(textwrap.dedent(text))
    return place


def logins(cloud: CloudClient, home: Path) -> dict[str, dict[str, str]]:
    """The environment variables with which `Session()` uses each type of credentials."""
    account, temporary = cloud.account, cloud.temporary_keys()
    settings = environment(cloud)
    return {
        "local": {"MODELARTS_MODE": "local", "MODELARTS_HOME": str(home)},
        "keys": {**settings, "HUAWEICLOUD_SDK_AK": account.access_key, "HUAWEICLOUD_SDK_SK": account.secret_key},
        "temporary keys": {
            **settings, "HUAWEICLOUD_SDK_AK": temporary["access"], "HUAWEICLOUD_SDK_SK": temporary["secret"],
            "HUAWEICLOUD_SDK_SECURITY_TOKEN": temporary["securitytoken"],
        },
        "password": {
            **settings, "MODELARTS_ACCOUNT": account.account, "MODELARTS_USERNAME": account.username,
            "MODELARTS_PASSWORD": account.password,
        },
    }  # fmt: skip


@pytest.mark.parametrize("login", ["local", "keys", "temporary keys", "password"])
def test_a_script_does_the_same_with_all_credentials(cloud: CloudClient, iam_home: Path, folder: Path, login: str):
    buckets = LocalHome.of(iam_home).buckets
    shutil.rmtree(buckets / "one-script", ignore_errors=True)
    variables = logins(cloud, iam_home)[login]

    ran = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    printed = [line[2:] for line in ran.stdout.splitlines() if line.startswith("> ")]
    urls = ["obs://one-script/data/rows/1.csv", "obs://one-script/data/rows/二 b.csv"]
    assert printed == ["JOBSTAT_COMPLETED", "0.5 of ['1', '2']", str(urls), "True", "False"]
    assert not (buckets / "one-script").exists()
