"""Programs for the cloud in local mode: `modelarts local exec`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.local import daemon
from modelarts.session import Session
from tests.emulator.obs_requests import IGNORED_WARNINGS
from tests.support.processes import end_service

pytestmark = IGNORED_WARNINGS

MODELARTS = str(Path(sys.executable).with_name("modelarts"))
CLIENT = """
    import json, os, sys
    import moxing as mox
    from obs import ObsClient
    from modelarts.session import Session

    Session.set_endpoint(iam_endpoint="***", obs_endpoint="***", modelarts_endpoint="***", region_name="cn-north-4")
    session = Session(access_key="AK", secret_key="SK", project_id="***", region_name="cn-north-4")
    other = Session(account="a", username="u", password="PASS", region_name="cn-north-4")
    session.create_bucket("exec")
    session.create_bucket("gone")
    session.delete_bucket("gone")
    mox.file.set_auth(ak=session.auth.access_key, sk=session.auth.secret_key, server=session.auth.obs_server)
    mox.file.write("obs://exec/a.txt", "by moxing")
    auth = session.auth
    client = ObsClient(auth.access_key, secret_access_key=auth.secret_key, server=auth.obs_server, path_style=True)
    read = client.getObject("exec", "a.txt", loadStreamInMemory=True).body.buffer
    seen = {
        "arguments": sys.argv[1:], "hosts": [session.host, other.host], "region": session.region_name,
        "mine": [name for name in ("access_key", "secret_key") if getattr(session.auth, name) in ("AK", "SK")],
        "servers": [session.auth.iam_server, session.obs_server], "read": read.decode(), "MINE": os.environ["MINE"],
        "files": [item.url for item in other.obs.list("obs://exec/")], "gone": other.obs.exists("obs://gone"),
        "python": sys.executable,
    }
    print(json.dumps(seen))
    sys.exit(7)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("exec") / "state"
    Session.local(place).close()
    yield place
    end_service(place)


def test_a_client_with_credentials_runs_on_this_machine(home: Path, tmp_path: Path):
    (tmp_path / "client.py").write_text("if True:\n" + CLIENT)
    # The environment of the command is not active: `python` is still its interpreter.
    environment = {**os.environ, "MODELARTS_HOME": str(home), "MINE": "1", "PATH": os.defpath}

    ran = subprocess.run(
        [MODELARTS, "local", "exec", "--", "python", "client.py", "--help", "x y"], cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ran.returncode == 7, ran.stderr
    url = daemon.find(home).url
    assert json.loads(ran.stdout) == {
        "arguments": ["--help", "x y"], "hosts": [url, url], "region": "cn-north-4", "mine": [], "servers": [url, url],
        "read": "by moxing", "MINE": "1", "files": ["obs://exec/a.txt"], "gone": False,
        "python": str(Path(sys.executable).with_name("python")),
    }  # fmt: skip
    assert ran.stderr.count("not used") == 1
    assert "SK" not in ran.stderr
    assert "PASS" not in ran.stderr


def test_a_local_session_has_a_client_of_obs_and_its_keys_are_checked(home: Path):
    with Session.local(home) as session:
        client = session.obs_client
        assert client.createBucket("over-http").status == 200
        assert client.putContent("over-http", "a/b", "text").status == 200
        assert [item.url for item in session.obs.list("obs://over-http/", recursive=True)] == ["obs://over-http/a/b"]

        replies = {}
        for name, credentials in (("unknown", "OBS OTHER:x"), ("wrong", "OBS LOCALSERVICE:x"), ("v4", "AWS4-HMAC x")):
            headers = {"Authorization": credentials, "Date": formatdate(usegmt=True)}
            reply = requests.get(f"{session.host}/over-http", headers=headers, timeout=10)
            replies[name] = (reply.status_code, re.findall("<Code>(.*)</Code>", reply.text))
    assert replies == {
        "unknown": (403, ["InvalidAccessKeyId"]), "wrong": (403, ["SignatureDoesNotMatch"]),
        "v4": (501, ["NotImplemented"]),
    }  # fmt: skip


def test_a_program_that_cannot_be_started_is_reported():
    ran = CliRunner().invoke(cli, ["local", "exec", "pythonic"])

    assert ran.exit_code == 127
    assert "'pythonic' cannot be started: No such file or directory" in ran.output


def test_scripts_read_the_region_that_they_or_the_environment_give(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_MODE", "local")
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    with Session() as session:
        assert session.region_name == "local"
    monkeypatch.setenv("REGION_NAME", "cn-north-4")

    with Session() as session, Session(region_name="cn-east-3") as other:
        assert (session.region_name, other.region_name) == ("cn-north-4", "cn-east-3")


def test_copies_of_what_has_a_session_share_it(home: Path):
    import copy
    import pickle

    from modelarts.estimator import Estimator

    with Session.local(home) as session:
        estimator = Estimator(session, hyperparameters={"rate": 1}, code_dir="/bucket/code/")

        copied = copy.deepcopy(estimator)
        copied.hyperparameters["rate"] = 2

        assert copied.modelarts_session is session
        assert estimator.hyperparameters == {"rate": 1}
        assert copy.copy(session) is session
        with pytest.raises(TypeError, match="cannot be pickled; pass job_id and version_id"):
            pickle.dumps(estimator)
