"""Answers of OBS: XML, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Union
from urllib.parse import quote
from xml.etree import ElementTree

from werkzeug.wrappers import Response

from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsRefusal

NAMESPACE = "http://obs.myhwclouds.com/doc/2015-06-30/"
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot carry

Content = Union[str, int, Sequence[tuple[str, Any]]]


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without content."""
    response = Response(status=status, headers=headers)
    if "Content-Type" not in (headers or {}):
        del response.headers["Content-Type"]
    return response


def xml(root: str, content: Content, status: int = 200, namespace: str = NAMESPACE) -> Response:
    """A document: elements with names, and with text or with elements of their own."""
    element = _element(root, content)
    if namespace:
        element.set("xmlns", namespace)
    return Response(ElementTree.tostring(element, "UTF-8"), status, content_type="application/xml")


def refused(refusal: ObsRefusal, resource: str, request_id: str) -> Response:
    """A refusal as it is documented (obs_04_0115)."""
    content = [
        ("Code", refusal.code),
        ("Message", refusal.message),
        ("Resource", resource),
        ("RequestId", request_id),
        ("HostId", "modelarts.local"),
    ]
    return xml("Error", content, refusal.status, namespace="")


def moment(seconds: float) -> str:
    """A moment as documents have it."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def keys_as(call: Call) -> tuple[list[tuple[str, str]], Any]:
    """How the keys of an answer are to be written: the element that says so, and what writes them."""
    encoding = call.parameters.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise ObsRefusal("InvalidArgument", f"encoding-type must be url, got {encoding!r}")
    return ([("EncodingType", "url")], quote) if encoding else ([], str)


def _element(name: str, content: Content) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(content, (str, int)):
        element.text = _NO_XML.sub("\ufffd", str(content))
    else:
        element.extend(_element(*child) for child in content)
    return element
