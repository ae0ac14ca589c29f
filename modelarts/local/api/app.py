"""The WSGI application: from routes to handlers, and from refusals to documented answers."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Callable

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

from modelarts._wire.v1 import limits
from modelarts._wire.v1.routes import ABSENT, ROUTES, Route
from modelarts.local.api import bodies
from modelarts.local.api.errors import BAD_VALUE, NOT_FOUND, ApiFailure
from modelarts.local.api.handlers import catalog, job_configs, logs, training_jobs, versions, visualizations
from modelarts.local.api.handlers.context import Call, Handler, Service
from modelarts.local.api.long_poll import LongPoll, requested_wait

logger = logging.getLogger("modelarts.local")

HANDLERS: dict[str, Handler] = {
    "create_training_job_config": job_configs.create,
    "list_training_job_configs": job_configs.listed,
    "delete_training_job_config": job_configs.delete,
    "get_training_job_config": job_configs.get,
    "update_training_job_config": job_configs.update,
    "create_training_job": training_jobs.create,
    "list_training_jobs": training_jobs.listed,
    "update_training_job_description": training_jobs.describe,
    "delete_training_job": training_jobs.delete,
    "delete_training_job_version": versions.delete,
    "create_training_job_version": versions.create,
    "list_training_job_versions": versions.listed,
    "get_training_job_version": versions.get,
    "stop_training_job_version": versions.stop,
    "list_training_job_log_files": logs.file_names,
    "get_training_job_log": logs.by_line,
    "get_training_job_log_bytes": logs.by_byte,
    "create_visualization_job": visualizations.create,
    "list_visualization_jobs": visualizations.listed,
    "get_visualization_job": visualizations.get,
    "update_visualization_job_description": visualizations.describe,
    "delete_visualization_job": visualizations.delete,
    "stop_visualization_job": visualizations.stop,
    "restart_visualization_job": visualizations.restart,
    "list_built_in_algorithms": catalog.algorithms,
    "list_job_resource_specs": catalog.specs,
    "list_job_engines": catalog.engines,
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


def create_app(service: Service, proof: str | Callable[[], None], project_id: str, activity: Activity) -> Flask:
    """The application over the parts of a service.

    Args:
        service: store, scheduler, catalogue, folders.
        proof: the token that `X-Auth-Token` must carry, or what raises a `ApiFailure` for a request that may not pass.
        project_id: the one project that paths may name.
        activity: told of every request.
    """
    app = Flask("modelarts.local", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = limits.BODY_BYTES
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.wsgi_app = _tolerant(app.wsgi_app)  # type: ignore[method-assign]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]

    @app.before_request
    def admit() -> None:
        activity.last = time.monotonic()
        check_host()
        if isinstance(proof, str):
            _check_token(proof)
        else:
            proof()
        if request.view_args and request.view_args.get("project_id", project_id) != project_id:
            raise ApiFailure("ModelArts.0210", "the project id in the URL is not the one of this service", 403)

    app.register_error_handler(Exception, _refused)
    for route in ROUTES:
        rule = route.path.replace("{", "<").replace("}", ">")
        view = _absent(route) if route.support == ABSENT else _view(HANDLERS[route.operation], service, activity)
        app.add_url_rule(rule, route.operation, view, methods=[route.method], provide_automatic_options=False)
    return app


def check_host() -> None:
    """Refuse a request that a web page made for another host, which a name server turned to this machine."""
    if not is_this_machine(request.host):
        raise ApiFailure("ModelArts.0108", f"host {request.host!r} is not this machine", 403)


def is_this_machine(host: str) -> bool:
    """Whether a `Host` header names this machine."""
    return (host.rpartition(":")[0] or host) in _LOCAL_HOSTS


def _check_token(token: str) -> None:
    given = request.headers.get("X-Auth-Token", "")
    if not given:
        raise ApiFailure("ModelArts.0201", "the X-Auth-Token header is missing or empty", 401)
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise ApiFailure("ModelArts.0203", "the token is not the one of this service", 401)


def _view(handler: Handler, service: Service, activity: Activity) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        body = bodies.parse(request.get_data()) if request.method in ("POST", "PUT") else None
        with activity.long_poll(requested_wait(request.headers.get("Prefer", ""))) as long_poll:
            answer = handler(Call(service, path, request.args, body, long_poll))
        response = _json({"is_success": True, **answer}, 200)
        if long_poll.applied:
            response.headers["Preference-Applied"] = f"wait={long_poll.seconds:.0f}"
        return response

    return view


def _absent(route: Route) -> Callable[..., Response]:
    def view(**_: str) -> Response:
        raise ApiFailure(NOT_FOUND, f"{route.operation} ({route.method} {route.path}) is not served locally", 501)

    return view


def _refused(error: Exception) -> Response:
    if isinstance(error, ApiFailure):
        return _refusal(error.code, error.message, error.status)
    if isinstance(error, HTTPException):
        status = error.code or 500
        code = NOT_FOUND if status == 404 else BAD_VALUE
        response = _refusal(code, f"{request.method} {request.path}: {error.name}. {error.description}", status)
        response.allow.update(getattr(error, "valid_methods", None) or ())
        return response
    logger.exception("%s %s failed", request.method, request.path)
    return _refusal("ModelArts.0010", "internal error of the local service; its log tells more", 500)


def _refusal(code: str, message: str, status: int) -> Response:
    body = {"is_success": False, "error_code": code, "error_message": message, "error_msg": message}
    return _json(body, status)


def _json(body: dict[str, Any], status: int) -> Response:
    content = json.dumps(body).encode(errors="backslashreplace")  # half a character becomes its JSON escape
    return Response(content, status, mimetype="application/json")


def _tolerant(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Take one slash too many at either end of a path, as the documents' samples have them (SLASH)."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("//"):
            path = path[1:]
        environ["PATH_INFO"] = path[:-1] if len(path) > 1 and path.endswith("/") else path
        return application(environ, start_response)

    return wrapped
