"""Local code and data on their way to a bucket: the same content goes to the same place, once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from modelarts._obs.paths import ObsPath, bucket_name_fault
from modelarts._settings.home import home_directory
from modelarts._submit.staging import bundle
from modelarts._submit.staging.bundle import CODE, Bundle, LocalPath
from modelarts.errors import ConfigError, ObsError

if TYPE_CHECKING:
    from modelarts.session import Session

MARK = ".modelarts-complete"  # beside what is whole
_REFUSED, _NOT_THERE = "ModelArts.1003", "ModelArts.0015"


class Staging:
    """Brings the local code and data of one call to the default bucket of its session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.parcels: dict[str, Bundle] = {}

    def has_bucket(self, name: str) -> bool:
        """Whether the session can use a bucket; also when there is no way to ask."""
        if bucket_name_fault(name):
            return False
        try:
            return self.session.obs.is_obs_path_exists(f"obs://{name}")
        except ConfigError:
            return True
        except ObsError as error:
            if error.error_code != _REFUSED:
                raise
            return False

    def pack(self, argument: str, path: LocalPath) -> None:
        """List what goes along for an argument of the call.

        Raises:
            ValueError: it cannot go along; the text says why.
            OSError: something cannot be read.
        """
        parcel = self.parcels[argument] = bundle.pack(argument, path, self._state())
        name = "code_limit" if argument == CODE else "data_limit"
        bundle.check(parcel, name, getattr(self.session.client.transport.sending, name))

    def address(self, argument: str) -> ObsPath:
        """Read what goes along, and find its place. Raises `OSError` for what cannot be read."""
        parcel = self.parcels[argument] = self.parcels[argument].addressed(self.session._default_bucket_name)
        return parcel.place

    def send(self, say: Callable[[str], None], quiet: bool = False) -> None:
        """Upload what goes along and is not there yet.

        Args:
            say: tells the user what is done.
            quiet: do not tell what need not be sent.

        Raises:
            ObsError: it changed since it was read, or it cannot be uploaded.
        """
        for parcel in self.parcels.values():
            if not self._is_there(parcel):
                self._upload(parcel, say)
            elif not quiet:
                say(f"{parcel.given} is unchanged, not sent again ({parcel.measure})")

    def _upload(self, parcel: Bundle, say: Callable[[str], None]) -> None:
        obs = self.session.obs
        _refuse_changed(parcel)
        without = f", without {parcel.without}" if parcel.without else ""
        say(f"uploading {parcel.given} ({parcel.measure}{without}) to {parcel.place.url}")
        self.session.default_bucket()  # made only for what is really sent
        try:
            # With `sync`, what was cut off before goes on.
            obs.upload_contents(parcel.source.parent, parcel.folder, parcel.files, sync=True)
        except ObsError:
            _refuse_changed(parcel)
            raise
        _refuse_changed(parcel)
        with tempfile.TemporaryDirectory() as scratch:
            mark = Path(scratch, MARK)
            mark.touch()
            obs.upload_file(mark, parcel.folder.url)

    def _is_there(self, parcel: Bundle) -> bool:
        """Whether all of it is: the mark says that it came whole, the list that nothing was removed since."""
        try:
            found = {item.url: item.size for item in self.session.obs.list(parcel.folder.url, recursive=True)}
        except ObsError as error:
            if error.error_code != _NOT_THERE:
                raise
            return False
        sizes = {parcel.target(file).url: status.st_size for file, status in parcel.files.items()}
        return {(parcel.folder / MARK).url: 0, **sizes}.items() <= found.items()

    def _state(self) -> tuple[Path, ...]:
        """Folders that hold the state of this package: the usual one, and that of a service which has another."""
        buckets = getattr(self.session.obs, "root", None)
        return (home_directory(), *([] if buckets is None else [buckets.parents[1]]))


def _refuse_changed(parcel: Bundle) -> None:
    if file := parcel.changed():
        raise ObsError(f"{parcel.given} changed while it was uploaded: {file}; call again when nothing writes to it")
