"""Signatures equal those of Huawei's general SDK, byte for byte, over generated requests."""

from __future__ import annotations

import warnings
from urllib.parse import quote, urlencode

from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelarts._auth.signing import AkSkAuth
from tests.support.hypothesis_examples import part_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own dependencies
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer

AK, SK, HOST, DATE = "AKEXAMPLE", "the secret key", "modelarts.cn-north-4.myhuaweicloud.com", "20260101T000000Z"
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
PAIRS = st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=5)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"])


LONG = st.builds(lambda part, times: part * times, st.binary(max_size=99), st.integers(0, 9999))
BODIES = st.binary(max_size=2000) | LONG


def headers(project: str, token: str) -> dict[str, str]:
    sent = {"Content-Type": "application/json", "Host": HOST, "X-Sdk-Date": DATE, "X-Project-Id": project}
    return {**sent, "X-Security-Token": token} if token else sent


def theirs(method: str, path: str, pairs: list[tuple[str, str]], sent: dict[str, str], body: bytes) -> str:
    request = SdkRequest(
        method=method, schema="https", host=HOST, resource_path=path, query_params=list(pairs),
        header_params=dict(sent), body=body,
    )  # fmt: skip
    return Signer(BasicCredentials(AK, SK)).sign(request).header_params["Authorization"]


@settings(deadline=None, derandomize=True, max_examples=part_of(400))
@given(METHODS, st.lists(TEXT, min_size=1, max_size=5), PAIRS, st.sampled_from(["", "token"]), BODIES)
@example("GET", ["v1", "训练 作业", "a+b%2F~"], [("b", ""), ("a", "2"), ("a", "1"), ("空", " &=")], "", b"")
@example("POST", ["v1"], [], "token", b"x" * (12 * 1024 * 1024))
def test_signatures_are_those_of_the_general_sdk(method, segments, pairs, token, body):
    path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    query = urlencode(sorted(pairs), quote_via=quote, safe="~")
    sent = headers("p" * 32, token)

    ours = AkSkAuth(AK, SK).authorization(method, path, query, dict(sent), body)

    assert ours == theirs(method, path, pairs, sent, body)
