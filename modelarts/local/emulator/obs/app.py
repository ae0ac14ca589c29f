"""The WSGI application of OBS: dispatches requests to operations, and formats errors as documented."""

from __future__ import annotations

import errno
import time
import uuid
from collections.abc import Iterable
from typing import IO, Any, Callable

import attrs
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request, Response

from modelarts.local.api.app import Activity, is_this_machine, logger
from modelarts.local.emulator.obs import access, buckets, copying, multipart, objects, responses
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.request import (
    AWS,
    MAX_REQUEST_BYTES,
    MAX_XML_BYTES,
    OBS,
    ObsRequest,
    body_of,
    discard,
    parse_request,
)
from modelarts.local.emulator.obs.signatures import ObsAuthenticator

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_FILES = (errno.EMFILE, errno.ENFILE)
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")
_DEFAULTS = {"acl": "private", "location": "true", "storage-class": "STANDARD"}  # accepted with these values only
_SUPPORTED = ("date", "security-token")
_OF_V4 = ("content-sha256", "decoded-content-length", "trailer", "checksum-", "sdk-checksum-algorithm")


@attrs.frozen
class Operation:
    """The handler of a kind of request, and the parameters and headers of a dialect that it supports."""

    handle: Callable[[ObjectStore, ObsRequest], Response]
    parameters: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()


_LIST = ("prefix", "marker", "delimiter", "max-keys", "encoding-type",
         "list-type", "continuation-token", "start-after", "fetch-owner")  # fmt: skip
_UPLOADS = ("uploads", "prefix", "key-marker", "upload-id-marker", "max-uploads", "encoding-type")
_PARTS = ("uploadId", "max-parts", "part-number-marker", "encoding-type")

_SELECTORS = ("acl", "append", "delete", "location", "uploads", "uploadId")
_COPY = "copy-source"

# By method, by resource, and by the parameter or header that selects another operation.
OPERATIONS = {
    ("GET", "service", ""): Operation(buckets.list_all),
    ("PUT", "bucket", ""): Operation(buckets.create),
    ("HEAD", "bucket", ""): Operation(buckets.head),
    ("DELETE", "bucket", ""): Operation(buckets.delete),
    ("GET", "bucket", ""): Operation(buckets.objects, _LIST),
    ("GET", "bucket", "location"): Operation(access.location, ("location",)),
    ("GET", "bucket", "acl"): Operation(access.acl, ("acl",)),
    ("GET", "bucket", "uploads"): Operation(multipart.list_uploads, _UPLOADS),
    ("POST", "bucket", "delete"): Operation(objects.delete_several, ("delete",)),
    ("PUT", "object", ""): Operation(objects.put),
    ("PUT", "object", _COPY): Operation(copying.copy, (), (_COPY, "metadata-directive", *copying.COPY_CONDITIONS)),
    ("POST", "object", "append"): Operation(copying.append, ("append", "position")),
    ("GET", "object", "acl"): Operation(access.acl, ("acl",)),
    ("GET", "object", ""): Operation(objects.get, (), ("if-match",)),
    ("HEAD", "object", ""): Operation(objects.head, (), ("if-match",)),
    ("DELETE", "object", ""): Operation(objects.delete),
    ("POST", "object", "uploads"): Operation(multipart.initiate, ("uploads", "encoding-type")),
    ("PUT", "object", "uploadId"): Operation(multipart.put_part, ("uploadId", "partNumber")),
    ("PUT", "object", f"uploadId {_COPY}"): Operation(
        copying.copy_part, ("uploadId", "partNumber"), (_COPY, "copy-source-range", *copying.COPY_CONDITIONS)
    ),
    ("GET", "object", "uploadId"): Operation(multipart.list_parts, _PARTS),
    ("POST", "object", "uploadId"): Operation(multipart.complete, ("uploadId", "encoding-type")),
    ("DELETE", "object", "uploadId"): Operation(multipart.abort, ("uploadId",)),
}


@attrs.frozen
class ObsApp:
    """Serves OBS over WSGI.

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
        is_admitted = False
        try:
            operation, obs_request = self._admit(request, body)
            is_admitted = True
            response = operation.handle(self.store, obs_request)
        except Exception as error:  # noqa: BLE001  each is reported as an error of OBS
            response = responses.error_response(_obs_error(error, request), request.path, request_id)
        if is_admitted:
            discard(body)
        response.headers["x-obs-request-id"] = request_id
        self.activity.last = time.monotonic()
        return response(environ, start_response)

    def body_limit(self, http_request: Request) -> int:
        """How many bytes of the body of a request are received: none unless it is signed, and for an operation."""
        try:
            _, request = self._admit(http_request, body_of(http_request))
        except ObsApiError:
            return 0
        is_content = request.key and (request.method == "PUT" or "append" in request.parameters)
        return MAX_REQUEST_BYTES if is_content else MAX_XML_BYTES

    def _admit(self, http_request: Request, body: IO[bytes]) -> tuple[Operation, ObsRequest]:
        """A request that may be carried out. Raises `ObsApiError`."""
        if not is_this_machine(http_request.host):
            raise ObsApiError("AccessDenied", f"host {http_request.host!r} is not this machine")
        request = parse_request(http_request, body)
        operation = _operation_of(request)
        return operation, self.authenticator.authenticate(request)


def _operation_of(request: ObsRequest) -> Operation:
    """The operation of a request. Raises `ObsApiError` for what the local service does not implement."""
    selector = next((name for name in _SELECTORS if name in request.parameters), "")
    key = " ".join(filter(None, (selector, _COPY if request.option(_COPY) else "")))
    operation = OPERATIONS.get((request.method, request.resource, key))
    if operation is None:
        raise _not_implemented(f"{request.description}{f' with ?{selector}' if selector else ''}")
    for name in request.parameters:
        if name not in operation.parameters:
            raise _not_implemented(f"{request.description} with the parameter {name!r}")
    for name, value in request.headers.items():
        if name.removeprefix(request.dialect.prefix) not in operation.headers and not _is_supported(name, value):
            raise _not_implemented(f"{request.description} with the header {name!r}")
    return operation


def _is_supported(name: str, value: str) -> bool:
    for prefix in (OBS.prefix, AWS.prefix):
        if name.startswith(prefix):
            suffix = name[len(prefix) :]
            is_known = suffix.startswith("meta-") or suffix in _SUPPORTED or _DEFAULTS.get(suffix) == value
            return is_known or (prefix == AWS.prefix and suffix.startswith(_OF_V4))
    return name not in _CONDITIONS


def _not_implemented(feature: str) -> ObsApiError:
    return ObsApiError("NotImplemented", f"the local service does not implement {feature}")


def _obs_error(error: Exception, request: Request) -> ObsApiError:
    """The error of OBS for a failure of a request."""
    if isinstance(error, ObsApiError):
        return error
    if isinstance(error, ClientDisconnected):
        return ObsApiError("IncompleteBody", "the body ends too early, or its chunks are malformed")
    if isinstance(error, OSError):
        return _from_os_error(error)
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return ObsApiError("InternalError", "internal error of the local service; see its log")


def _from_os_error(error: OSError) -> ObsApiError:
    """The error of OBS for an error of the file system."""
    if error.errno in _DISK_FULL:
        return ObsApiError("InsufficientStorageSpace", "the disk of the local service is full")
    if error.errno in _NO_FILES:
        return ObsApiError("ServiceUnavailable", "the local service has no free file descriptors: try again")
    if error.errno == errno.ENAMETOOLONG:
        return ObsApiError("KeyTooLongError", "a segment of a key is a file name here: at most 255 bytes")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ObsApiError("AccessDenied", f"the local service has no permission: {error.strerror}")
    logger.error("a request to OBS failed: %s", error)
    return ObsApiError("InternalError", f"the local service failed: {error.strerror or error}")
