"""Sessions and bare requests to OBS, as the service that behaves as the cloud does has to take them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import requests

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # some of its patterns are not raw text
    from obs import ObsClient
    from obs.auth import Authentication
    from obs.convertor import Adapter

from tests.emulator.signing import Caller

# What the package does that is not ours to mend: its dates, and what becomes of broken connections.
IGNORED = [
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning:obs"),
    pytest.mark.filterwarnings("ignore:unclosed <s(ocket.|sl.SSL)socket:ResourceWarning"),
]

__all__ = ["IGNORED", "ObsClient", "environment", "keys_in", "now", "refused", "signed"]


def environment(caller: Caller) -> dict[str, str]:
    """The settings that lead a session to the service; they hold no login."""
    url = caller.address.url
    return {
        "MODELARTS_ENDPOINT": url,
        "MODELARTS_IAM_ENDPOINT": url,
        "MODELARTS_OBS_ENDPOINT": url,
        "MODELARTS_CA_BUNDLE": caller.address.ca_bundle,
        "HUAWEICLOUD_SDK_REGION": caller.address.region_name,
    }


def now(timestamp: datetime | None = None) -> str:
    return format_datetime(timestamp or datetime.now(timezone.utc), usegmt=True)


def signed(
    caller: Caller, method: str, bucket: str = "", key: str = "", parameters: Mapping[str, str | None] | None = None,
    headers: Mapping[str, str] | None = None, body: bytes = b"", keys: tuple[str, str] | None = None,
    dialect: str = "v2",
) -> requests.PreparedRequest:  # fmt: skip
    """A request signed by the package of Huawei, ready to be sent as it is."""
    access_key, secret_key = keys or (caller.account.access_key, caller.account.secret_key)
    sent = {"Date": now(), **(headers or {})}
    signer = Authentication(access_key, secret_key, True, Adapter(dialect), "127.0.0.1", False)
    sent.update(signer.doAuth(method, bucket, key, parameters or {}, sent))
    sent.pop("CanonicalString")
    path = "/".join(["", *filter(None, [bucket, quote(key, "/~")])]) or "/"
    query = "&".join(name if text is None else f"{name}={quote(text)}" for name, text in (parameters or {}).items())
    request = requests.Request(method, caller.address.url, headers=sent, data=body).prepare()
    request.url = f"{caller.address.url}{path}{f'?{query}' if query else ''}"
    return request


def keys_in(result: Any) -> list[str]:
    """The keys of one page of a list, as OBS orders them."""
    return [found.key for found in result.body.contents]


def refused(reply: requests.Response, status: int, code: str) -> str:
    """Assert a refusal in its documented shape; its text."""
    assert reply.headers["Content-Type"] == "application/xml"
    error = ElementTree.fromstring(reply.content)
    found = (reply.status_code, error.tag, error.findtext("Code"))
    assert found == (status, "Error", code), reply.text
    assert error.findtext("RequestId") == reply.headers["x-obs-request-id"]
    return error.findtext("Message") or ""
