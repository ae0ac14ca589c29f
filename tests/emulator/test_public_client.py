"""One program of the cloud in local mode, and with each kind of login of `--auth iam`: it prints the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.cloud_client import CloudClient

CLIENT = Path(__file__).parent / "programs" / "public_client.py"
MODELARTS = str(Path(sys.executable).with_name("modelarts"))
TRAIN = """
import argparse
import time

import moxing as mox

parser = argparse.ArgumentParser()
for name in ("data_url", "train_url", "init_method", "seconds", "lr"):
    parser.add_argument("--" + name)
args = parser.parse_args()
mox.file.copy_parallel(args.data_url, "/cache/data")
time.sleep(int(args.seconds))
with open("/cache/data/rows.csv") as rows, mox.file.File(args.train_url + "model.txt", "w") as model:
    model.write("lr " + args.lr + ", " + rows.read())
print("trained with", args.lr, flush=True)
"""
PRINTED = """\
region: cn-north-4 keys: True
uploaded: True
flavor: True
engine: True
status: 10 10 10 JOBSTAT_COMPLETED
{'status': 10, 'name': 'public_client', 'version': 1}
seconds: True output: /public-client/output/V0001/ /public-client/output/V0001/
log files: ['job-public_client.0']
['trained with 0.01']
log objects: [True]
model: lr 0.01, 3 rows
{'is_success': True}
stopped: 12 JOBSTAT_KILLED V0002
stopped again: False ModelArts.0105
versions: 2 [('V0002', 12), ('V0001', 10)]
jobs: 1 True
deleted: True
"""


def login(cloud: CloudClient, way: str) -> dict[str, str]:
    """What the author of the script would have typed in."""
    account = cloud.account
    if way == "local exec":
        return {"access_key": "***", "secret_key": "***", "project_id": "***", "region_name": account.region}
    if way == "keys":
        keys = {"access_key": account.access_key, "secret_key": account.secret_key}
        return {**keys, "project_id": account.project_id, "region_name": account.region}
    user = {"account": account.account, "username": account.username, "password": account.password}
    return {**user, "region_name": account.region}


@pytest.mark.parametrize("way", ["local exec", "keys", "password"])
def test_a_program_of_the_cloud_prints_the_same_everywhere(
    cloud: CloudClient, iam_home: Path, tmp_path: Path, way: str
):
    (tmp_path / "code").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "code" / "train.py").write_text(TRAIN)
    (tmp_path / "data" / "rows.csv").write_text("3 rows")
    endpoint = "modelarts.example.com" if way == "local exec" else cloud.address.url
    script = CLIENT.read_text().replace("ENDPOINT", endpoint).replace("**LOGIN", f"**{login(cloud, way)}")
    (tmp_path / "client.py").write_text(script)
    is_local = way == "local exec"
    environment = {"MODELARTS_HOME": str(iam_home)} if is_local else {"MODELARTS_CA_BUNDLE": cloud.address.ca_bundle}
    before = [MODELARTS, "local", "exec", "--"] if is_local else []

    ran = subprocess.run(
        [*before, sys.executable, "client.py"], cwd=tmp_path, env={**os.environ, **environment}, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip

    assert (ran.stdout, ran.returncode) == (PRINTED, 0), ran.stderr
