"""Uploads of local code and data: the same content goes to the same path, once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from modelarts._obs import legacy
from modelarts._obs.paths import ObsPath, bucket_name_problem
from modelarts._settings.home import home_directory
from modelarts._submit.staging import bundle
from modelarts._submit.staging.bundle import CODE, Bundle, LocalPath
from modelarts.errors import ConfigError, ObsError

if TYPE_CHECKING:
    from modelarts._obs.buckets import Buckets
    from modelarts._transport.options import TransportOptions

MARK = ".modelarts-complete"  # an empty object beside a complete upload
_REFUSED, _NOT_THERE = "ModelArts.1003", "ModelArts.0015"


class Staging:
    """Uploads the local code and data of one call to a bucket.

    Args:
        options: the limits of what is uploaded.
        buckets: returns the buckets of the session; called when there is something to upload.
        bucket: the bucket to upload to; created when it is missing.
    """

    def __init__(self, options: TransportOptions, buckets: Callable[[], Buckets], bucket: str) -> None:
        self.bundles: dict[str, Bundle] = {}
        self.results: list[Path] = []  # local folders of results, which are not uploaded as a part of the code
        self._options = options
        self._buckets = buckets
        self._bucket = bucket

    def has_bucket(self, name: str) -> bool:
        """Whether the session can use a bucket; true, too, where that cannot be found out."""
        if bucket_name_problem(name):
            return False
        try:
            return self._buckets().is_obs_path_exists(f"obs://{name}")
        except ConfigError:
            return True
        except ObsError as error:
            if error.error_code != _REFUSED:
                raise
            return False

    def exists(self, path: ObsPath) -> bool:
        """Whether the session has an object or a folder at a path of a bucket that it can use."""
        return self._buckets().is_obs_path_exists(path.url)

    def pack(self, argument: str, path: LocalPath, requirements: str = "") -> None:
        """List the files of an argument of the call.

        Args:
            argument, path: its name and value.
            requirements: lines that are added to `pip-requirements.txt`.

        Raises:
            ValueError: they cannot be uploaded; the message says why.
            OSError: a file or folder cannot be read.
        """
        packed = self.bundles[argument] = bundle.pack(argument, path, self._state(), self.results)
        if requirements:
            packed = self.bundles[argument] = packed.with_requirements(requirements)
        name = "code_limit" if argument == CODE else "data_limit"
        bundle.check(packed, name, getattr(self._options, name))

    def address(self, argument: str) -> ObsPath:
        """Read the files of an argument, and return their path in the bucket. Raises `OSError`."""
        packed = self.bundles[argument] = self.bundles[argument].with_destination(self._bucket)
        return packed.destination

    def send(self, say: Callable[[str], None], quiet: bool = False) -> None:
        """Upload what has not been uploaded yet.

        Args:
            say: shows a message to the user.
            quiet: show uploads only, not what is unchanged.

        Raises:
            ObsError: a file changed since it was read, or cannot be uploaded.
        """
        for packed in self.bundles.values():
            if not self._is_uploaded(packed):
                self._upload(packed, say)
            elif not quiet:
                say(f"{packed.given} is unchanged, not sent again ({packed.size_text})")

    def _upload(self, packed: Bundle, say: Callable[[str], None]) -> None:
        obs = self._buckets()
        _raise_if_modified(packed)
        without = f", without {packed.ignored_text}" if packed.ignored_text else ""
        say(f"uploading {packed.given} ({packed.size_text}{without}) to {packed.destination.url}")
        legacy.create_bucket(obs, self._bucket)  # created only when something is uploaded
        try:
            # `sync` resumes an upload that was interrupted.
            obs.upload_contents(packed.source.parent, packed.folder, packed.files, sync=True)
        except ObsError:
            _raise_if_modified(packed)
            raise
        _raise_if_modified(packed)
        with tempfile.TemporaryDirectory() as scratch:
            for name, content in packed.added.items():
                Path(scratch, name).write_bytes(content)
                obs.upload_file(Path(scratch, name), packed.destination.url)
            mark = Path(scratch, MARK)
            mark.touch()
            obs.upload_file(mark, packed.folder.url)

    def _is_uploaded(self, packed: Bundle) -> bool:
        """Whether the upload was completed (the mark exists) and nothing was deleted since (all files exist)."""
        try:
            found = {item.url: item.size for item in self._buckets().list(packed.folder.url, recursive=True)}
        except ObsError as error:
            if error.error_code != _NOT_THERE:
                raise
            return False
        sizes = {packed.target(file).url: status.st_size for file, status in packed.files.items()}
        sizes.update({(packed.destination / name).url: len(content) for name, content in packed.added.items()})
        return {(packed.folder / MARK).url: 0, **sizes}.items() <= found.items()

    def _state(self) -> tuple[Path, ...]:
        """Folders that hold the state of this package: the default one, and that of the session's local service."""
        buckets = getattr(self._buckets(), "root", None)
        return (home_directory(), *([] if buckets is None else [buckets.parents[1]]))


def _raise_if_modified(packed: Bundle) -> None:
    if file := packed.modified_file():
        raise ObsError(f"{packed.given} changed while it was uploaded: {file}; call again when nothing writes to it")
