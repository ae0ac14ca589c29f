"""The application of OBS: from requests to operations, and from refusals to documented answers."""

from __future__ import annotations

import errno
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any, Callable

import attrs
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request, Response

from modelarts.local.api.app import Activity, is_this_machine, logger
from modelarts.local.emulator.obs import buckets, multipart, objects, responses
from modelarts.local.emulator.obs.calls import AWS, OBS, Call, body_of, call_of
from modelarts.local.emulator.obs.errors import ObsRefusal
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.signatures import Authenticator

_CHUNK = 1 << 17
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")
_USUAL = {"acl": "private", "location": "true", "storage-class": "STANDARD"}  # headers that say what is so anyway
_UNDERSTOOD = ("date", "security-token")


@attrs.frozen
class Operation:
    """What answers a kind of request, and the parameters that it understands."""

    act: Callable[[ObjectStore, Call], Response]
    parameters: tuple[str, ...] = ()


_LISTED = ("prefix", "marker", "delimiter", "max-keys", "encoding-type")
_UPLOADS = ("uploads", "prefix", "key-marker", "upload-id-marker", "max-uploads", "encoding-type")
_PARTS = ("uploadId", "max-parts", "part-number-marker", "encoding-type")

# By method, by what a request is about, and by the parameter that makes it another operation.
OPERATIONS = {
    ("GET", "service", ""): Operation(buckets.list_all),
    ("PUT", "bucket", ""): Operation(buckets.create),
    ("HEAD", "bucket", ""): Operation(buckets.head),
    ("DELETE", "bucket", ""): Operation(buckets.delete),
    ("GET", "bucket", ""): Operation(buckets.objects, _LISTED),
    ("GET", "bucket", "uploads"): Operation(multipart.list_uploads, _UPLOADS),
    ("POST", "bucket", "delete"): Operation(objects.delete_several, ("delete",)),
    ("PUT", "object", ""): Operation(objects.put),
    ("GET", "object", ""): Operation(objects.get),
    ("HEAD", "object", ""): Operation(objects.head),
    ("DELETE", "object", ""): Operation(objects.delete),
    ("POST", "object", "uploads"): Operation(multipart.initiate, ("uploads", "encoding-type")),
    ("PUT", "object", "uploadId"): Operation(multipart.put_part, ("uploadId", "partNumber")),
    ("GET", "object", "uploadId"): Operation(multipart.list_parts, _PARTS),
    ("POST", "object", "uploadId"): Operation(multipart.complete, ("uploadId", "encoding-type")),
    ("DELETE", "object", "uploadId"): Operation(multipart.abort, ("uploadId",)),
}


@attrs.frozen
class ObsApp:
    """Answers requests to OBS (WSGI).

    Args:
        shelf: the buckets.
        gate: who may pass.
        activity: told of every request.
    """

    shelf: ObjectStore
    gate: Authenticator
    activity: Activity

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.activity.last = time.monotonic()
        request = Request(environ)
        body = body_of(request)
        request_id = uuid.uuid4().hex.upper()
        try:
            response = self._answer(request, body)
        except ObsRefusal as refusal:
            response = responses.refused(refusal, request.path, request_id)
        response.headers["x-obs-request-id"] = request_id
        _take_in(body)
        self.activity.last = time.monotonic()
        return response(environ, start_response)

    def _answer(self, request: Request, body: IO[bytes]) -> Response:
        try:
            if not is_this_machine(request.host):
                raise ObsRefusal("AccessDenied", f"host {request.host!r} is not this machine")
            call = call_of(request, body)
            operation = _operation_of(call)
            self.gate.prove(call)
            return operation.act(self.shelf, call)
        except ClientDisconnected:
            raise ObsRefusal("IncompleteBody", "the body ends too early, or its pieces cannot be read") from None
        except OSError as error:
            raise _explained(error) from error
        except ObsRefusal:
            raise
        except Exception:  # noqa: BLE001  it is answered as one of the service's own
            logger.exception("%s %s failed", request.method, request.path)
            raise ObsRefusal("InternalError", "internal error of the local service; its log tells more") from None


def _operation_of(call: Call) -> Operation:
    """What answers a request. Raises `ObsRefusal` for what is not served here."""
    kind = next((name for name in ("delete", "uploads", "uploadId") if name in call.parameters), "")
    operation = OPERATIONS.get((call.method, call.what, kind))
    if operation is None:
        raise _not_served(f"{call.name}{f' with ?{kind}' if kind else ''}")
    for name in call.parameters:
        if name not in operation.parameters:
            raise _not_served(f"{call.name} with the parameter {name!r}")
    for name, value in call.headers.items():
        if not _is_understood(name, value):
            raise _not_served(f"{call.name} with the header {name!r}")
    return operation


def _is_understood(name: str, value: str) -> bool:
    for prefix in (OBS.prefix, AWS.prefix):
        if name.startswith(prefix):
            own = name[len(prefix) :]
            return own.startswith("meta-") or own in _UNDERSTOOD or _USUAL.get(own) == value
    return name not in _CONDITIONS


def _not_served(what: str) -> ObsRefusal:
    return ObsRefusal("NotImplemented", f"the local service does not do this: {what}")


def _explained(error: OSError) -> ObsRefusal:
    """A failure of the file system as a refusal."""
    if error.errno in _FULL:
        return ObsRefusal("InsufficientStorageSpace", "the disk of the local service is full")
    if error.errno == errno.ENAMETOOLONG:
        return ObsRefusal("KeyTooLongError", "between slashes a key has 255 bytes at most here: they name a file")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ObsRefusal("AccessDenied", f"the local service may not do this: {error.strerror}")
    logger.error("a request to OBS failed: %s", error)
    return ObsRefusal("InternalError", f"the local service cannot do this: {error.strerror or error}")


def _take_in(body: IO[bytes]) -> None:
    """Read what is left of a body: a client that still sends it does not see the answer."""
    with suppress(ClientDisconnected):
        while body.read(_CHUNK):
            pass
