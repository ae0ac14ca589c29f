"""Requests to OBS and its replies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import Any, Callable, Optional, Protocol, Union
from xml.etree import ElementTree

import attrs
import requests

from modelarts._transport.attempt import receive_all
from modelarts._transport.redaction import Secrets

_MOST_XML = 32 << 20  # bytes; a list of 1000 keys has less than 4 MB

receive_xml = partial(receive_all, most=_MOST_XML)


class Body(Protocol):
    """A body that is read anew for each attempt; `length` is valid from `begin` on."""

    length: int

    def begin(self) -> tuple[str, Union[bytes, Iterable[Any]]]:
        """The value of `Content-MD5`, and the content."""


@attrs.frozen(kw_only=True)
class ObsRequest:
    """One operation on a bucket or an object.

    Args:
        query: parameters; `None` for those without a value.
        headers: as they are sent.
        metadata: headers of OBS's own, without the prefix of the dialect, such as `meta-name`.
        receive: reads the reply.
    """

    method: str
    bucket: str
    key: str = ""
    query: Mapping[str, Optional[str]] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    metadata: Mapping[str, str] = attrs.field(factory=dict)
    body: Union[bytes, Body] = attrs.field(default=b"", repr=False)
    receive: Callable[[requests.Response], None] = receive_xml


class ObsReply:
    """A reply, with the members of its XML document and of OBS's own headers in both dialects."""

    def __init__(
        self, status: int, headers: Mapping[str, str], content: bytes = b"", secrets: Optional[Secrets] = None
    ) -> None:
        self.status = status
        self.headers = headers
        self._content = content
        self._secrets = secrets

    @cached_property
    def document(self) -> ElementTree.Element:
        """The root of the document; an empty element where there is none."""
        if b"<!DOCTYPE" not in self._content:  # entities could make it larger than it is
            try:
                return ElementTree.fromstring(self._content)
            except ElementTree.ParseError:
                pass
        return ElementTree.Element("none")

    def field(self, name: str) -> str:
        """A header, or a member of the document."""
        return self.headers.get(name) or child(self.document, name)

    def header(self, name: str) -> str:
        """A header of OBS's own, by its name without prefix."""
        return self.headers.get(f"x-obs-{name}") or self.headers.get(f"x-amz-{name}") or ""

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return child(self.document, "Code") if self.status >= 300 else ""

    @property
    def message(self) -> str:
        """The reason of a refusal."""
        text = child(self.document, "Message")
        return str(self._secrets.redact(text)) if self._secrets else text

    @property
    def request_id(self) -> str:
        """The id of the request; what has none is not a reply of OBS."""
        return self.header("request-id") or (child(self.document, "RequestId") if self.status >= 300 else "")

    @property
    def is_encrypted(self) -> bool:
        """Whether the object is encrypted on the server, so that its ETag is not an MD5."""
        names = ("server-side-encryption", "server-side-encryption-customer-algorithm")
        return any(self.header(name) for name in names)


def local_name(element: ElementTree.Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def child(element: ElementTree.Element, name: str) -> str:
    """The text of a child element, in any namespace; empty when there is none."""
    return element.findtext(f"{{*}}{name}") or ""


def children(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """The child elements of a name, in any namespace."""
    return element.findall(f"{{*}}{name}")


def document(root: str, members: Iterable[tuple[str, Any]]) -> bytes:
    """An XML document: elements with a text, or with elements of their own."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(_element(root, members))


def _element(name: str, content: Any) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(content, str):
        element.text = content
    else:
        element.extend(_element(*member) for member in content)
    return element
