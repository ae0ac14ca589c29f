"""Multipart uploads (obs_04_0096 to 0103). Parts are stored outside the buckets until the upload is completed."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
from werkzeug.wrappers import Response

from modelarts.local.emulator.obs import responses
from modelarts.local.emulator.obs.errors import ObsApiError
from modelarts.local.emulator.obs.etags import etag_of_parts
from modelarts.local.emulator.obs.keys import path_of
from modelarts.local.emulator.obs.metadata import Metadata
from modelarts.local.emulator.obs.object_store import ObjectStore, folder_with_content
from modelarts.local.emulator.obs.objects import stored_headers
from modelarts.local.emulator.obs.request import ObsRequest
from modelarts.local.emulator.obs.request_body import new_part_file, receive_body
from modelarts.local.emulator.obs.xml_body import parse_xml_body
from modelarts.local.paths import read_json, write_private

MAX_PARTS = 10_000
MAX_UPLOADS = 1000  # in one response
MIN_PART_BYTES = 100 << 10  # except for the last part
_ID = re.compile(r"[0-9a-f]{32}")
_CHUNK = 1 << 20
_UPLOAD_FILE = "upload.json"  # key and headers of an upload, in its folder


@attrs.frozen
class Part:
    """An uploaded part; its file is named by its number and its MD5."""

    file: Path

    @property
    def number(self) -> int:
        return int(self.file.name.partition("-")[0])

    @property
    def md5(self) -> str:
        return self.file.name.partition("-")[2]

    @property
    def size(self) -> int:
        return self.file.stat().st_size


@attrs.frozen
class Upload:
    """An upload that is neither completed nor aborted."""

    id: str
    folder: Path
    key: str
    headers: dict[str, str]
    initiated: float

    @classmethod
    def create(cls, store: ObjectStore, request: ObsRequest) -> Upload:
        """Create an upload for the object of a request."""
        upload_id = secrets.token_hex(16)
        folder = store.metadata.uploads(request.bucket) / upload_id
        upload = cls(upload_id, folder, request.key, stored_headers(request), time.time())
        upload.folder.mkdir(parents=True)
        write_private(upload.folder / _UPLOAD_FILE, {"key": upload.key, "headers": upload.headers})
        return upload

    @classmethod
    def of(cls, store: ObjectStore, request: ObsRequest) -> Upload:
        """The upload of a request. Raises `ObsApiError`."""
        store.bucket(request.bucket)
        upload_id = request.parameters["uploadId"]
        if _ID.fullmatch(upload_id):
            upload = cls._read(store.metadata.uploads(request.bucket) / upload_id)
            if upload and upload.key == request.key:
                return upload
        raise no_such_upload()

    @classmethod
    def list_all(cls, store: ObjectStore, bucket: str) -> list[Upload]:
        """All uploads to a bucket, sorted by key and id."""
        found = [cls._read(folder) for folder in store.metadata.uploads(bucket).glob("*")]
        return sorted((upload for upload in found if upload), key=lambda upload: upload.position)

    @classmethod
    def _read(cls, folder: Path) -> Upload | None:
        with suppress(FileNotFoundError):  # it was just completed or aborted
            initiated = (folder / _UPLOAD_FILE).stat().st_mtime
            head = read_json(folder / _UPLOAD_FILE)
            return cls(folder.name, folder, head["key"], head["headers"], initiated) if head else None
        return None

    @property
    def position(self) -> tuple[bytes, str]:
        """Its position in lists."""
        return self.key.encode(), self.id

    def parts(self) -> list[Part]:
        """The uploaded parts, sorted by number."""
        return [Part(file) for file in sorted(self.folder.glob("[0-9]*-*"))]

    def put(self, number: int, received: Path, md5: str) -> None:
        """Store a part, replacing an earlier one with the same number."""
        file = self.folder / f"{number:05d}-{md5}"
        received.replace(file)
        for other in self.folder.glob(f"{number:05d}-*"):
            if other != file:
                other.unlink(missing_ok=True)

    def remove(self) -> None:
        (self.folder / _UPLOAD_FILE).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def no_such_upload() -> ObsApiError:
    message = "this upload does not exist: it was completed or aborted, or belongs to another object"
    return ObsApiError("NoSuchUpload", message)


def initiate(store: ObjectStore, request: ObsRequest) -> Response:
    path_of(store.bucket(request.bucket), request.key)
    if request.key.endswith("/"):
        raise folder_with_content(request.key)
    return responses.xml("InitiateMultipartUploadResult", _upload_elements(request, Upload.create(store, request)))


def put_part(store: ObjectStore, request: ObsRequest) -> Response:
    upload, number = Upload.of(store, request), part_number(request)
    with receive_body(request, upload.folder) as body:
        upload.put(number, body.file, body.md5)
    return responses.empty(200, {"ETag": f'"{body.md5}"'})


def part_number(request: ObsRequest) -> int:
    """The number of the part of a request. Raises `ObsApiError`."""
    number = request.number("partNumber", 0, 1, MAX_PARTS + 1)
    if number > MAX_PARTS:
        value = request.parameters["partNumber"]
        raise ObsApiError("InvalidArgument", f"partNumber must be from 1 to {MAX_PARTS}, got {value}")
    return number


def list_uploads(store: ObjectStore, request: ObsRequest) -> Response:
    """One page of the uploads to a bucket, of at most `max-uploads`."""
    store.bucket(request.bucket)
    prefix, key, upload_id = (request.parameters.get(name, "") for name in ("prefix", "key-marker", "upload-id-marker"))
    limit = request.number("max-uploads", MAX_UPLOADS, 0, MAX_UPLOADS) or MAX_UPLOADS
    encoding, encode = responses.key_encoding(request)
    uploads = [upload for upload in Upload.list_all(store, request.bucket) if upload.key.startswith(prefix)]
    if key and upload_id:
        uploads = [upload for upload in uploads if upload.position > (key.encode(), upload_id)]
    else:
        uploads = [upload for upload in uploads if upload.key.encode() > key.encode()]
    page = uploads[:limit]
    more = len(uploads) > limit
    markers = [("NextKeyMarker", encode(page[-1].key)), ("NextUploadIdMarker", page[-1].id)] if more else []
    owner = [("ID", store.owner)]
    content: list[Any] = [
        ("Bucket", request.bucket),
        *encoding,
        ("KeyMarker", encode(key)),
        ("UploadIdMarker", upload_id),
        *markers,
        ("Prefix", encode(prefix)),
        ("MaxUploads", limit),
        ("IsTruncated", "true" if more else "false"),
    ]
    content += [
        ("Upload", [
            ("Key", encode(upload.key)), ("UploadId", upload.id), ("Initiator", owner), ("Owner", owner),
            ("StorageClass", "STANDARD"), ("Initiated", responses.timestamp(upload.initiated)),
        ])
        for upload in page
    ]  # fmt: skip
    return responses.xml("ListMultipartUploadsResult", content)


def list_parts(store: ObjectStore, request: ObsRequest) -> Response:
    upload = Upload.of(store, request)
    marker = request.number("part-number-marker", 0, 0, MAX_PARTS)
    limit = request.number("max-parts", 1000, 1, 1000)
    parts = [part for part in upload.parts() if part.number > marker]
    page = parts[:limit]
    content: list[Any] = [
        *_upload_elements(request, upload),
        ("StorageClass", "STANDARD"),
        ("PartNumberMarker", marker),
        ("NextPartNumberMarker", page[-1].number if page else marker),
        ("MaxParts", limit),
        ("IsTruncated", "true" if len(parts) > limit else "false"),
        *(("Part", _part_elements(part)) for part in page),
    ]
    return responses.xml("ListPartsResult", content)


def complete(store: ObjectStore, request: ObsRequest) -> Response:
    upload = Upload.of(store, request)
    parts = _requested_parts(request, upload)
    etag = etag_of_parts([part.md5 for part in parts])
    with store.prepare_folder(request.bucket, request.key) as folder, new_part_file(folder) as (path, file):
        for part in parts:
            with part.file.open("rb") as content:
                shutil.copyfileobj(content, file, _CHUNK)
        file.close()
        store.put(request.bucket, request.key, path, Metadata(etag, upload.headers))
    upload.remove()
    location = ("Location", f"/{request.bucket}/{request.key}")
    elements = [location, *_upload_elements(request, upload)[:-1], ("ETag", f'"{etag}"')]
    return responses.xml("CompleteMultipartUploadResult", elements)


def abort(store: ObjectStore, request: ObsRequest) -> Response:
    Upload.of(store, request).remove()
    return responses.empty(204)


def _requested_parts(request: ObsRequest, upload: Upload) -> list[Part]:
    """The parts listed in the body. Raises `ObsApiError` if they are incomplete or out of order."""
    root = parse_xml_body(request, "CompleteMultipartUpload")
    listed = [(part.findtext("PartNumber", ""), part.findtext("ETag", "")) for part in root.findall("Part")]
    numbers = [int(number) if number.isdecimal() else 0 for number, _ in listed]
    if not listed or 0 in numbers:
        raise ObsApiError("MalformedXML", "the body must list the parts, each with PartNumber and ETag")
    if sorted(set(numbers)) != numbers:
        raise ObsApiError("InvalidPartOrder", "the parts must be sorted by their numbers")
    received = {(part.number, part.md5): part for part in upload.parts()}
    matches = [received.get((number, etag.strip('"').lower())) for number, (_, etag) in zip(numbers, listed)]
    parts = [part for part in matches if part is not None]
    if len(parts) < len(listed):
        raise ObsApiError("InvalidPart", "a part was not uploaded, or has another ETag")
    if any(part.size < MIN_PART_BYTES for part in parts[:-1]):
        raise ObsApiError("EntityTooSmall", f"each part except the last must have at least {MIN_PART_BYTES} bytes")
    return parts


def _upload_elements(request: ObsRequest, upload: Upload) -> list[tuple[str, str]]:
    encoding, encode = responses.key_encoding(request)
    return [("Bucket", request.bucket), *encoding, ("Key", encode(request.key)), ("UploadId", upload.id)]


def _part_elements(part: Part) -> list[Any]:
    status = part.file.stat()
    modified = responses.timestamp(status.st_mtime)
    return [
        ("PartNumber", part.number), ("LastModified", modified), ("ETag", f'"{part.md5}"'), ("Size", status.st_size),
    ]  # fmt: skip
