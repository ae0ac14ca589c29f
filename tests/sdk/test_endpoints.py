"""Regions have documented endpoints; others are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelarts.errors import ConfigError
from modelarts.session import Session
from tests.support.cloud import cloud_session
from tests.support.files import write_json

REGIONS = ("cn-north-1", "cn-north-4", "cn-east-3", "cn-south-1")


ENDPOINTS = {"modelarts": "MODELARTS_ENDPOINT", "iam": "MODELARTS_IAM_ENDPOINT", "obs": "MODELARTS_OBS_ENDPOINT"}


def used(session: Session) -> dict[str, str]:
    """The endpoints of a session."""
    return {service: session._services.url(service) for service in ENDPOINTS}


@pytest.mark.parametrize("region", REGIONS)
def test_a_documented_region_has_its_endpoints(region: str):
    session = cloud_session(region_name=region)

    assert session.host == f"https://modelarts.{region}.myhuaweicloud.com"
    assert used(session) == {service: f"https://{service}.{region}.myhuaweicloud.com" for service in ENDPOINTS}


def test_an_unknown_region_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="region_name='cn-north-9' is unknown") as caught:
        cloud_session(region_name="cn-north-9")

    assert all(region in str(caught.value) for region in REGIONS)
    assert "Session.set_endpoint(…) first" in str(caught.value)
    assert "MODELARTS_ENDPOINT" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("modelarts.example.com", "https://modelarts.example.com"),
        ("https://modelarts.example.com/", "https://modelarts.example.com"),
        ("http://10.0.0.1:8443", "http://10.0.0.1:8443"),
    ],
)
@pytest.mark.parametrize("region", ["eu-de", "cn-north-4"])
def test_given_endpoints_are_used_for_their_region(region: str, given: str, host: str):
    Session.set_endpoint(
        iam_endpoint="iam.example.com", obs_endpoint="obs.example.com", modelarts_endpoint=given, region_name=region
    )

    assert used(cloud_session(region_name=region)) == {
        "modelarts": host, "iam": "https://iam.example.com", "obs": "https://obs.example.com",
    }  # fmt: skip
    assert cloud_session(region_name="cn-north-1").host == "https://modelarts.cn-north-1.myhuaweicloud.com"


@pytest.mark.parametrize("region", ["eu-de", "cn-north-4"])
@pytest.mark.parametrize("where", ["environment", "file"])
def test_endpoints_may_come_from_settings(monkeypatch: pytest.MonkeyPatch, file: Path, region: str, where: str):
    given = {service: f"{service}.example.com" for service in ENDPOINTS}
    if where == "file":
        write_json(file, **{f"{service}_endpoint": host for service, host in given.items()})
    else:
        for service, host in given.items():
            monkeypatch.setenv(ENDPOINTS[service], host)

    assert used(cloud_session(region_name=region)) == {service: f"https://{host}" for service, host in given.items()}

    Session.set_endpoint("iam.x", "obs.x", "modelarts.x", region)
    assert cloud_session(region_name=region).host == "https://modelarts.x"


def test_an_unknown_endpoint_is_reported_only_when_it_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_ENDPOINT", "modelarts.example.com")

    assert cloud_session(region_name="eu-de").host == "https://modelarts.example.com"
    with pytest.raises(ConfigError, match=r"iam_endpoint is missing.*MODELARTS_IAM_ENDPOINT"):
        cloud_session(region_name="eu-de", project_id="")


def test_an_invalid_endpoint_is_refused_at_once():
    with pytest.raises(ConfigError, match=r"iam_endpoint='a b' \(argument\): write a host"):
        Session.set_endpoint("a b", "obs.example.com", "modelarts.example.com", "eu-de")


@pytest.mark.parametrize("given", ["eu-de", " eu-de ", "eu-de\r\n"])
def test_blanks_around_a_region_are_removed(given: str):
    Session.set_endpoint("iam.x", "obs.x", "modelarts.x", given)

    assert cloud_session(region_name="eu-de").host == cloud_session(region_name=given).host == "https://modelarts.x"


@pytest.mark.parametrize("host", ["x", "my_host", "x.", "10.0.0.1:8443", "[::1]:8443", "[::1]", "模型.example.com"])
def test_any_host_may_be_an_endpoint(host: str):
    Session.set_endpoint("iam.x", "obs.x", host, "eu-de")

    assert cloud_session(region_name="eu-de").host == f"https://{host}"


@pytest.mark.parametrize("url", ["https://modelarts.example.com/v1/", "x.example.com/a/path", "http://10.0.0.1:80/v3"])
def test_an_endpoint_with_a_path_is_refused_when_it_is_read(monkeypatch: pytest.MonkeyPatch, url: str):
    with pytest.raises(ConfigError, match=r"obs_endpoint='.+' \(argument\): write it without the path /"):
        Session.set_endpoint("iam.x", url, "modelarts.x", "eu-de")
    monkeypatch.setenv("MODELARTS_ENDPOINT", url)
    with pytest.raises(ConfigError, match=r"\(environment MODELARTS_ENDPOINT\): write it without the path /"):
        cloud_session()


