"""What goes wrong on the way to OBS is said in a sentence that tells what to do, and no secret is in it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCESS_KEY, SECRET_KEY, TOKEN
from fault_proxy import MARK, CutBody, CutReply, FaultProxy, Reply, Request, Stall, error_reply
from large import PART
from programs import Programs

from modelarts._auth.signing import AkSkAuth, TokenAuth
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.paths import PART as PARTIAL
from modelarts._transport.options import TransportOptions
from modelarts.errors import ConfigError, ObsError
from tests.support.cases import case

# --- errors

ERROR_REPLIES = [
    (error_reply(404, "NoSuchBucket"), r"there is no bucket '{}'; create it with session\.obs\.create_bucket", "0015"),
    (error_reply(403, "AccessDenied"), r"cannot upload to obs://{}/small\.txt: AccessDenied: simulated \(HTTP 403, "
     r"request id R1\)\. The user has no permission for this; grant it in IAM", "1003"),
    (error_reply(403, "InvalidAccessKeyId"), "Check access_key and secret_key of the session; temporary keys", "1003"),
    (error_reply(403, "SignatureDoesNotMatch"), "Check access_key and secret_key of the session", "1003"),
    (error_reply(403, "ExpiredToken"), "The temporary keys have expired.* with a password gets them by itself", "1003"),
    (error_reply(403, "RequestTimeTooSkewed"), "The clock of this machine is wrong", "1003"),
    (error_reply(403, "SomethingNew", "Not today."), r"SomethingNew: Not today \(HTTP 403, request id R1\)\.", "1003"),
    (error_reply(400, "InvalidArgument", "Bad thing"), "InvalidArgument: Bad thing", "1002"),
    (error_reply(301, "PermanentRedirect"), "The bucket is in another region. Check region_name", "1002"),
    (Reply(307, b"", {"Location": "http://127.0.0.1:9/"}), "The bucket is in another region", "1002"),
    (error_reply(403, "QuotaExceeded"), "The quota of the bucket is used up", "1003"),
    (error_reply(503, "SlowDown"), r"SlowDown: simulated .*OBS is overloaded or unavailable; call again later", "1002"),
    (Reply(502, b"<html>"), "OBS refused without a reason.*OBS is overloaded or unavailable", "1002"),
    (Reply(405, b"<html>"), r"OBS refused without a reason \(HTTP 405\)\. Is http://127\.0\.0\.1:\d+ the address "
     "of OBS", "1002"),
]  # fmt: skip


def test_an_error_says_what_to_do(obs: HuaweiBuckets, bucket: str, small: Path, proxy: FaultProxy):
    for answer, sentence, code in ERROR_REPLIES:
        proxy.rule = lambda request, answer=answer: answer if request.method == "PUT" else None
        with case(sentence):
            with pytest.raises(ObsError, match=sentence.format(bucket)) as caught:
                obs.upload_file(small, f"obs://{bucket}/")

            assert caught.value.error_code == f"ModelArts.{code}"
            assert isinstance(caught.value, OSError)


def test_the_reason_of_a_refusal_without_a_body_is_requested(
    obs: HuaweiBuckets, bucket: str, proxy: FaultProxy, local: Path
):
    proxy.rule = lambda request: Reply(403) if request.method == "HEAD" else error_reply(403, "InvalidAccessKeyId")

    with pytest.raises(ObsError, match=r"InvalidAccessKeyId.*Check access_key") as caught:
        obs.download_file(f"obs://{bucket}/a.txt", ".")

    assert caught.value.error_code == "ModelArts.1003"


def test_an_object_that_may_not_be_read_is_a_refusal(
    obs: HuaweiBuckets, bucket: str, proxy: FaultProxy
):
    proxy.rule = lambda request: Reply(403) if request.method == "HEAD" else None

    with pytest.raises(ObsError, match=f"cannot look for obs://{bucket}/a.txt: OBS refused .* has no permission"):
        obs.is_obs_path_exists(f"obs://{bucket}/a.txt")


@pytest.mark.parametrize(("language", "sentence"), [
    ("en", r"This machine's clock is \d+ h \d+ min \d+ s ahead of the service's: correct it\."),
    ("zh", r"本机时钟比服务端快 \d+ 小时 \d+ 分 \d+ 秒，请校准。"),
])  # fmt: skip
def test_the_error_of_a_wrong_clock_says_by_how_much(
    obs: HuaweiBuckets, bucket: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
):
    monkeypatch.setenv("MODELARTS_LANG", language)
    said = error_reply(403, "RequestTimeTooSkewed")
    proxy.rule = lambda request: Reply(403, said.body, {**said.headers, "Date": "Tue, 01 Jan 2019 00:00:00 GMT"})

    with pytest.raises(ObsError, match=sentence):
        obs.list(f"obs://{bucket}/")


def test_a_bucket_of_another_account_is_reported(obs: HuaweiBuckets, proxy: FaultProxy):
    hidden, taken = Reply(403, headers=MARK), error_reply(409, "BucketAlreadyExists")
    proxy.rule = lambda request: hidden if request.method == "HEAD" else taken

    with pytest.raises(ObsError, match=r"bucket 'taken-name'.*unique across accounts\. Choose another"):
        obs.create_bucket("taken-name")


def test_a_bucket_created_meanwhile_is_accepted(obs: HuaweiBuckets, proxy: FaultProxy):
    gone, made = Reply(404, headers=MARK), error_reply(409, "BucketAlreadyOwnedByYou")
    proxy.rule = lambda request: gone if request.method == "HEAD" else made

    obs.create_bucket("just-made")

    assert [request.method for request in proxy.seen] == ["HEAD", "PUT"]


def test_keys_refused_while_a_large_body_is_sent_are_reported(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy
):
    (local / "body.bin").write_bytes(bytes(PART))
    proxy.rule = lambda request: CutBody(10) if request.method == "PUT" else error_reply(403, "InvalidAccessKeyId")

    with pytest.raises(ObsError, match="InvalidAccessKeyId"):
        obs.upload_file("body.bin", f"obs://{bucket}/")


def test_objects_that_could_not_be_deleted_are_named(
    obs: HuaweiBuckets, bucket: str, small: Path, proxy: FaultProxy
):
    obs.upload_file(small, f"obs://{bucket}/dir")
    error = "<Error><Key>dir/small.txt</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    headers = {"Content-Type": "application/xml", **MARK}
    answer = Reply(200, f"<DeleteResult>{error * 2}</DeleteResult>".encode(), headers)
    proxy.rule = lambda request: answer if request.method == "POST" else None

    with pytest.raises(ObsError, match=r"cannot delete 'dir/small\.txt' and 1 more: AccessDenied: no"):
        obs.delete(f"obs://{bucket}/dir", recursive=True)


# --- the network


def unreachable(address: str, auth: Any, tmp_path: Path, **options: Any) -> HuaweiBuckets:
    return HuaweiBuckets(address, auth, tmp_path / "state", TransportOptions(**options))


def test_an_address_where_nothing_listens_is_reported(auth: AkSkAuth, small: Path, tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        obs = unreachable(f"http://127.0.0.1:{taken.getsockname()[1]}", auth, tmp_path)

        with pytest.raises(ObsError, match=r"http://127\.0\.0\.1:\d+: cannot connect\. Check the network"):
            obs.upload_file(small, "obs://bucket/")


def test_an_unknown_host_name_is_reported(auth: AkSkAuth, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def unknown(*_: Any, **__: Any) -> Any:
        asked.append(True)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    obs = unreachable("https://obs.cn-nowhere-1.example.com", auth, tmp_path)

    with pytest.raises(ObsError, match=r"unknown host name\. Check region_name of the session"):
        obs.upload_file(small, "obs://bucket/")

    assert len(asked) <= 2  # it is not tried again; the address may be asked for the version that it speaks


def test_a_missing_reply_is_reported_as_a_timeout(auth: AkSkAuth, small: Path, tmp_path: Path, proxy: FaultProxy):
    proxy.rule = lambda request: Stall()
    obs = unreachable(proxy.url, auth, tmp_path, read_timeout=0.1)

    with pytest.raises(ObsError, match=r"no reply in time\. Check .* a slow one needs a longer read_timeout"):
        obs.upload_file(small, "obs://bucket/")

    assert len(proxy.seen) == 6
    obs.close()


def test_a_connection_that_is_always_lost_is_reported(obs: HuaweiBuckets, bucket: str, small: Path, proxy: FaultProxy):
    proxy.rule = lambda request: CutReply()

    with pytest.raises(ObsError, match=r"the connection was lost \(.*\)\. Call again"):
        obs.upload_file(small, f"obs://{bucket}/")

    assert len(proxy.requests_of("PUT")) == 6


def test_idle_connections_that_were_closed_are_replaced(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy
):
    (local / "data").mkdir()
    for number in range(30):
        (local / "data" / f"{number}.txt").write_text(str(number))
    obs.upload_dir("data", f"obs://{bucket}/")
    proxy.seen.clear()

    proxy.break_connections()
    obs.upload_dir("data", f"obs://{bucket}/again/")

    assert len(proxy.requests_of("PUT")) == 30
    assert len(obs.list(f"obs://{bucket}/again/data/")) == 30


# --- stopping


def test_the_failure_of_one_file_is_reported_while_a_large_one_begins(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("modelarts._transport.transport._FIRST_PAUSE", 0.2)
    (local / "data").mkdir()
    (local / "data" / "a.txt").write_text("a")
    (local / "data" / "b.bin").write_bytes(bytes(3 * PART))
    proxy.rule = lambda request: (
        error_reply(403, "AccessDenied") if request.key.endswith("a.txt") else Reply(503) if request.key else None
    )

    with pytest.raises(ObsError, match=r"a\.txt: AccessDenied"):
        obs.upload_dir("data", f"obs://{bucket}/")


def test_a_failure_cancels_the_other_files_soon(obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy):
    (local / "data").mkdir()
    for number in range(200):
        (local / "data" / f"{number:03}.txt").write_text(str(number))
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if request.key.endswith("005.txt") else None

    with pytest.raises(ObsError, match=r"005\.txt: AccessDenied"):
        obs.upload_dir("data", f"obs://{bucket}/")

    assert len(proxy.seen) < 60
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("modelarts-obs")]


def test_a_stalled_transfer_does_not_delay_ctrl_c(
    bucket: str, local: Path, proxy: FaultProxy, tmp_path: Path
):
    for number in range(20):
        (local / f"{number}.txt").write_text(str(number))
    proxy.rule = lambda request: Stall()
    program = f"""
        from pathlib import Path
        from modelarts._auth.signing import AkSkAuth
        from modelarts._obs.cloud.buckets import HuaweiBuckets
        HuaweiBuckets({proxy.url!r}, AkSkAuth("A", "S"), Path({str(tmp_path)!r})).upload_dir(".", "obs://{bucket}/")
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=local, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not proxy.seen:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)

    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1].decode()  # far below the 60 seconds of a read

    assert said.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


def test_an_interrupted_download_keeps_the_older_file_and_no_incomplete_one(
    obs: HuaweiBuckets, bucket: str, small: Path, local: Path, proxy: FaultProxy
):
    obs.upload_file(small, f"obs://{bucket}/")
    (local / "there.txt").write_text("older")
    proxy.rule = lambda request: CutReply(2) if request.method == "GET" and request.key else None

    with pytest.raises(ObsError, match="the connection was lost"):
        obs.download_file(f"obs://{bucket}/small.txt", "there.txt")

    assert (local / "there.txt").read_text() == "older"
    assert not [path for path in local.rglob("*") if path.name.startswith(PARTIAL)]


@pytest.mark.parametrize("size", [100, 3 * PART])
def test_a_full_disk_is_not_reported_as_a_network_failure(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: FaultProxy, programs: Programs, size: int
):
    (local / "file.bin").write_bytes(os.urandom(size))
    obs.upload_file("file.bin", f"obs://{bucket}/")
    proxy.seen.clear()
    program = f"""
        import resource
        obs = HuaweiBuckets({proxy.url!r}, AkSkAuth("A", "S"), Path("state"), part_size={PART})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size} // 2, -1))
        try:
            obs.download_file("obs://{bucket}/file.bin", "there.bin")
        except ObsError as error:
            print(error)
    """

    said = programs.start(program, local).output()

    assert f"cannot download obs://{bucket}/file.bin: File too large" in said and "Traceback" not in said
    assert not (local / "there.bin").exists()
    assert len(proxy.requests_of("GET", "file.bin")) <= 3


# --- secrets


def test_secrets_are_in_no_message_no_log_and_no_repr(
    proxy: FaultProxy, auth: AkSkAuth, bucket: str, small: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):  # fmt: skip
    caplog.set_level(logging.DEBUG)
    echo = f"{SECRET_KEY} and {TOKEN}"
    body = f"<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message><StringToSign>{echo}</StringToSign></Error>"
    denied = Reply(403, body.encode(), {"Content-Type": "application/xml"})
    answers = [denied, error_reply(503, "SlowDown"), CutBody(1)]
    obs = unreachable(proxy.url, auth, tmp_path)
    said = [repr(obs), repr(obs._client), repr(auth.keys())]

    for answer in answers:
        proxy.rule = lambda request, answer=answer: answer
        try:
            obs.upload_file(small, f"obs://{bucket}/")
        except ObsError as error:
            said += [traceback.format_exc(), repr(error), str(vars(error))]

    said += [caplog.text, *capfd.readouterr()]
    assert len(said) == 3 + 3 * len(answers) + 3
    assert not [text for text in said if SECRET_KEY in text or TOKEN in text]
    sent = proxy.seen[-1].headers
    assert sent["x-amz-security-token"] == TOKEN and ACCESS_KEY in sent["authorization"]
    obs.close()


def test_secrets_that_a_refusal_quotes_are_redacted(proxy: FaultProxy, auth: AkSkAuth, small: Path, tmp_path: Path):
    def quote(request: Request) -> Reply:
        return error_reply(403, "AccessDenied", f"got {SECRET_KEY} {TOKEN} {request.headers['authorization']}")

    proxy.rule = quote
    obs = unreachable(proxy.url, auth, tmp_path)

    with pytest.raises(ObsError, match=r"AccessDenied: got \*\*\*\* \*\*\*\*") as caught:
        obs.upload_file(small, "obs://bucket/")

    signature = proxy.seen[-1].headers["authorization"].partition(":")[2]
    assert not [secret for secret in (SECRET_KEY, TOKEN, signature) if secret in str(caught.value)]
    obs.close()


def test_a_session_without_keys_says_so(proxy: FaultProxy, small: Path, tmp_path: Path):
    obs = unreachable(proxy.url, TokenAuth("a token"), tmp_path)

    with pytest.raises(ConfigError, match="no access keys; buckets in the cloud need keys"):
        obs.upload_file(small, "obs://bucket/")


# --- local buckets


def test_a_local_copy_that_cannot_be_written_stops_the_others(local: Path):
    obs = LocalBuckets(local / "buckets")
    obs.create_bucket("bucket")
    (local / "data").mkdir()
    for number in range(50):
        (local / "data" / f"{number:02}").write_text("text")
    obs.create_directory("obs://bucket/data/07/")

    with pytest.raises(ObsError, match="cannot upload to obs://bucket/data/07: obs://bucket/data/07/ is a folder"):
        obs.upload_dir("data", "obs://bucket/")

    assert len(obs.list("obs://bucket/data/")) < 40
