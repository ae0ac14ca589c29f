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
from modelarts.local.emulator.obs.calls import Call
from modelarts.local.emulator.obs.errors import ObsError
from modelarts.local.emulator.obs.etags import etag_of_parts
from modelarts.local.emulator.obs.metadata import Metadata
from modelarts.local.emulator.obs.names import path_of
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.objects import headers_of
from modelarts.local.emulator.obs.request_body import new_file, receive
from modelarts.local.emulator.obs.xml_body import parse_body
from modelarts.local.paths import read_json, write_private

MAX_PARTS = 10_000
MAX_UPLOADS = 1000  # in one response
MIN_PART_BYTES = 100 << 10  # bytes of a part that is not the last
_ID = re.compile(r"[0-9a-f]{32}")
_CHUNK = 1 << 20
_HEAD = "upload.json"  # key and headers of an upload, in its folder


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
    since: float

    @classmethod
    def begun(cls, store: ObjectStore, call: Call) -> Upload:
        """Create an upload for the object of a request."""
        upload_id = secrets.token_hex(16)
        folder = store.metadata.uploads(call.bucket) / upload_id
        upload = cls(upload_id, folder, call.key, headers_of(call), time.time())
        upload.folder.mkdir(parents=True)
        write_private(upload.folder / _HEAD, {"key": upload.key, "headers": upload.headers})
        return upload

    @classmethod
    def of(cls, store: ObjectStore, call: Call) -> Upload:
        """The upload of a request. Raises `ObsError`."""
        store.bucket(call.bucket)
        upload_id = call.parameters["uploadId"]
        if _ID.fullmatch(upload_id):
            upload = cls._read(store.metadata.uploads(call.bucket) / upload_id)
            if upload and upload.key == call.key:
                return upload
        raise no_upload()

    @classmethod
    def all_to(cls, store: ObjectStore, bucket: str) -> list[Upload]:
        """All uploads to a bucket, sorted by key and id."""
        found = [cls._read(folder) for folder in store.metadata.uploads(bucket).glob("*")]
        return sorted((upload for upload in found if upload), key=lambda upload: upload.position)

    @classmethod
    def _read(cls, folder: Path) -> Upload | None:
        with suppress(FileNotFoundError):  # it was just completed or aborted
            since = (folder / _HEAD).stat().st_mtime
            head = read_json(folder / _HEAD)
            return cls(folder.name, folder, head["key"], head["headers"], since) if head else None
        return None

    @property
    def position(self) -> tuple[bytes, str]:
        """Its position in lists."""
        return self.key.encode(), self.id

    def parts(self) -> list[Part]:
        """The uploaded parts, sorted by number."""
        return [Part(file) for file in sorted(self.folder.glob("[0-9]*-*"))]

    def put(self, number: int, arrived: Path, md5: str) -> None:
        """Store a part, replacing an earlier one with the same number."""
        file = self.folder / f"{number:05d}-{md5}"
        arrived.replace(file)
        for other in self.folder.glob(f"{number:05d}-*"):
            if other != file:
                other.unlink(missing_ok=True)

    def end(self) -> None:
        (self.folder / _HEAD).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def no_upload() -> ObsError:
    message = "this upload does not exist: it was completed or aborted, or belongs to another object"
    return ObsError("NoSuchUpload", message)


def initiate(store: ObjectStore, call: Call) -> Response:
    path_of(store.bucket(call.bucket), call.key)
    if call.key.endswith("/"):
        raise ObsError("InvalidArgument", f"{call.key!r}: a key with a slash at its end is a folder, without content")
    return responses.xml("InitiateMultipartUploadResult", _named(call, Upload.begun(store, call)))


def put_part(store: ObjectStore, call: Call) -> Response:
    upload = Upload.of(store, call)
    number = call.number("partNumber", 0, 1, MAX_PARTS + 1)
    if number > MAX_PARTS:
        raise ObsError("InvalidArgument", f"partNumber must be at most {MAX_PARTS}")
    with receive(call, upload.folder) as body:
        upload.put(number, body.file, body.md5)
    return responses.empty(200, {"ETag": f'"{body.md5}"'})


def list_uploads(store: ObjectStore, call: Call) -> Response:
    """One page of the uploads to a bucket, of at most `max-uploads`."""
    store.bucket(call.bucket)
    prefix, key, upload_id = (call.parameters.get(name, "") for name in ("prefix", "key-marker", "upload-id-marker"))
    most = call.number("max-uploads", MAX_UPLOADS, 0, MAX_UPLOADS) or MAX_UPLOADS
    encoding, written = responses.key_encoding(call)
    wanted = [upload for upload in Upload.all_to(store, call.bucket) if upload.key.startswith(prefix)]
    if key and upload_id:
        wanted = [upload for upload in wanted if upload.position > (key.encode(), upload_id)]
    else:
        wanted = [upload for upload in wanted if upload.key.encode() > key.encode()]
    shown = wanted[:most]
    more = len(wanted) > most
    following = [("NextKeyMarker", written(shown[-1].key)), ("NextUploadIdMarker", shown[-1].id)] if more else []
    owner = [("ID", store.owner)]
    content: list[Any] = [
        ("Bucket", call.bucket),
        *encoding,
        ("KeyMarker", written(key)),
        ("UploadIdMarker", upload_id),
        *following,
        ("Prefix", written(prefix)),
        ("MaxUploads", most),
        ("IsTruncated", "true" if more else "false"),
    ]
    content += [
        ("Upload", [
            ("Key", written(upload.key)), ("UploadId", upload.id), ("Initiator", owner), ("Owner", owner),
            ("StorageClass", "STANDARD"), ("Initiated", responses.timestamp(upload.since)),
        ])
        for upload in shown
    ]  # fmt: skip
    return responses.xml("ListMultipartUploadsResult", content)


def list_parts(store: ObjectStore, call: Call) -> Response:
    upload = Upload.of(store, call)
    after = call.number("part-number-marker", 0, 0, MAX_PARTS)
    most = call.number("max-parts", 1000, 1, 1000)
    parts = [part for part in upload.parts() if part.number > after]
    shown = parts[:most]
    content: list[Any] = [
        *_named(call, upload),
        ("StorageClass", "STANDARD"),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", shown[-1].number if shown else after),
        ("MaxParts", most),
        ("IsTruncated", "true" if len(parts) > most else "false"),
        *(("Part", _described(part)) for part in shown),
    ]
    return responses.xml("ListPartsResult", content)


def complete(store: ObjectStore, call: Call) -> Response:
    upload = Upload.of(store, call)
    parts = _chosen(call, upload)
    etag = etag_of_parts([part.md5 for part in parts])
    with store.prepare_folder(call.bucket, call.key) as folder, new_file(folder) as (path, file):
        for part in parts:
            with part.file.open("rb") as content:
                shutil.copyfileobj(content, file, _CHUNK)
        file.close()
        store.put(call.bucket, call.key, path, Metadata(etag, upload.headers))
    upload.end()
    named = [("Location", f"/{call.bucket}/{call.key}"), *_named(call, upload)[:-1], ("ETag", f'"{etag}"')]
    return responses.xml("CompleteMultipartUploadResult", named)


def abort(store: ObjectStore, call: Call) -> Response:
    Upload.of(store, call).end()
    return responses.empty(204)


def _chosen(call: Call, upload: Upload) -> list[Part]:
    """The parts listed in the body. Raises `ObsError` if they are incomplete or out of order."""
    document = parse_body(call, "CompleteMultipartUpload")
    named = [(part.findtext("PartNumber", ""), part.findtext("ETag", "")) for part in document.findall("Part")]
    numbers = [int(number) if number.isdecimal() else 0 for number, _ in named]
    if not named or 0 in numbers:
        raise ObsError("MalformedXML", "list the parts, each with PartNumber and ETag")
    if sorted(set(numbers)) != numbers:
        raise ObsError("InvalidPartOrder", "the parts must be sorted by their numbers")
    there = {(part.number, part.md5): part for part in upload.parts()}
    chosen = [there.get((number, etag.strip('"').lower())) for number, (_, etag) in zip(numbers, named)]
    parts = [part for part in chosen if part is not None]
    if len(parts) < len(named):
        raise ObsError("InvalidPart", "a part was not uploaded, or has another ETag")
    if any(part.size < MIN_PART_BYTES for part in parts[:-1]):
        raise ObsError("EntityTooSmall", f"each part except the last must have at least {MIN_PART_BYTES} bytes")
    return parts


def _named(call: Call, upload: Upload) -> list[tuple[str, str]]:
    encoding, written = responses.key_encoding(call)
    return [("Bucket", call.bucket), *encoding, ("Key", written(call.key)), ("UploadId", upload.id)]


def _described(part: Part) -> list[Any]:
    status = part.file.stat()
    modified = responses.timestamp(status.st_mtime)
    return [
        ("PartNumber", part.number), ("LastModified", modified), ("ETag", f'"{part.md5}"'), ("Size", status.st_size),
    ]  # fmt: skip
