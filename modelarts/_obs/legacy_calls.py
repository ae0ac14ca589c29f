"""The calls of a session on buckets by their names in older versions; what they do is loaded when one is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from modelarts._obs.buckets import Buckets


class LegacyCalls:
    """Base of a session, which has `obs`, `project_id`, `region_name` and `get_obs_client`."""

    region_name: str

    if TYPE_CHECKING:

        @property
        def obs(self) -> Buckets: ...

        @property
        def project_id(self) -> str: ...

        def get_obs_client(self) -> Any: ...

    def default_bucket(self) -> str:
        """The name of the bucket for data without another place; it is created if it does not exist."""
        return self.create_bucket(self._default_bucket_name)

    @property
    def _default_bucket_name(self) -> str:
        import hashlib
        import re

        digest = hashlib.md5(self.project_id.encode(), usedforsecurity=False).hexdigest()
        region = re.sub("[^a-z0-9]", "-", self.region_name)  # in local mode it is whatever a script gives
        return f"modelarts-{region[:40]}-{digest[:8]}"

    def create_bucket(self, bucket: str) -> str:
        """Create a bucket unless it exists. Returns its name."""
        from modelarts._obs import legacy

        return legacy.create_bucket(self.obs, bucket)

    def delete_bucket(self, bucket: str) -> None:
        """Delete an empty bucket: the same as `session.obs.delete_bucket`.

        Raises:
            ObsError: the bucket does not exist or is not empty.
        """
        self.obs.delete_bucket(bucket)

    def create_directory(self, bucket: str, directory: str) -> None:
        """Create an empty folder, such as `/dir1/dir2/`, in a bucket."""
        from modelarts._obs import legacy

        legacy.create_directory(self.obs, bucket, directory)

    def upload_data(self, bucket_path: str, path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> None:
        """Upload one or more files, or the content of a folder, to a folder of a bucket (`/bucket/dir1/`)."""
        from modelarts._obs import legacy

        legacy.upload_data(self.obs, bucket_path, path)

    def download_data(self, bucket_path: str, path: str | os.PathLike[str]) -> None:
        """Download an object to a file or folder, or the content of a folder of a bucket to a local folder."""
        from modelarts._obs import legacy

        legacy.download_data(self.obs, bucket_path, path)

    @property
    def obs_client(self) -> Any:
        """The same as `get_obs_client()`."""
        return self.get_obs_client()

