"""Operations on uploads in parts (obs_04_0096 to 0103). Parts lie beside the buckets until they are put together."""

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
from modelarts.local.emulator.obs.errors import ObsRefusal
from modelarts.local.emulator.obs.etags import of_parts
from modelarts.local.emulator.obs.metadata import Note
from modelarts.local.emulator.obs.names import place_of
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.objects import headers_of
from modelarts.local.emulator.obs.request_body import arrived, new_file
from modelarts.local.emulator.obs.xml_body import document_of
from modelarts.local.paths import read_json, write_private

MOST_PARTS = 10_000
MOST_UPLOADS = 1000  # in one answer
SMALLEST = 100 << 10  # bytes of a part that is not the last
_ID = re.compile(r"[0-9a-f]{32}")
_CHUNK = 1 << 20
_HEAD = "upload.json"  # what an upload was begun with, in its folder


@attrs.frozen
class Part:
    """A part that has arrived; its file is named by its number and its MD5."""

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
    """An upload that was begun and has not ended."""

    id: str
    folder: Path
    key: str
    headers: dict[str, str]
    since: float

    @classmethod
    def begun(cls, shelf: ObjectStore, call: Call) -> Upload:
        """A new one, for the object of a request."""
        upload_id = secrets.token_hex(16)
        upload = cls(upload_id, shelf.notes.uploads(call.bucket) / upload_id, call.key, headers_of(call), time.time())
        upload.folder.mkdir(parents=True)
        write_private(upload.folder / _HEAD, {"key": upload.key, "headers": upload.headers})
        return upload

    @classmethod
    def of(cls, shelf: ObjectStore, call: Call) -> Upload:
        """The one that a request names. Raises `ObsRefusal`."""
        shelf.bucket(call.bucket)
        upload_id = call.parameters["uploadId"]
        if _ID.fullmatch(upload_id):
            upload = cls._read(shelf.notes.uploads(call.bucket) / upload_id)
            if upload and upload.key == call.key:
                return upload
        raise no_upload()

    @classmethod
    def all_to(cls, shelf: ObjectStore, bucket: str) -> list[Upload]:
        """Those to a bucket, by key and id."""
        found = [cls._read(folder) for folder in shelf.notes.uploads(bucket).glob("*")]
        return sorted((upload for upload in found if upload), key=lambda upload: upload.place)

    @classmethod
    def _read(cls, folder: Path) -> Upload | None:
        with suppress(FileNotFoundError):  # it has just ended
            since = (folder / _HEAD).stat().st_mtime
            head = read_json(folder / _HEAD)
            return cls(folder.name, folder, head["key"], head["headers"], since) if head else None
        return None

    @property
    def place(self) -> tuple[bytes, str]:
        """Where it is in lists."""
        return self.key.encode(), self.id

    def parts(self) -> list[Part]:
        """What has arrived, by number."""
        return [Part(file) for file in sorted(self.folder.glob("[0-9]*-*"))]

    def put(self, number: int, arrived: Path, md5: str) -> None:
        """Take a part, in place of an earlier one of its number."""
        file = self.folder / f"{number:05d}-{md5}"
        arrived.replace(file)
        for other in self.folder.glob(f"{number:05d}-*"):
            if other != file:
                other.unlink(missing_ok=True)

    def end(self) -> None:
        (self.folder / _HEAD).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def no_upload() -> ObsRefusal:
    return ObsRefusal("NoSuchUpload", "there is no such upload; it was completed or aborted, or is of another object")


def initiate(shelf: ObjectStore, call: Call) -> Response:
    place_of(shelf.bucket(call.bucket), call.key)
    if call.key.endswith("/"):
        raise ObsRefusal("InvalidArgument", f"{call.key!r}: a key that ends with a slash is a folder, without content")
    return responses.xml("InitiateMultipartUploadResult", _named(call, Upload.begun(shelf, call)))


def put_part(shelf: ObjectStore, call: Call) -> Response:
    upload = Upload.of(shelf, call)
    number = call.number("partNumber", 0, 1, MOST_PARTS + 1)
    if number > MOST_PARTS:
        raise ObsRefusal("InvalidArgument", f"partNumber goes to {MOST_PARTS}")
    with arrived(call, upload.folder) as body:
        upload.put(number, body.file, body.md5)
    return responses.empty(200, {"ETag": f'"{body.md5}"'})


def list_uploads(shelf: ObjectStore, call: Call) -> Response:
    """The uploads to a bucket that have not ended, `max-uploads` at once."""
    shelf.bucket(call.bucket)
    prefix, key, upload_id = (call.parameters.get(name, "") for name in ("prefix", "key-marker", "upload-id-marker"))
    most = call.number("max-uploads", MOST_UPLOADS, 0, MOST_UPLOADS) or MOST_UPLOADS
    encoding, written = responses.keys_as(call)
    wanted = [upload for upload in Upload.all_to(shelf, call.bucket) if upload.key.startswith(prefix)]
    if key and upload_id:
        wanted = [upload for upload in wanted if upload.place > (key.encode(), upload_id)]
    else:
        wanted = [upload for upload in wanted if upload.key.encode() > key.encode()]
    shown = wanted[:most]
    more = len(wanted) > most
    following = [("NextKeyMarker", written(shown[-1].key)), ("NextUploadIdMarker", shown[-1].id)] if more else []
    owner = [("ID", shelf.owner)]
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
            ("StorageClass", "STANDARD"), ("Initiated", responses.moment(upload.since)),
        ])
        for upload in shown
    ]  # fmt: skip
    return responses.xml("ListMultipartUploadsResult", content)


def list_parts(shelf: ObjectStore, call: Call) -> Response:
    upload = Upload.of(shelf, call)
    after = call.number("part-number-marker", 0, 0, MOST_PARTS)
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


def complete(shelf: ObjectStore, call: Call) -> Response:
    upload = Upload.of(shelf, call)
    parts = _chosen(call, upload)
    etag = of_parts([part.md5 for part in parts])
    with shelf.room_for(call.bucket, call.key) as folder, new_file(folder) as (path, file):
        for part in parts:
            with part.file.open("rb") as content:
                shutil.copyfileobj(content, file, _CHUNK)
        file.close()
        shelf.put(call.bucket, call.key, path, Note(etag, upload.headers))
    upload.end()
    named = [("Location", f"/{call.bucket}/{call.key}"), *_named(call, upload)[:-1], ("ETag", f'"{etag}"')]
    return responses.xml("CompleteMultipartUploadResult", named)


def abort(shelf: ObjectStore, call: Call) -> Response:
    Upload.of(shelf, call).end()
    return responses.empty(204)


def _chosen(call: Call, upload: Upload) -> list[Part]:
    """The parts that a document names. Raises `ObsRefusal` when they cannot be put together."""
    document = document_of(call, "CompleteMultipartUpload")
    named = [(part.findtext("PartNumber", ""), part.findtext("ETag", "")) for part in document.findall("Part")]
    numbers = [int(number) if number.isdecimal() else 0 for number, _ in named]
    if not named or 0 in numbers:
        raise ObsRefusal("MalformedXML", "name the parts, each with PartNumber and ETag")
    if sorted(set(numbers)) != numbers:
        raise ObsRefusal("InvalidPartOrder", "the parts must be in the order of their numbers")
    there = {(part.number, part.md5): part for part in upload.parts()}
    chosen = [there.get((number, etag.strip('"').lower())) for number, (_, etag) in zip(numbers, named)]
    parts = [part for part in chosen if part is not None]
    if len(parts) < len(named):
        raise ObsRefusal("InvalidPart", "a part has not arrived, or has another ETag")
    if any(part.size < SMALLEST for part in parts[:-1]):
        raise ObsRefusal("EntityTooSmall", f"each part but the last must have {SMALLEST} bytes at least")
    return parts


def _named(call: Call, upload: Upload) -> list[tuple[str, str]]:
    encoding, written = responses.keys_as(call)
    return [("Bucket", call.bucket), *encoding, ("Key", written(call.key)), ("UploadId", upload.id)]


def _described(part: Part) -> list[Any]:
    status = part.file.stat()
    modified = responses.moment(status.st_mtime)
    return [
        ("PartNumber", part.number), ("LastModified", modified), ("ETag", f'"{part.md5}"'), ("Size", status.st_size),
    ]  # fmt: skip
