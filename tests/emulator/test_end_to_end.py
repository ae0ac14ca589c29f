"""The same code as in the cloud trains here: `Session` with keys or a password, over TLS, on signed requests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
import requests

from modelarts._obs.local.buckets import LocalBuckets
from modelarts.errors import AuthError
from modelarts.local import daemon
from modelarts.local.emulator.iam import accounts
from modelarts.local.paths import LocalHome, write_private
from modelarts.session import Session
from tests.emulator.signing import Caller
from tests.support.jobs import estimator, put_code, until

SCRIPT = """
    import argparse, pathlib
    from modelarts.session import Session

    parser = argparse.ArgumentParser()
    for name in ("data_url", "train_url", "init_method", "lr"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    pathlib.Path("model.txt").write_text(given.lr)
    Session().obs.upload_file("model.txt", given.train_url)
    print("trained with", given.lr)
"""


@pytest.fixture
def buckets(iam_home: Path, tmp_path: Path) -> LocalBuckets:
    """Buckets of the service with a script and data in them."""
    made = LocalBuckets(LocalHome.of(iam_home).buckets)
    made.create_bucket("bucket")
    put_code(SimpleNamespace(obs=made), tmp_path, SCRIPT)  # type: ignore[arg-type]
    return made


@pytest.fixture
def region(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> str:
    """A region whose endpoints are the service's, and a client that trusts its certificate."""
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", caller.address.ca_bundle)
    name = caller.address.region_name
    Session.set_endpoint(caller.address.url, caller.address.url, caller.address.url, name)
    return name


@pytest.fixture(params=["keys", "keys without a project", "temporary keys", "password"])
def session(request: pytest.FixtureRequest, caller: Caller, region: str):
    """A session as it is made for the cloud."""
    account, temporary = caller.account, caller.temporary_keys()
    keys = {"access_key": account.access_key, "secret_key": account.secret_key}
    login = {
        "keys": {**keys, "project_id": account.project_id},
        "keys without a project": keys,
        "temporary keys": {
            "access_key": temporary["access"], "secret_key": temporary["secret"],
            "security_token": temporary["securitytoken"], "project_id": account.project_id,
        },
        "password": {"account": account.account, "username": account.username, "password": account.password},
    }[request.param]  # fmt: skip
    with Session(region_name=region, **login) as opened:
        yield opened


def test_code_for_the_cloud_trains_locally(session: Session, buckets: LocalBuckets, caller: Caller, tmp_path: Path):
    assert (session.project_id, session.host) == (caller.account.project_id, caller.address.url)

    job = estimator(session, hyperparameters={"lr": 0.01}).fit(inputs="/bucket/data/")

    assert job.wait(timeout=30, show=False).status == 10
    (log,) = job.get_job_log_file_list().log_file_list
    assert "trained with 0.01" in job.get_job_log(log).content
    buckets.download_file("obs://bucket/output/model.txt", tmp_path)
    assert (tmp_path / "model.txt").read_text() == "0.01"
    assert job.delete_job().is_success


def test_a_wrong_secret_is_reported(caller: Caller, region: str):
    wrong = {"access_key": caller.account.access_key, "secret_key": "guess", "project_id": caller.account.project_id}
    with Session(region_name=region, **wrong) as session, pytest.raises(AuthError) as refused:
        session.client.call("list_job_engines")

    assert (refused.value.status, refused.value.code) == (401, "ModelArts.0208")


def test_a_wrong_password_is_reported(caller: Caller, region: str):
    login = {"account": caller.account.account, "username": caller.account.username, "password": "guess"}

    with (
        pytest.raises(AuthError, match="The username or password is wrong"),
        Session(region_name=region, **login) as session,
    ):
        session.client.call("list_job_engines")


def test_a_session_by_password_outlives_its_tokens(home: Path, monkeypatch: pytest.MonkeyPatch):
    file = LocalHome.of(home).account
    account = accounts.load_or_create(file)
    write_private(file, {**attrs.asdict(account), "token_lifetime": 0.5})
    address = daemon.ensure(home, daemon.CloudOptions()).iam
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", address.ca_bundle)
    Session.set_endpoint(address.url, address.url, address.url, address.region_name)
    login = {"account": account.account, "username": account.username, "password": account.password}

    with Session(region_name=address.region_name, **login) as session, requests.Session() as http:
        assert session.client.call("list_job_engines").is_success
        caller = Caller(address, account, http)
        token = {"X-Auth-Token": caller.token()}  # younger than the session's
        until(lambda: caller.send("GET", f"{caller.v1}/job/ai-engines", headers=token).status_code == 401)

        assert session.client.call("list_job_engines").is_success
