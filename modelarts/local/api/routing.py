"""From the method and the path of a request to one of the documented operations."""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from modelarts._wire.v1.routes import Route
from modelarts.local.api.errors import BAD_VALUE, NOT_FOUND, ApiFailure


@attrs.frozen
class Match:
    """A path, its members, and the operations at it by method; of an unknown path there are none."""

    path: str
    members: dict[str, str]
    routes: dict[str, Route]

    def route(self, method: str) -> Route:
        """The operation of a method. Raises `ApiFailure` when there is none."""
        if not self.routes:
            only = "; it serves the v1 API" if self.path.startswith("/v2/") else ""
            raise ApiFailure(NOT_FOUND, f"{method} {self.path} is not a route of this service{only}", 404)
        if method not in self.routes:
            allowed = ", ".join(sorted(self.routes))
            raise ApiFailure(BAD_VALUE, f"{method} {self.path}: use {allowed}", 405, {"Allow": allowed})
        return self.routes[method]


class Router:
    """The routes of the API, as regular expressions."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._paths: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path))
            by_method = self._paths.setdefault(route.path, (pattern, {}))[1]
            by_method[route.method] = route
            if route.method == "GET":
                by_method["HEAD"] = route

    def match(self, path: str) -> Match:
        """The operations at a path; one extra slash at either end is accepted, as in the documents (SLASH)."""
        plain = path[1:] if path.startswith("//") else path
        plain = plain[:-1] if plain.endswith("/") else plain
        for pattern, by_method in self._paths.values():
            if found := pattern.fullmatch(plain):
                return Match(path, found.groupdict(), by_method)
        return Match(path, {}, {})
