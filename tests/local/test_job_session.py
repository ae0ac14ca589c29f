"""`Session()` inside a job: a token of the job's own, which ends with it, and buckets."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest
import requests

from modelarts._wire import bucket_keys
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.emulator.obs_requests import IGNORED_WARNINGS, ObsClient
from tests.support.jobs import estimator, put_code, shared, until

pytestmark = IGNORED_WARNINGS

SCRIPT = """
import json, os, sys, time
from modelarts.estimator import Estimator
from modelarts.session import Session
print("ADDRESS", open(os.environ["MODELARTS_JOB_SESSION"]).read(), flush=True)
while not os.path.exists({gate!r}):
    time.sleep(0.02)
session = Session()
session.obs.upload_file(__file__, "obs://bucket/output/")
print("LOADED", [name for name in ("requests", "urllib3", "werkzeug", "sqlite3") if name in sys.modules], flush=True)
print("JOBS", Estimator.get_job_list(session)["job_total_count"], session.host, flush=True)
"""


def call(address: dict, token: str) -> int:
    url = f"{address['url']}/v1/{address['project_id']}/training-jobs"
    return requests.get(url, headers={"X-Auth-Token": token}, timeout=10).status_code


def list_bucket(address: dict, token: str) -> int:
    """The HTTP status of a list with the access keys that belong to a token."""
    keys = bucket_keys.access_key_of(token), bucket_keys.secret_key_of(token)
    return int(ObsClient(*keys, server=address["url"], path_style=True).listObjects("bucket").status)


@pytest.mark.parametrize("isolation", ["auto", "off"])
def test_a_job_has_a_token_of_its_own_that_ends_with_it(home, tmp_path, monkeypatch, isolation):
    monkeypatch.setenv("MODELARTS_LOCAL_ISOLATION", isolation)
    gate = shared(home) / "gate"
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, SCRIPT.format(gate=str(gate)))
        job = estimator(session).fit(inputs="/bucket/data/")
        log = f"job-{job.job_name}.0"
        found = until(lambda: re.search("^ADDRESS (.*)$", job.get_job_log(log).content, re.MULTILINE))
        address = json.loads(found[1])
        own, other = address["token"], address["token"].replace(f"{job.version_id}.", "77.")

        assert own != daemon.find(home).token
        assert (call(address, own), call(address, other), call(address, own + "x")) == (200, 401, 401)
        assert [list_bucket(address, token) for token in (own, other, own + "x")] == [200, 403, 403]
        gate.touch()
        assert job.wait(timeout=60, show=False).status == 10
        assert (call(address, own), list_bucket(address, own)) == (401, 403)

        assert f"LOADED []\nJOBS 1 {session.host}" in job.get_job_log(log).content  # buckets need no HTTP
        assert session.obs.is_obs_path_exists("obs://bucket/output/train.py")


def test_a_job_finds_its_service_again_after_a_restart(session, home, tmp_path):
    gate = shared(home) / "gate"
    put_code(session, tmp_path, SCRIPT.format(gate=str(gate)))
    job = estimator(session).fit(inputs="/bucket/data/")
    log = f"job-{job.job_name}.0"
    until(lambda: "ADDRESS" in job.get_job_log(log).content)
    before = daemon.find(home)

    os.kill(before.pid, signal.SIGKILL)
    until(lambda: daemon.find(home) is None)
    with Session.local(home) as again:
        gate.touch()

        assert job.wait(timeout=60, show=False).status == 10
        assert f"JOBS 1 {again.host}" in job.get_job_log(log).content
        assert again.host != before.url


def test_only_the_user_reads_the_token_of_a_job(shared_session, shared_home, tmp_path):
    put_code(shared_session, tmp_path, "")
    job = estimator(shared_session).fit(inputs="/bucket/data/", wait=True)
    folder = LocalHome.of(shared_home).job(job.version_id)

    assert folder.session.stat().st_mode & 0o077 == 0
    token = json.loads(folder.session.read_text())["token"]
    for file in (folder.spec, folder.log(0), LocalHome.of(shared_home).service_log):
        assert token not in file.read_text(), file
