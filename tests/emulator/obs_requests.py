"""Settings of sessions for the emulator, and signed requests to OBS."""

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
    warnings.simplefilter("ignore")  # invalid escape sequences in its patterns
    from obs import ObsClient
    from obs.auth import Authentication
    from obs.convertor import Adapter

from tests.emulator.cloud_client import CloudClient

# Warnings of the package `esdk-obs-python`: its dates, and broken connections that it does not close.
IGNORED_WARNINGS = [
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning:obs"),
    pytest.mark.filterwarnings("ignore:unclosed <s(ocket.|sl.SSL)socket:ResourceWarning"),
]

__all__ = ["IGNORED_WARNINGS", "ObsClient", "assert_obs_error", "environment", "http_date", "keys_in", "signed"]


def environment(cloud: CloudClient) -> dict[str, str]:
    """The environment variables of a session for the emulator, without credentials."""
    url = cloud.address.url
    return {
        "MODELARTS_ENDPOINT": url,
        "MODELARTS_IAM_ENDPOINT": url,
        "MODELARTS_OBS_ENDPOINT": url,
        "MODELARTS_CA_BUNDLE": cloud.address.ca_bundle,
        "HUAWEICLOUD_SDK_REGION": cloud.address.region_name,
    }


def http_date(timestamp: datetime | None = None) -> str:
    return format_datetime(timestamp or datetime.now(timezone.utc), usegmt=True)


def signed(
    cloud: CloudClient, method: str, bucket: str = "", key: str = "",
    parameters: Mapping[str, str | None] | None = None, headers: Mapping[str, str] | None = None, body: bytes = b"",
    keys: tuple[str, str] | None = None, dialect: str = "v2",
) -> requests.PreparedRequest:  # fmt: skip
    """A request signed by `esdk-obs-python`, ready to be sent unchanged."""
    access_key, secret_key = keys or (cloud.account.access_key, cloud.account.secret_key)
    sent = {"Date": http_date(), **(headers or {})}
    signer = Authentication(access_key, secret_key, True, Adapter(dialect), "127.0.0.1", False)
    sent.update(signer.doAuth(method, bucket, key, parameters or {}, sent))
    sent.pop("CanonicalString")
    path = "/".join(["", *filter(None, [bucket, quote(key, "/~")])]) or "/"
    query = "&".join(name if text is None else f"{name}={quote(text)}" for name, text in (parameters or {}).items())
    request = requests.Request(method, cloud.address.url, headers=sent, data=body).prepare()
    request.url = f"{cloud.address.url}{path}{f'?{query}' if query else ''}"
    return request


def keys_in(result: Any) -> list[str]:
    """The keys of one page of a list, in their order."""
    return [found.key for found in result.body.contents]


def assert_obs_error(reply: requests.Response, status: int, code: str) -> str:
    """Check an error in the documented format, and return its message."""
    assert reply.headers["Content-Type"] == "application/xml"
    error = ElementTree.fromstring(reply.content)
    found = (reply.status_code, error.tag, error.findtext("Code"))
    assert found == (status, "Error", code), reply.text
    assert error.findtext("RequestId") == reply.headers["x-obs-request-id"]
    return error.findtext("Message") or ""
