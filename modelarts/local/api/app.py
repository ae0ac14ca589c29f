"""The REST API as a WSGI application: from requests to handlers, and from failures to documented responses."""

from __future__ import annotations

import hmac
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Callable

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from modelarts._wire.v1 import limits
from modelarts._wire.v1.routes import ABSENT, ROUTES, Route
from modelarts.local.api import bodies
from modelarts.local.api.errors import BAD_VALUE, NOT_FOUND, ApiFailure
from modelarts.local.api.handlers import catalog, job_configs, logs, training_jobs, versions, visualizations
from modelarts.local.api.handlers.context import Call, Handler, Service
from modelarts.local.api.long_poll import LongPoll, requested_wait
from modelarts.local.api.responses import Response, failure
from modelarts.local.api.routing import Router
from modelarts.local.runtime import job_session
from modelarts.local.shortages import shortage
from modelarts.local.store.errors import StoreMoved
from modelarts.local.store.opening import RESTORE

logger = logging.getLogger("modelarts.local")

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]  # of WSGI
Authenticate = Callable[[Request], None]  # raises `ApiFailure` for a request without valid credentials

HANDLERS: dict[str, Handler] = {
    "create_training_job_config": job_configs.create,
    "list_training_job_configs": job_configs.list_page,
    "delete_training_job_config": job_configs.delete,
    "get_training_job_config": job_configs.get,
    "update_training_job_config": job_configs.update,
    "create_training_job": training_jobs.create,
    "list_training_jobs": training_jobs.list_page,
    "update_training_job_description": training_jobs.update_description,
    "delete_training_job": training_jobs.delete,
    "delete_training_job_version": versions.delete,
    "create_training_job_version": versions.create,
    "list_training_job_versions": versions.list_page,
    "get_training_job_version": versions.get,
    "stop_training_job_version": versions.stop,
    "list_training_job_log_files": logs.list_files,
    "get_training_job_log": logs.read_lines,
    "get_training_job_log_bytes": logs.read_bytes,
    "create_visualization_job": visualizations.create,
    "list_visualization_jobs": visualizations.list_page,
    "get_visualization_job": visualizations.get,
    "update_visualization_job_description": visualizations.update_description,
    "delete_visualization_job": visualizations.delete,
    "stop_visualization_job": visualizations.stop,
    "restart_visualization_job": visualizations.restart,
    "list_built_in_algorithms": catalog.algorithms,
    "list_job_resource_specs": catalog.specs,
    "list_job_engines": catalog.engines,
    "list_pools": catalog.pools,
}

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Activity:
    """When the last request arrived, and how many replies may be held back at once."""

    def __init__(self, long_polls: int) -> None:
        self.last = time.monotonic()
        self._slots = threading.BoundedSemaphore(long_polls)

    @contextmanager
    def long_poll(self, seconds: float) -> Iterator[LongPoll]:
        """A long poll of so many seconds, or of none when too many replies are held back already."""
        if not seconds or not self._slots.acquire(blocking=False):
            yield LongPoll()
            return
        try:
            yield LongPoll(seconds)
        finally:
            self._slots.release()


def create_app(service: Service, credentials: str | Authenticate, project_id: str, activity: Activity) -> Application:
    """The application of a service.

    Args:
        service: its parts.
        credentials: the token that `X-Auth-Token` must have, unless it has that of a running job; or a function that
            checks the credentials of a request.
        project_id: the only project that paths may have.
        activity: records every request.
    """
    authenticate = _token_check(credentials, service) if isinstance(credentials, str) else credentials
    router = Router(ROUTES)

    def respond(request: Request, path: str) -> Response:
        activity.last = time.monotonic()
        check_host(request.host)
        authenticate(request)
        match = router.match(path)
        if match.members.get("project_id", project_id) != project_id:
            raise ApiFailure("ModelArts.0210", "the project id in the URL is not the one of this service", 403)
        return _call(match.route(request.method), match.members, request, service, activity)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ, populate_request=False)  # no cycle that only the garbage collector can free
        request.max_content_length = limits.BODY_BYTES
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        try:
            response = respond(request, path)
        except ApiFailure as error:
            response = failure(error)
        except HTTPException as error:  # from reading the request
            message = f"{request.method} {path}: {error.name}. {error.description}"
            response = failure(ApiFailure(BAD_VALUE, message, error.code or 500))
        except Exception as error:  # noqa: BLE001  reported by `_unexpected`
            response = failure(_unexpected(error, request, service))
        return response.send(start_response, with_body=request.method != "HEAD")

    return application


def body_limit(credentials: str | Authenticate, service: Service) -> Callable[[Request], int]:
    """How many bytes of the body of a request are received: none without valid credentials, which need no body."""
    authenticate = _token_check(credentials, service) if isinstance(credentials, str) else credentials

    def limit(request: Request) -> int:
        try:
            authenticate(request)
        except ApiFailure:
            return 0
        return limits.BODY_BYTES

    return limit


def _unexpected(error: Exception, request: Request, service: Service) -> ApiFailure:
    """What to reply when the service itself fails: what it lacks, or that its log says more.

    For calls that store something the status says that nothing was stored; others can be repeated at once.
    """
    what = f"{request.method} {request.path}"
    lacking = str(error) if isinstance(error, StoreMoved) else shortage(error, service.home.root)
    if lacking:
        logger.warning("%s: %s", what, lacking)
        status = HTTPStatus.SERVICE_UNAVAILABLE if request.method == "GET" else HTTPStatus.INSUFFICIENT_STORAGE
        return ApiFailure("ModelArts.0010", lacking, status)
    logger.error("%s failed", what, exc_info=error)
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        message = f"the store {service.home.store} is damaged ({error}); {RESTORE}"
        return ApiFailure("ModelArts.0010", message, 500)
    return ApiFailure("ModelArts.0010", "internal error of the local service; see its log for details", 500)


def check_host(host: str) -> None:
    """Refuse a request of a web page for another host name that a name server resolves to this machine."""
    if not is_this_machine(host):
        raise ApiFailure("ModelArts.0108", f"host {host!r} is not this machine", 403)


def is_this_machine(host: str) -> bool:
    """Whether a `Host` header names this machine."""
    return (host.rpartition(":")[0] or host) in _LOCAL_HOSTS


def _token_check(token: str, service: Service) -> Authenticate:
    def check(request: Request) -> None:
        sent = request.headers.get("X-Auth-Token", "")
        if not sent:
            raise ApiFailure("ModelArts.0201", "the X-Auth-Token header is missing or empty", 401)
        is_own = hmac.compare_digest(sent.encode(), token.encode())
        if not is_own and not job_session.accepts(service.home, service.store, sent):
            message = "the token is neither that of this service nor that of a running job"
            raise ApiFailure("ModelArts.0203", message, 401)

    return check


def _call(route: Route, path: dict[str, str], request: Request, service: Service, activity: Activity) -> Response:
    if route.support == ABSENT:
        message = f"{route.operation} ({route.method} {route.path}) is not available in the local service"
        raise ApiFailure(NOT_FOUND, message, 501)
    query = request.args if request.query_string else {}
    body = bodies.parse(request.get_data()) if request.method in ("POST", "PUT") else None
    with activity.long_poll(requested_wait(request.headers.get("Prefer", ""))) as long_poll:
        members = HANDLERS[route.operation](Call(service, path, query, body, long_poll))
    headers = {"Preference-Applied": f"wait={long_poll.seconds:.0f}"} if long_poll.applied else {}
    return Response({"is_success": True, **members}, 200, headers)
