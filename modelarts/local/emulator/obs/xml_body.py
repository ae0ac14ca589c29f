"""The XML documents that requests carry."""

from __future__ import annotations

from xml.etree import ElementTree

from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsRefusal
from modelarts.local.emulator.obs.etags import md5
from modelarts.local.emulator.obs.request_body import check_digest

_MOST_BYTES = 2 << 20  # what 10000 parts, or 1000 keys, may take


def document_of(call: Call, root: str) -> ElementTree.Element:
    """The document of a request, without namespaces. Raises `ObsRefusal`."""
    content = call.body.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES or b"<!DOCTYPE" in content:
        raise ObsRefusal("MalformedXML", "the body is too large, or declares a type of its own")
    check_digest(call, md5(content).digest())
    try:
        element = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise ObsRefusal("MalformedXML", f"the body is not XML: {error}") from None
    for found in element.iter():
        found.tag = found.tag.rpartition("}")[2]
    if element.tag != root:
        raise ObsRefusal("MalformedXML", f"the body must be a document {root}")
    return element
