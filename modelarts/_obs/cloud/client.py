"""Requests to OBS: addresses, signatures, repeats, renewed keys, and what a refusal means."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from typing import Any, Callable, Optional, Union
from urllib.parse import quote, urlsplit

import requests

from modelarts._auth.signing import Auth, Keys
from modelarts._obs.cloud.errors import not_obs_reply, refused, unreachable
from modelarts._obs.cloud.messages import ObsReply, ObsRequest, document
from modelarts._obs.cloud.signing import AWS, OBS, Dialect, sign
from modelarts._obs.transfer.worker_pool import Transfer
from modelarts._transport.attempt import TRANSIENT, Attempt, Repeats
from modelarts._transport.failure import Failure, NoReply
from modelarts._transport.options import TransportOptions
from modelarts._transport.transport import Transport
from modelarts.errors import ObsError

ATTEMPTS = 6
_TRANSIENT_CODES = frozenset(("RequestTimeout", "BadDigest", "SlowDown", "OperationAborted"))
_RENEWED_CODES = frozenset(("InvalidAccessKeyId", "ExpiredToken", "InvalidToken"))
_PROXY_LOGIN = 407
_PUBLIC_CLOUD = ".myhuaweicloud.com"
_OBS_SIGNATURES = "3.0"  # the first version of the API that has signatures of OBS


class ObsClient:
    """Makes requests to OBS; many threads may use it, and processes that were forked.

    Args:
        endpoint: address, such as `https://obs.cn-north-4.myhuaweicloud.com`.
        auth: gives the keys for each attempt, because they may be renewed.
        options: timeouts, proxies and certificates.
        region: its name.
        timeouts: those of the thread that calls, where they differ from those of `options`.
    """

    def __init__(
        self, endpoint: str, auth: Auth, options: TransportOptions, region: str = "",
        timeouts: Optional[Callable[[], TransportOptions]] = None,
    ) -> None:  # fmt: skip
        self.endpoint = endpoint
        self.auth = auth
        self.options = options
        self.region = region
        self.timeouts = timeouts or (lambda: options)
        self._address = urlsplit(endpoint)
        self._transport = Transport(options)
        self._dialect: Optional[Dialect] = None

    @property
    def is_public_cloud(self) -> bool:
        """Whether the endpoint is one of Huawei's public cloud."""
        return (self._address.hostname or "").endswith(_PUBLIC_CLOUD)

    def close(self) -> None:
        """Close the connections; new ones are opened when they are needed."""
        self._transport.close()
        self._dialect = None

    def call(
        self, action: str, request: ObsRequest, transfer: Optional[Transfer] = None,
        allowed: Collection[Union[int, str]] = (), required_field: str = "",
    ) -> ObsReply:  # fmt: skip
        """Send a request, several times when it may help and the total timeout allows.

        Args:
            action: what is done, for messages: `upload to obs://bucket/key`.
            transfer: what the request belongs to.
            allowed: statuses and codes of refusals that are returned.
            required_field: a header or a member of the document that every success has.

        Raises:
            ObsError: OBS refused, or did not reply, or something else did.
        """
        with self._transport.call((transfer and transfer.options) or self.timeouts()):
            keys, reply = self._sent(action, request, transfer)
            if _is_refused(reply, allowed):
                reply = self._with_reason(reply, request)
                if reply.code in _RENEWED_CODES and self.auth.keys(refused=keys) != keys:
                    reply = self._sent(action, request, transfer)[1]
                    if _is_refused(reply, allowed):
                        reply = self._with_reason(reply, request)
            if _is_refused(reply, allowed):
                raise refused(action, reply, request.bucket, self.endpoint)
            self.require(action, reply, required_field)
            return reply

    def create_bucket(self, action: str, name: str) -> None:
        """Create a bucket in the region; one that this account has already is as good. Raises `ObsError`."""
        location = "Location" if self._dialect_for(name) is OBS else "LocationConstraint"
        body = document("CreateBucketConfiguration", [(location, self.region)]) if self.region else b""
        self.call(action, ObsRequest(method="PUT", bucket=name, body=body), allowed=("BucketAlreadyOwnedByYou",))

    def require(self, action: str, reply: ObsReply, field: str = "") -> None:
        """Refuse what is not a reply of OBS: the login page of a network replies 200 to everything.

        Raises:
            ObsError: there is no request id, or the field is missing from a success.
        """
        if not reply.request_id or (field and reply.status < 300 and not reply.field(field)):
            raise not_obs_reply(action, reply.status, self.endpoint)

    def _sent(self, action: str, request: ObsRequest, transfer: Optional[Transfer]) -> tuple[Keys, ObsReply]:
        """The reply, and the keys that the request was signed with."""
        keys: list[Keys] = []

        def prepare() -> Attempt:
            if transfer is not None:
                transfer.check()
            keys[:] = [self.auth.keys()]
            return self._attempt(request, keys[0])

        repeats = Repeats(True, attempts=ATTEMPTS, is_transient=_is_transient,
                          pause=transfer.pause if transfer else None)  # fmt: skip
        try:
            reply = self._transport.repeat(prepare, repeats)
        except NoReply as lost:
            failure = lost.failure
        else:
            return keys[0], self._parsed(reply, keys[0])
        raise self._lost(action, failure, request)

    def _parsed(self, reply: requests.Response, keys: Keys) -> ObsReply:
        is_refusal = reply.status_code >= 300
        secrets = self._transport.secrets_of(reply.request, keys.secret_key) if is_refusal else None
        return ObsReply(reply.status_code, reply.headers, reply._content or b"", secrets)

    def _lost(self, action: str, failure: Failure, request: ObsRequest) -> ObsError:
        """After a broken connection: OBS may refuse before it has read what is sent, and close the connection."""
        if not failure.never_sent and not failure.is_timeout:
            reply = self._diagnosis(request.bucket)
            if reply is not None:
                return refused(action, reply, request.bucket, self.endpoint)
        return unreachable(action, failure, self.endpoint)

    def _with_reason(self, reply: ObsReply, request: ObsRequest) -> ObsReply:
        """A refusal with its reason: a reply to HEAD has no body to give one, so a request whose reply has is sent."""
        if reply.code or not request.bucket or reply.status in (*TRANSIENT, _PROXY_LOGIN):
            return reply
        return self._diagnosis(request.bucket) or reply

    def _diagnosis(self, bucket: str) -> Optional[ObsReply]:
        """A refusal with its reason, if OBS refuses to list the bucket."""
        keys = self.auth.keys()
        request = ObsRequest(method="GET", bucket=bucket, query={"max-keys": "1"})
        try:
            reply = self._transport.repeat(lambda: self._attempt(request, keys), Repeats(True, attempts=1))
        except NoReply:
            return None
        parsed = self._parsed(reply, keys)
        return parsed if parsed.code else None

    def _attempt(self, request: ObsRequest, keys: Keys) -> Attempt:
        dialect = self._dialect_for(request.bucket)
        headers = dict(request.headers)
        headers.update({dialect.prefix + name: text for name, text in request.metadata.items()})
        content: Union[bytes, Iterable[Any]] = b""
        if isinstance(request.body, bytes):
            content, length = request.body, len(request.body)
        else:
            headers["Content-MD5"], content = request.body.begin()
            length = request.body.length
        if length or request.method in ("PUT", "POST"):
            headers["Content-Length"] = str(length)
        path = f"/{request.bucket}" if self.has_bucket_in_path(request.bucket) else ""
        key = quote(request.key, safe="/~")
        resource = f"/{request.bucket}/{key}" if request.key or not path else path
        sign(dialect, keys, request.method, resource, request.query, headers)
        target = resource if path else f"/{key}"
        query = "&".join(
            name if text is None else f"{name}={quote(text, safe='/')}" for name, text in request.query.items()
        )
        host = self._address.netloc if path else f"{request.bucket}.{self._address.netloc}"
        headers["Host"] = host
        url = f"{self._address.scheme}://{host}{target}{f'?{query}' if query else ''}"
        return Attempt(request.method, url, headers, content, request.receive)

    def has_bucket_in_path(self, bucket: str = "") -> bool:
        """Certificates of OBS are valid for one label before its host: a bucket with a dot goes into the path."""
        return _has_no_subdomains(self._address.hostname or "") or (self._address.scheme == "https" and "." in bucket)

    def _dialect_for(self, bucket: str) -> Dialect:
        """The dialect that the endpoint accepts; an endpoint outside the public cloud is queried once."""
        if self.has_bucket_in_path(bucket):
            return AWS
        if self.is_public_cloud:
            return OBS
        if self._dialect is None:
            url = f"{self._address.scheme}://{self._address.netloc}/?apiversion"
            try:
                reply = self._transport.repeat(lambda: Attempt("HEAD", url, {}), Repeats(True, attempts=1))
            except NoReply:  # the request itself fails in the same way, or does not need to know
                return AWS
            found = OBS if reply.headers.get("x-obs-api", "") >= _OBS_SIGNATURES else AWS
            if reply.status_code not in TRANSIENT:
                self._dialect = found
            return found
        return self._dialect


def _is_refused(reply: ObsReply, allowed: Collection[Union[int, str]]) -> bool:
    return reply.status >= 300 and reply.status not in allowed and reply.code not in allowed


def _is_transient(reply: requests.Response) -> bool:
    if reply.status_code in TRANSIENT:
        return True
    return reply.status_code >= 300 and ObsReply(reply.status_code, {}, reply.content).code in _TRANSIENT_CODES


def _has_no_subdomains(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host
    return True

