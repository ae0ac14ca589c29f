"""Clients of OBS and S3 in jobs: the address and the keys in their environment, while the job runs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket

import pytest

from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.support import examples
from tests.support.jobs import estimator, put_code, shared, until

BOTO3 = """
import os, boto3
address = os.environ["S3_ENDPOINT"]
s3 = boto3.client("s3", endpoint_url="http://" + address)
s3.put_object(Bucket="bucket", Key="s3/a b.txt", Body=b"by boto3")
print("READ", s3.get_object(Bucket="bucket", Key="data/rows.csv")["Body"].read())
open("large", "wb").write(bytes(9 << 20))
s3.upload_file("large", "bucket", "s3/large")
s3.download_file("bucket", "s3/large", "copy")
print("SAME", open("copy", "rb").read() == open("large", "rb").read())
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix="s3/", PaginationConfig={"PageSize": 1})
print("KEYS", [found["Key"] for page in pages for found in page.get("Contents", [])])
with_tls = boto3.client("s3", endpoint_url="https://" + address, verify=False)
with_tls.put_object(Bucket="bucket", Key="s3/tls", Body=b"over TLS")
s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "s3/large"}]})
"""
ESDK = """
import json, os, sys, time
from obs import ObsClient
names = ("MINER_USER_ACCESS_KEY", "MINER_USER_SECRET_ACCESS_KEY", "MINER_OBS_URL")
key, secret, address = map(os.environ.get, names)
names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "S3_ENDPOINT")
assert [key, secret, address] == [os.environ[name] for name in names]
client = ObsClient(key, secret, server=address)  # with TLS, as it is by default
assert client.putContent("bucket", "esdk/a", "by esdk").status == 200
print("READ", client.getObject("bucket", "data/rows.csv", loadStreamInMemory=True).body.buffer)
assert client.getObject("bucket", "esdk/none").errorCode == "NoSuchKey"
assert ObsClient(key, "x", server=address).listObjects("bucket").errorCode == "SignatureDoesNotMatch"
folder = sys.argv[1]
with open(f"{folder}/keys.part", "w") as file:
    json.dump([key, secret, address], file)
os.rename(f"{folder}/keys.part", f"{folder}/keys")
while not os.path.exists(f"{folder}/gate"):
    time.sleep(0.02)
print("STATUS", client.putContent("bucket", "esdk/after", "after a restart").status)
raise ValueError("the keys are " + secret)
"""
XGBOOST = {"framework_type": "XGBoost-Sklearn", "framework_version": "XGBoost-0.80-Sklearn-0.18.1-python3.6"}


def test_boto3_reads_and_writes_with_its_default_signatures(session: Session, tmp_path):
    put_code(session, tmp_path, BOTO3)

    job = estimator(session).fit(inputs="/bucket/data/")
    assert job.wait(timeout=100, show=False).status == 10, examples.log_of(job)

    log = examples.log_of(job)
    assert "READ b'1,2\\n'\n" in log and "SAME True\n" in log
    assert "KEYS ['s3/a b.txt', 's3/large']\n" in log
    assert names_in(session, "s3") == ["a b.txt", "tls"]


def test_a_log_shows_no_secret_even_if_it_is_written_in_pieces(session: Session, tmp_path):
    script = """
import os, sys, time
secret = os.environ["AWS_SECRET_ACCESS_KEY"]
for length in (1, 7, 39):
    for piece in ("<", secret[:length], secret[length:], ">", secret, secret[:3]):
        sys.stdout.write(piece)
        sys.stdout.flush()
        time.sleep(0.02)  # the supervisor reads it
"""
    put_code(session, tmp_path, script)
    job = estimator(session).fit(inputs="/bucket/data/")
    assert job.wait(timeout=60, show=False).status == 10

    (shown,) = re.findall("^<.*$", examples.log_of(job), re.MULTILINE)
    assert re.fullmatch(r"(<\*{4}>\*{4}[0-9a-f]{3}){3}", shown), shown


def test_keys_work_until_the_job_ends_also_after_a_restart_of_the_service(session: Session, home, tmp_path):
    folder = shared(home) / "exchange"
    folder.mkdir()
    put_code(session, tmp_path, ESDK.replace("sys.argv[1]", repr(str(folder))))
    job = estimator(session, **XGBOOST).fit(inputs="/bucket/data/")
    key, secret, address = json.loads(until((folder / "keys").exists, 60) and (folder / "keys").read_text())
    assert status(key, secret, address) == 200

    os.kill(daemon.find(home).pid, signal.SIGKILL)
    until(lambda: daemon.find(home) is None)
    assert job.get_job_info().status == 8
    (folder / "gate").touch()
    with pytest.raises(Exception, match=r"ValueError: the keys are \*\*\*\*"):
        job.wait(timeout=60, show=False)

    assert "STATUS 200\n" in examples.log_of(job)
    assert status(key, secret, address) == 403
    assert names_in(session, "esdk") == ["a", "after"]
    written = LocalHome.of(home).service_log.read_text() + examples.log_of(job)
    assert secret not in written
    assert secret not in json.dumps(job.get_job_info())


def names_in(session: Session, folder: str) -> list[str]:
    return sorted(item.url.rpartition("/")[2] for item in session.obs.list(f"obs://bucket/{folder}/"))


def status(key: str, secret: str, address: str) -> int:
    """The status of a list of the objects of a bucket."""
    from obs import ObsClient

    client = ObsClient(key, secret, server=f"http://{address}")
    try:
        return int(client.listObjects("bucket").status)
    finally:
        client.close()


def test_another_port_is_used_if_the_last_one_is_taken(home, tmp_path):
    with Session.local(home):
        before = json.loads(LocalHome.of(home).storage.read_text())["port"]
        daemon.stop(home)
    with socket.create_server(("127.0.0.1", before)), Session.local(home):
        assert json.loads(LocalHome.of(home).storage.read_text())["port"] != before
        assert re.fullmatch(r"\{\"port\": \d+\}", LocalHome.of(home).storage.read_text())
