"""Responses of OBS: XML documents and errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Union
from urllib.parse import quote
from xml.etree import ElementTree

from werkzeug.wrappers import Response

from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.request import ObsRequest

NAMESPACE = "http://obs.myhwclouds.com/doc/2015-06-30/"
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # characters that XML cannot contain

Content = Union[str, int, Sequence[tuple[str, Any]]]


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A response without a body."""
    response = Response(status=status, headers=headers)
    if "Content-Type" not in (headers or {}):
        del response.headers["Content-Type"]
    return response


def xml(root: str, content: Content, status: int = 200, namespace: str = NAMESPACE) -> Response:
    """An XML response. `content` is the text of the root element, or its child elements."""
    element = _element(root, content)
    if namespace:
        element.set("xmlns", namespace)
    return Response(ElementTree.tostring(element, "UTF-8"), status, content_type="application/xml")


def error_response(error: ObsApiError, resource: str, request_id: str) -> Response:
    """An error as documented (obs_04_0115)."""
    content = [
        ("Code", error.code),
        ("Message", error.message),
        ("Resource", resource),
        ("RequestId", request_id),
        ("HostId", "modelarts.local"),
    ]
    return xml("Error", content, error.status, namespace="")


def timestamp(seconds: float) -> str:
    """A time in the format of XML responses."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def key_encoding(request: ObsRequest) -> tuple[list[tuple[str, str]], Any]:
    """The encoding of the keys in a response: the element that names it, and the function that encodes."""
    encoding = request.parameters.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise ObsApiError("InvalidArgument", f"encoding-type must be url, got {encoding!r}")
    return ([("EncodingType", "url")], quote) if encoding else ([], str)


def _element(name: str, content: Content) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(content, (str, int)):
        element.text = _NO_XML.sub("\ufffd", str(content))
    else:
        element.extend(_element(*child) for child in content)
    if name == "Grantee":
        element.set("{http://www.w3.org/2001/XMLSchema-instance}type", "CanonicalUser")  # clients of S3 look at it
    return element
