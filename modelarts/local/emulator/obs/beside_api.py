"""Buckets over the OBS protocol at the address of the v1 API, for keys that only this service knows.

Clients of OBS and S3 find the address and the keys in `session.auth`. Requests that are signed for OBS are for buckets;
those for the API have a token.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable

from werkzeug.wrappers import Request

from modelarts._wire import bucket_keys
from modelarts.local.api.app import Activity, Application
from modelarts.local.api.errors import ApiFailure
from modelarts.local.api.handlers.context import Service
from modelarts.local.runtime import job_session

if TYPE_CHECKING:
    from modelarts.local.emulator.obs.app import ObsApp

_SCHEMES = ("OBS ", "AWS ", "AWS4-")
_REGION = "local"


class LocalKeys:
    """The secrets of the keys of the service itself, and of jobs while they run."""

    def __init__(self, token: str, service: Service) -> None:
        self._token = token
        self._service = service

    def secret_of(self, access_key: str, security_token: str) -> str:
        """The secret of an access key. Raises `ApiFailure` if there is none."""
        token = self._token_of(access_key)
        if not token or security_token:
            raise ApiFailure("ModelArts.0206", "there is no such access key", 401)
        return bucket_keys.secret_key_of(token)

    def _token_of(self, access_key: str) -> str:
        if access_key == bucket_keys.SERVICE:
            return self._token
        version = access_key.removeprefix(bucket_keys.JOB)
        return "" if version == access_key else job_session.token_of(self._service.home, self._service.store, version)


def with_buckets(api: Application, obs: Callable[[], Application]) -> Application:
    """The v1 API, and the buckets for requests that are signed for them."""

    def respond(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION", "").startswith(_SCHEMES):
            return obs()(environ, start_response)
        return api(environ, start_response)

    return respond


def limit_with_buckets(
    api: Callable[[Request], int], obs: Callable[[], ObsApp]
) -> Callable[[dict[str, Any]], int]:  # fmt: skip
    """How many bytes the body of a request may have, by its header: to the v1 API, or to buckets."""

    def limit(environ: dict[str, Any]) -> int:
        request = Request(environ, populate_request=False)
        if environ.get("HTTP_AUTHORIZATION", "").startswith(_SCHEMES):
            return obs().body_limit(request)
        return api(request)

    return limit


def buckets(token: str, service: Service, activity: Activity) -> Callable[[], ObsApp]:
    """What makes the application that serves the buckets when the first request for them comes."""
    return functools.cache(lambda: _obs_app(token, service, activity))


def _obs_app(token: str, service: Service, activity: Activity) -> ObsApp:
    from modelarts.local.emulator.obs.app import ObsApp
    from modelarts.local.emulator.obs.metadata import MetadataStore
    from modelarts.local.emulator.obs.object_store import ObjectStore
    from modelarts.local.emulator.obs.signatures import ObsAuthenticator

    home = service.home
    store = ObjectStore(home.buckets, MetadataStore(home.obs), _REGION, _REGION)
    return ObsApp(store, ObsAuthenticator(LocalKeys(token, service)), activity)
