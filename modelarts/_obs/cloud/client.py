"""The one way to OBS: clients of `esdk-obs-python`, the repeats of a request, and what its failures mean."""

from __future__ import annotations

import http.client
import ipaddress
import os
import queue
import random
import socket
import ssl
import threading
from typing import Any, Callable
from urllib.parse import unquote, urlsplit

from modelarts._auth.signing import Auth, Keys
from modelarts._obs.cloud.checksums import CHUNK
from modelarts._obs.cloud.connections import Limit, secured, timed, within
from modelarts._obs.cloud.errors import missing, not_obs_reply, refused, unreachable
from modelarts._obs.transfer.worker_pool import Cancelled, Transfer
from modelarts._transport.options import TransportOptions
from modelarts.errors import ConfigError, ObsError

ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_PASSING = frozenset((429, 500, 502, 503, 504))
_PASSING_CODES = frozenset(("RequestTimeout", "BadDigest", "SlowDown", "OperationAborted"))
_RENEWED_CODES = frozenset(("InvalidAccessKeyId", "ExpiredToken", "InvalidToken"))
_OWN_CLOUD = ".myhuaweicloud.com"

Act = Callable[[Any], Any]


def esdk() -> Any:
    """The package, imported when it is needed first. Raises `ConfigError` naming what to install."""
    try:
        import obs
    except ImportError as error:
        raise ConfigError(missing(error)) from None
    if not hasattr(obs, "ObsClient"):
        raise ConfigError(missing(ImportError("another package has the name 'obs'")))
    return obs


class ObsClient:
    """Makes requests to OBS; many threads may use it, and processes that were forked.

    Args:
        endpoint: address, such as `https://obs.cn-north-4.myhuaweicloud.com`.
        auth: gives the keys; asked for each request, because they may be renewed.
        sending: time-outs and certificates.
        region: its name.
        time_outs: those of requests of the thread that asks, where they differ.
    """

    def __init__(
        self, endpoint: str, auth: Auth, sending: TransportOptions, region: str = "",
        timeouts: Callable[[], TransportOptions] | None = None,
    ) -> None:  # fmt: skip
        self.endpoint = endpoint
        self.region = region
        self.timeouts = timeouts or (lambda: sending)
        self._auth = auth
        self._sending = sending
        self._lock = threading.Lock()
        self._clients: dict[str, tuple[int, Keys, Any]] = {}
        self._context: Any = None

    def call(
        self, doing: str, bucket: str, act: Act, transfer: Transfer | None = None,
        allowed: tuple[int | str, ...] = (), proof: str = "",
    ) -> Any:  # fmt: skip
        """Make a request, several times when it may help and the total time-out allows, and give back its result.

        Args:
            doing: what is done, for messages: `upload to obs://bucket/key`.
            bucket: its name.
            act: the request, given the client to make it with; called anew for each attempt.
            transfer: what it belongs to.
            allowed: statuses and codes of refusals that are no failure.
            proof: the member of a result's body without which it is none of OBS.

        Raises:
            ObsError: OBS refused, or did not answer, or something else did.
        """
        limit = Limit.of((transfer and transfer.options) or self.timeouts())
        with within(limit):
            result = self._repeated(doing, bucket, act, transfer, allowed, limit)
            self.require_proof(doing, result, proof)
            return result

    def require_proof(self, doing: str, result: Any, member: str = "") -> None:
        """Refuse what is no answer of OBS: a login page of a network answers 200 to everything. Raises `ObsError`."""
        if not result.requestId or (member and result.status < 300 and not getattr(result.body, member, None)):
            raise not_obs_reply(doing, result, self.endpoint)

    def _repeated(
        self, doing: str, bucket: str, act: Act, transfer: Transfer | None, allowed: tuple[int | str, ...],
        limit: Limit,
    ) -> Any:  # fmt: skip
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            if transfer is not None:
                transfer.check()
            keys, client = self._client(bucket)
            failure: Exception | None = None
            try:
                result = act(client)
            except (Cancelled, ObsError, ConfigError):
                raise
            except Exception as error:
                if not _is_of_network(error):
                    raise
                failure = error
                _drain(client)
            else:
                if result.status < 300 or result.status in allowed or result.errorCode in allowed:
                    return result
                result = _explained(result, client, bucket)
                if not renewed and result.errorCode in _RENEWED_CODES and self._has_other_keys(keys):
                    renewed = True
                    continue
                if result.status not in _PASSING and result.errorCode not in _PASSING_CODES:
                    raise refused(doing, result, bucket, self.endpoint)
            pause = random.uniform(0.5, 1) * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
            if attempt == ATTEMPTS or _is_final(failure) or pause >= limit.left:
                if failure:
                    raise self._lost(doing, failure, client, bucket)
                raise refused(doing, result, bucket, self.endpoint)
            (transfer.pause if transfer else threading.Event().wait)(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def new_client(self, bucket: str = "", **options: Any) -> Any:
        """A client of `esdk-obs-python` with the keys of now."""
        return self._made(esdk().ObsClient, self._auth.keys(), bucket, **options)

    def close(self) -> None:
        """Close the connections that are at rest; new ones are opened when they are needed."""
        with self._lock:
            clients = [client for process, _, client in self._clients.values() if process == os.getpid()]
            self._clients.clear()
        for client in clients:
            _drain(client)

    def _has_other_keys(self, keys: Keys) -> bool:
        """Whether there are other keys by now than those that OBS did not take."""
        return self._auth.keys(refused=keys) != keys

    def _client(self, bucket: str) -> tuple[Keys, Any]:
        """The client for a bucket, and its keys: connections are kept, and the host of a bucket is its own."""
        keys = self._auth.keys()
        with self._lock:
            process, its_keys, client = self._clients.get(bucket, (0, None, None))
            if process != os.getpid() or its_keys != keys:
                # One redirect is one too many: signed requests must not go to another host.
                options = {"long_conn_mode": True, "max_retry_count": 0, "max_redirect_count": 1, "chunk_size": CHUNK}
                client = self._made(timed(esdk().ObsClient), keys, bucket, **options)
                self._clients[bucket] = (os.getpid(), keys, client)
            return keys, client

    def _made(self, kind: Any, keys: Keys, bucket: str, **options: Any) -> Any:
        parts = urlsplit(self.endpoint)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        # Certificates of OBS hold for one label before its host: a bucket with a dot goes into the path.
        by_path = _has_no_subdomains(host) or (secure and "." in bucket)
        proxy = self._proxy()
        if proxy:
            options["long_conn_mode"] = False  # it would ask for a tunnel within the tunnel
        client = secured(kind)(
            access_key_id=keys.access_key, secret_access_key=keys.secret_key,
            security_token=keys.security_token or None, server=f"{parts.scheme}://{host}",
            port=parts.port, region=self.region, path_style=by_path, timeout=self._sending.read_timeout,
            is_signature_negotiation=not host.endswith(_OWN_CLOUD), **proxy, **options,
        )  # fmt: skip
        if secure:
            client.context = self._tls()
        return client

    def _tls(self) -> Any:
        if self._context is None:
            self._context = self._sending.tls()
        return self._context

    def _proxy(self) -> dict[str, Any]:
        """The proxy on the way to this endpoint, as arguments of a client."""
        url = self._sending.proxy_for(self.endpoint)
        if not url:
            return {}
        parts = urlsplit(url if "://" in url else f"http://{url}")
        found: dict[str, Any] = {"proxy_host": parts.hostname, "proxy_port": parts.port or 80}
        if parts.username:
            found.update(proxy_username=unquote(parts.username), proxy_password=unquote(parts.password or ""))
        return found

    def _lost(self, doing: str, error: Exception, client: Any, bucket: str) -> ObsError:
        """After a broken connection: OBS may refuse before it has read what is sent, and break off then."""
        broke = isinstance(error, (ConnectionError, http.client.HTTPException))
        result = _diagnosis(client, bucket) if broke else None
        return refused(doing, result, bucket, self.endpoint) if result else unreachable(doing, error, self.endpoint)


def _explained(result: Any, client: Any, bucket: str) -> Any:
    """A refusal with its reason: that of a HEAD has no body to tell one, so the same client asks for what has."""
    if result.errorCode is None and bucket and result.status not in _PASSING:
        return _diagnosis(client, bucket) or result
    return result


def _diagnosis(client: Any, bucket: str) -> Any:
    """A refusal with its reason, if OBS refuses to look into the bucket."""
    try:
        result = client.listObjects(bucket, max_keys=1)
    except Exception as error:
        if not _is_of_network(error):
            raise
        return None
    return result if result.status >= 300 and result.errorCode else None


def _drain(client: Any) -> None:
    """Close the connections that a client keeps at rest. Its own `close` is not for clients that others use."""
    holder = client.connHolder
    while holder is not None:
        try:
            holder["connSet"].get_nowait().close()
        except queue.Empty:
            break


def _is_of_network(error: Exception) -> bool:
    """Whether a failure is one of the connection; the package raises some as bare `Exception`."""
    return isinstance(error, (OSError, http.client.HTTPException)) or type(error) is Exception


def _is_final(error: Exception | None) -> bool:
    """Whether another attempt would fail in the same way."""
    unknown = isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN
    return unknown or isinstance(error, ssl.SSLCertVerificationError)


def _has_no_subdomains(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host
    return True
