"""XML documents in request bodies."""

from __future__ import annotations

from xml.etree import ElementTree

from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.etags import md5
from modelarts.local.emulator.obs.request import MAX_XML_BYTES, ObsRequest
from modelarts.local.emulator.obs.request_body import check_content_md5


def parse_xml_body(request: ObsRequest, root: str) -> ElementTree.Element:
    """The XML document of a request, without namespaces. Raises `ObsApiError`."""
    is_small = (request.length or 0) <= MAX_XML_BYTES
    content = request.body.read(MAX_XML_BYTES + 1) if is_small else b""
    if not is_small or len(content) > MAX_XML_BYTES or b"<!DOCTYPE" in content:
        raise ObsApiError("MalformedXML", "the body is larger than 2 MB, or contains a DOCTYPE")
    check_content_md5(request, md5(content).digest())
    try:
        element = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise ObsApiError("MalformedXML", f"the body is not XML: {error}") from None
    for found in element.iter():
        found.tag = found.tag.rpartition("}")[2]
    if element.tag != root:
        raise ObsApiError("MalformedXML", f"the root element must be {root}")
    return element
