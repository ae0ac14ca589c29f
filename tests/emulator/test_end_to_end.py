"""Code for the cloud runs unchanged: `Session` with access keys or a password, TLS and signed requests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
import requests

from modelarts._obs.local.buckets import LocalBuckets
from modelarts.environment import Environment
from modelarts.errors import AuthError
from modelarts.estimator import Estimator
from modelarts.local import daemon
from modelarts.local.emulator.iam import accounts
from modelarts.local.paths import LocalHome, write_private
from modelarts.moxing import file as mox
from modelarts.moxing.framework.file import _access
from modelarts.session import Session
from tests.emulator.cloud_client import CloudClient
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
    """The buckets of the service, with a script and data."""
    created = LocalBuckets(LocalHome.of(iam_home).buckets)
    created.create_bucket("bucket")
    put_code(SimpleNamespace(obs=created), tmp_path, SCRIPT)  # type: ignore[arg-type]
    return created


@pytest.fixture
def region(cloud: CloudClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """A region whose endpoints are those of the service, whose certificate is trusted."""
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", cloud.address.ca_bundle)
    name = cloud.address.region_name
    Session.set_endpoint(cloud.address.url, cloud.address.url, cloud.address.url, name)
    return name


def logins(cloud: CloudClient) -> dict[str, dict[str, str]]:
    """The arguments of `Session` for each type of credentials."""
    account, temporary = cloud.account, cloud.temporary_keys()
    keys = {"access_key": account.access_key, "secret_key": account.secret_key}
    return {
        "keys": {**keys, "project_id": account.project_id},
        "keys without a project": keys,
        "temporary keys": {
            "access_key": temporary["access"], "secret_key": temporary["secret"],
            "security_token": temporary["securitytoken"], "project_id": account.project_id,
        },
        "password": {"account": account.account, "username": account.username, "password": account.password},
        "password without an account": {"username": account.account, "password": account.password},
    }  # fmt: skip


def test_every_type_of_credentials_may_write_and_read(buckets: LocalBuckets, cloud: CloudClient, region: str):
    """With all of them, `obs/test_script.py` trains."""
    for name, login in logins(cloud).items():
        with Session(region_name=region, **login) as session:
            assert (session.project_id, session.host) == (cloud.account.project_id, cloud.address.url), name
            config = estimator(session).create_job_configs(name.replace(" ", "-"), inputs="/bucket/data/")
            assert config.get_job_configs_info().is_success, name
            assert config.delete_job_configs().is_success, name


def test_code_for_the_cloud_trains_locally(buckets: LocalBuckets, cloud: CloudClient, region: str, tmp_path: Path):
    with Session(region_name=region, **logins(cloud)["keys without a project"]) as session:
        job = estimator(session, hyperparameters={"lr": 0.01}).fit(inputs="/bucket/data/")

        assert job.wait(timeout=30, show=False).status == 10
        (log,) = job.get_job_log_file_list().log_file_list
        assert "trained with 0.01" in job.get_job_log(log).content
        buckets.download_file("obs://bucket/output/model.txt", tmp_path)
        assert (tmp_path / "model.txt").read_text() == "0.01"
        assert job.delete_job().is_success


def test_moxing_with_keys_in_a_script_trusts_the_same_certificates(
    buckets: LocalBuckets, cloud: CloudClient, region: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_access, "_given", {})
    monkeypatch.setattr(_access, "_opened", (None, None))
    mox.set_auth(ak=cloud.account.access_key, sk=cloud.account.secret_key, server=cloud.address.url)

    mox.write("obs://bucket/by-moxing.txt", "text")

    assert mox.read("s3://bucket/by-moxing.txt") == (buckets.root / "bucket" / "by-moxing.txt").read_text() == "text"


def test_a_wrong_secret_is_reported(cloud: CloudClient, region: str):
    wrong = {"access_key": cloud.account.access_key, "secret_key": "guess", "project_id": cloud.account.project_id}
    with Session(region_name=region, **wrong) as session, pytest.raises(AuthError) as raised:
        session.client.call("list_job_engines")

    assert (raised.value.status, raised.value.code) == (401, "ModelArts.0208")


def test_a_wrong_password_is_reported(cloud: CloudClient, region: str):
    login = {"account": cloud.account.account, "username": cloud.account.username, "password": "guess"}

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
        cloud = CloudClient(address, account, http)
        token = {"X-Auth-Token": cloud.token()}  # issued after the token of the session
        until(lambda: cloud.send("GET", f"{cloud.v1}/job/ai-engines", headers=token).status_code == 401)

        assert session.client.call("list_job_engines").is_success


def test_a_script_is_debugged_where_the_service_is(cloud: CloudClient, region: str, tmp_path: Path) -> None:
    """The flavor `local` is this machine, and so is the service: no other one is started."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.py").write_text("import sys\nopen(sys.argv[-1][12:] + 'model', 'w').close()\n")
    with Session(region_name=region, **logins(cloud)["keys"]) as session:
        debugging = Estimator(
            session, code_dir=f"{tmp_path}/train", boot_file="a.py", train_instance_type="local",
            train_instance_count=1, environment=Environment("bare"), output_path=tmp_path / "out",
        )  # fmt: skip
        info = debugging.fit(job_name="debugging").wait(timeout=60, show=False)
        listed = [row.job_name for row in Estimator.iter_jobs(session)]

    assert info.status == 10
    assert (tmp_path / "out" / "model").exists()
    assert "debugging" in listed
