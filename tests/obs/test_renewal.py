"""Temporary keys that have ended are renewed, once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import MARK, FaultProxy, Reply, Rule, error_reply

from modelarts._auth.signing import Keys
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._transport.options import TransportOptions
from modelarts.errors import ObsError
from tests.support.cases import case


def buckets(proxy: FaultProxy, auth: Any, tmp_path: Path) -> HuaweiBuckets:
    return HuaweiBuckets(proxy.url, auth, tmp_path / "state", TransportOptions())


class Renewed:
    """Keys that change when they are asked to."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)

    def keys(self, refused: Keys | None = None) -> Keys:
        if refused is not None and refused.access_key == self.names[0]:
            self.renew()
        return Keys(self.names[0], "secret", "token")

    def renew(self) -> bool:
        if len(self.names) > 1:
            self.names.pop(0)
        return True

    def apply(self, *_: Any) -> None: ...


# Calls whose first request is a HEAD: its refusal has no body, and so no code.
HEADS: dict[str, Callable[[HuaweiBuckets, str], Any]] = {
    "is_obs_path_exists": lambda obs, bucket: obs.is_obs_path_exists(f"obs://{bucket}/small.txt"),
    "create_bucket": lambda obs, bucket: obs.create_bucket(bucket),
    "download_file": lambda obs, bucket: obs.download_file(f"obs://{bucket}/small.txt", "there.txt"),
}


def refusal(status: int, code: str) -> Rule:
    return lambda request: (
        None if "NEW" in request.headers["authorization"]
        else Reply(status, headers=MARK) if request.method == "HEAD" else error_reply(status, code)
    )  # fmt: skip


@pytest.mark.parametrize("call", HEADS)
def test_keys_refused_in_a_head_request_are_renewed(
    obs: HuaweiBuckets, proxy: FaultProxy, bucket: str, small: Path, tmp_path: Path, call: str
):
    obs.upload_file(small, f"obs://{bucket}/")
    for status in (400, 401, 403):
        for code in ("InvalidAccessKeyId", "ExpiredToken", "InvalidToken"):
            renewing = buckets(proxy, Renewed("ENDED", "NEW"), tmp_path)
            proxy.rule = refusal(status, code)
            with case(status, code):
                assert HEADS[call](renewing, bucket) is not False
            renewing.close()


def test_a_head_request_refused_for_another_reason_is_not_repeated(
    proxy: FaultProxy, bucket: str, tmp_path: Path
):
    obs = buckets(proxy, Renewed("FIRST", "SECOND"), tmp_path)
    proxy.rule = lambda request: (
        Reply(403, headers=MARK) if request.method == "HEAD" else error_reply(403, "AccessDenied")
    )

    with pytest.raises(ObsError, match=r"AccessDenied.*The user has no permission"):
        obs.is_obs_path_exists(f"obs://{bucket}/small.txt")

    assert [request.method for request in proxy.seen] == ["HEAD", "GET"]
    obs.close()


def test_new_keys_are_used_from_the_next_request_on(proxy: FaultProxy, bucket: str, small: Path, tmp_path: Path):
    auth = Renewed("FIRST", "SECOND")
    obs = buckets(proxy, auth, tmp_path)

    obs.upload_file(small, f"obs://{bucket}/")
    auth.renew()
    obs.upload_file(small, f"obs://{bucket}/")

    used = [request.headers["authorization"].split()[1].partition(":")[0] for request in proxy.requests_of("PUT")]
    assert used[-2:] == ["FIRST", "SECOND"]
    obs.close()


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "ExpiredToken"])
def test_expired_keys_are_renewed_once(
    proxy: FaultProxy, bucket: str, small: Path, tmp_path: Path, code: str
):
    obs = buckets(proxy, Renewed("ENDED", "NEW"), tmp_path)
    refused = error_reply(403, code)
    proxy.rule = lambda request: refused if "ENDED" in request.headers["authorization"] else None

    obs.upload_file(small, f"obs://{bucket}/")
    proxy.rule = lambda request: refused
    proxy.seen.clear()
    with contextlib.suppress(ObsError):
        obs.upload_file(small, f"obs://{bucket}/")

    assert len(proxy.requests_of("PUT")) == 1  # there are no others to try
    obs.close()


