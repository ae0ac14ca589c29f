"""Clients of the package `esdk-obs-python` (the extra `obs`), for `session.get_obs_client()` alone."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from modelarts._obs.cloud.client import ObsClient
from modelarts.errors import ConfigError


def new_client(client: ObsClient, **options: Any) -> Any:
    """A client of the package with the keys of now, and the address, timeouts, proxy and certificates of ours.

    Raises:
        ConfigError: the package is missing; the message says what to install.
    """
    kind = _secured(_package().ObsClient)
    keys, parts = client.auth.keys(), urlsplit(client.endpoint)
    found = kind(
        access_key_id=keys.access_key, secret_access_key=keys.secret_key, security_token=keys.security_token or None,
        server=f"{parts.scheme}://{parts.hostname}", port=parts.port, region=client.region,
        path_style=client.has_bucket_in_path(), timeout=client.options.read_timeout,
        is_signature_negotiation=not client.is_public_cloud, **_proxy(client), **options,
    )  # fmt: skip
    if parts.scheme == "https":
        found.context = client.options.tls()
    return found


def _package() -> Any:
    try:
        import obs
    except ImportError as error:
        reason = "" if error.name == "obs" else f" ({error})"
        raise ConfigError(_missing(reason)) from None
    if not hasattr(obs, "ObsClient"):
        raise ConfigError(_missing(" (another package has the name 'obs')"))
    return obs


def _missing(reason: str) -> str:
    return f"get_obs_client() needs the package esdk-obs-python{reason}: pip install 'modelarts[obs]'"


@cache
def _secured(kind: Any) -> Any:
    """A class of clients that get their TLS context from whoever creates them.

    The package's own one does not check host names, and Python warns of how it is created.
    """

    class Secured(kind):  # type: ignore[misc]
        def _init_ssl_context(self, custom_ciphers: Any) -> None:
            """Leave `context` empty."""

    Secured.__name__ = Secured.__qualname__ = kind.__name__
    return Secured


def _proxy(client: ObsClient) -> dict[str, Any]:
    """The proxy on the way to this endpoint, as arguments of a client."""
    url = client.options.proxy_for(client.endpoint)
    if not url:
        return {}
    parts = urlsplit(url if "://" in url else f"http://{url}")
    found: dict[str, Any] = {"proxy_host": parts.hostname, "proxy_port": parts.port or 80}
    if parts.username:
        found.update(proxy_username=unquote(parts.username), proxy_password=unquote(parts.password or ""))
    return found
