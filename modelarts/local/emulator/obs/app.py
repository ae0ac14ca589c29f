"""The WSGI application of OBS: dispatches requests to operations, and formats errors as documented."""

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
from modelarts.local.emulator.obs.errors import ObsError
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.signatures import ObsAuthenticator

_CHUNK = 1 << 17
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")
_USUAL = {"acl": "private", "location": "true", "storage-class": "STANDARD"}  # accepted, as they describe the default
_UNDERSTOOD = ("date", "security-token")


@attrs.frozen
class Operation:
    """The handler of a kind of request, and the parameters that it supports."""

    handle: Callable[[ObjectStore, Call], Response]
    parameters: tuple[str, ...] = ()


_LISTED = ("prefix", "marker", "delimiter", "max-keys", "encoding-type")
_UPLOADS = ("uploads", "prefix", "key-marker", "upload-id-marker", "max-uploads", "encoding-type")
_PARTS = ("uploadId", "max-parts", "part-number-marker", "encoding-type")

# By method, by resource, and by the parameter that selects another operation.
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
        store: the buckets.
        authenticator: checks the signatures.
        activity: records the time of each request.
    """

    store: ObjectStore
    authenticator: ObsAuthenticator
    activity: Activity

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.activity.last = time.monotonic()
        request = Request(environ)
        body = body_of(request)
        request_id = uuid.uuid4().hex.upper()
        try:
            response = self._answer(request, body)
        except ObsError as error:
            response = responses.error_response(error, request.path, request_id)
        response.headers["x-obs-request-id"] = request_id
        _drain(body)
        self.activity.last = time.monotonic()
        return response(environ, start_response)

    def _answer(self, request: Request, body: IO[bytes]) -> Response:
        try:
            if not is_this_machine(request.host):
                raise ObsError("AccessDenied", f"host {request.host!r} is not this machine")
            call = call_of(request, body)
            operation = _operation_of(call)
            self.authenticator.authenticate(call)
            return operation.handle(self.store, call)
        except ClientDisconnected:
            raise ObsError("IncompleteBody", "the body ends too early, or its chunks are malformed") from None
        except OSError as error:
            raise _from_os_error(error) from error
        except ObsError:
            raise
        except Exception:  # noqa: BLE001  reported as an internal error
            logger.exception("%s %s failed", request.method, request.path)
            raise ObsError("InternalError", "internal error of the local service; see its log") from None


def _operation_of(call: Call) -> Operation:
    """The operation of a request. Raises `ObsError` for what the local service does not implement."""
    kind = next((name for name in ("delete", "uploads", "uploadId") if name in call.parameters), "")
    operation = OPERATIONS.get((call.method, call.what, kind))
    if operation is None:
        raise _not_implemented(f"{call.name}{f' with ?{kind}' if kind else ''}")
    for name in call.parameters:
        if name not in operation.parameters:
            raise _not_implemented(f"{call.name} with the parameter {name!r}")
    for name, value in call.headers.items():
        if not _is_understood(name, value):
            raise _not_implemented(f"{call.name} with the header {name!r}")
    return operation


def _is_understood(name: str, value: str) -> bool:
    for prefix in (OBS.prefix, AWS.prefix):
        if name.startswith(prefix):
            own = name[len(prefix) :]
            return own.startswith("meta-") or own in _UNDERSTOOD or _USUAL.get(own) == value
    return name not in _CONDITIONS


def _not_implemented(what: str) -> ObsError:
    return ObsError("NotImplemented", f"the local service does not implement {what}")


def _from_os_error(error: OSError) -> ObsError:
    """The error of OBS for an error of the file system."""
    if error.errno in _FULL:
        return ObsError("InsufficientStorageSpace", "the disk of the local service is full")
    if error.errno == errno.ENAMETOOLONG:
        return ObsError("KeyTooLongError", "a part of a key between slashes is a file name here: at most 255 bytes")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ObsError("AccessDenied", f"the local service has no permission: {error.strerror}")
    logger.error("a request to OBS failed: %s", error)
    return ObsError("InternalError", f"the local service failed: {error.strerror or error}")


def _drain(body: IO[bytes]) -> None:
    """Read the rest of a body: a client that is still sending would not read the response."""
    with suppress(ClientDisconnected):
        while body.read(_CHUNK):
            pass
