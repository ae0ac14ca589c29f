"""OBS paths: `/bucket/key`, `obs://bucket/key` and `s3://bucket/key` are the same; and which paths are local."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Union

if TYPE_CHECKING:
    from pathlib import Path

_SCHEME = re.compile(r"(?:obs|s3)://?/?", re.IGNORECASE)
_FILE_SCHEME = "file://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_POSSIBLE = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")  # shorter ones exist where OBS is no public cloud
_FILE = re.compile(r"[^/]\.[A-Za-z][A-Za-z0-9]*$")  # `out/result.json`, but not `out/v1.5` nor `out/.cache`
_NO_BUCKET = re.compile(r"\.\.|\.-|-\.|^\d+(?:\.\d+){3}$")
BUCKET_RULE = (
    "3 to 63 lower-case letters, digits, hyphens or dots, beginning and ending with a letter or digit; no dot beside a "
    "dot or a hyphen, and no IP address"
)
PART = ".modelarts-part-"  # the beginning of the names of part files


class ObsPath(NamedTuple):
    """A bucket and a key in it; a key that ends with a slash, and the empty key, name a folder.

    >>> ObsPath.parse("obs://bucket/src/train.py").api
    '/bucket/src/train.py'
    """

    bucket: str
    key: str = ""

    @classmethod
    def parse(cls, text: str) -> ObsPath:
        """Parse any of the three forms. Raises `ValueError` naming the broken rule."""
        rest = _SCHEME.sub("/", text, count=1) if _SCHEME.match(text) else text
        if not rest.startswith("/"):
            raise ValueError("an OBS path is written /bucket/key, obs://bucket/key or s3://bucket/key")
        bucket, _, key = rest[1:].partition("/")
        if not bucket:
            raise ValueError("the path names no bucket; write /bucket/key")
        if "\0" in rest or {".", ".."} & {bucket, *key.split("/")}:
            raise ValueError("the segments '.' and '..' and NUL characters are not allowed in an OBS path")
        if "//" in f"/{key}":  # it could be a typing mistake for another object, and no local file can have such a name
            raise ValueError(f"between two slashes there must be a name; write obs:/{re.sub('//+', '/', rest)}")
        return cls(bucket, key)

    @classmethod
    def given(cls, text: str) -> ObsPath:
        """Parse a path that a caller gave: its bucket must be one that can exist. Raises `ValueError`."""
        path = cls.parse(text)
        if not _POSSIBLE.fullmatch(path.bucket) or _NO_BUCKET.search(path.bucket):
            raise ValueError(f"no bucket can have the name {path.bucket[:80]!r}: {BUCKET_RULE}")
        return path

    @property
    def api(self) -> str:
        """The form of REST bodies: `/bucket/key`."""
        return f"/{self.bucket}/{self.key}"

    @property
    def url(self) -> str:
        """The form for people: `obs://bucket/key`."""
        return f"obs://{self.bucket}/{self.key}"

    @property
    def s3(self) -> str:
        """The form for training processes: `s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def bare(self) -> str:
        """Without scheme: `bucket/key`."""
        return f"{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last segment, a folder's without its slash; the bucket's name for a bucket."""
        return self.key.rstrip("/").rpartition("/")[2] or self.bucket

    @property
    def as_dir(self) -> ObsPath:
        """The same path with a final slash."""
        return self if not self.key or self.key.endswith("/") else self._replace(key=self.key + "/")

    @property
    def as_file(self) -> ObsPath:
        """The same path without a final slash."""
        return self._replace(key=self.key.rstrip("/"))

    @property
    def as_output(self) -> ObsPath:
        """The same path as the destination of results: a folder, but a name with an extension stays that of a file.

        >>> [ObsPath.parse(path).as_output.key for path in ("/bucket/out", "/bucket/out/result.json")]
        ['out/', 'out/result.json']
        """
        return self if _FILE.search(self.key) else self.as_dir

    def __truediv__(self, name: str) -> ObsPath:
        return self._replace(key=self.as_dir.key + name)

    def contains(self, other: ObsPath) -> bool:
        """Whether `other` is in this folder."""
        return self.bucket == other.bucket and other.key.startswith(self.as_dir.key)

    def under(self, root: Union[str, os.PathLike[str]]) -> Path:
        """The local path of this object or folder where buckets are folders below `root`."""
        from pathlib import Path

        return Path(root, self.bare.rstrip("/"))


class MachinePath(ObsPath):
    """A path of this machine in place of one in a bucket: of data and results of jobs of the flavor `local`.

    >>> [MachinePath.parse("file:///home/me/out/").api, MachinePath.parse("file:///home/me/out/").s3]
    ['file:///home/me/out/', '/home/me/out/']
    """

    @classmethod
    def parse(cls, text: str) -> MachinePath:
        """Parse `file://` with an absolute path. Raises `ValueError` naming the broken rule."""
        path = text[len(_FILE_SCHEME) :] if text.startswith(_FILE_SCHEME) else ""
        if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
            raise ValueError("a path of this machine is written file:///folder/name, without '..'")
        return cls("", re.sub("//+", "/", path)[1:])

    @property
    def api(self) -> str:
        """The form of REST bodies: `file:///folder/name`."""
        return f"{_FILE_SCHEME}/{self.key}"

    @property
    def url(self) -> str:
        return f"/{self.key}"

    s3 = bare = url  # programs open it as it is

    def under(self, root: Union[str, os.PathLike[str]]) -> Path:
        from pathlib import Path

        return Path("/", self.key)


def parse_path(text: str) -> ObsPath:
    """Parse an OBS path, or a path of this machine. Raises `ValueError` naming the broken rule."""
    return MachinePath.parse(text) if text.startswith(_FILE_SCHEME) else ObsPath.parse(text)


def bucket_name_problem(name: str) -> str:
    """The rule that the name of a new bucket breaks, or an empty text."""
    return "" if _BUCKET.fullmatch(name) and not _NO_BUCKET.search(name) else BUCKET_RULE


def has_scheme(text: str) -> bool:
    """Whether a text begins with `obs://` or `s3://`."""
    return _SCHEME.match(text) is not None


def is_local(path: Union[str, os.PathLike[str]]) -> bool:
    """Whether the path of code or data is local: a `Path` object, or text without a scheme or a slash at its beginning.

    Text that begins with a slash is an OBS path, as in the documents. `C:\\data` and `\\\\server\\share` are local.
    """
    return not isinstance(path, str) or not (path.startswith("/") or _SCHEME.match(path))


def exists_locally(path: Union[str, os.PathLike[str]]) -> bool:
    """Whether this local file or folder exists."""
    return os.path.exists(expand_user(path))  # noqa: PTH110  for pathlib, an empty text is "."


def path_inside(folder: Union[str, os.PathLike[str]], file: Union[str, os.PathLike[str]]) -> Union[str, None]:
    """The path of a local file relative to a folder, as the end of a key; `None` when it is outside of the folder.

    With the local folder `src`, `src/train.py` and `train.py` are the same file. A folder of a bucket has relative
    files only. The folder itself is the empty text.
    """
    if is_local(folder):
        return inside_local(expand_user(folder), expand_user(file), os.getcwd())  # noqa: PTH109
    return inside_bucket(expand_user(file))


def inside_local(folder: str, file: str, cwd: str, flavour: Any = os.path) -> Union[str, None]:
    """The same for a local folder and a working directory; `flavour` is `posixpath` or `ntpath`."""
    top = flavour.join(cwd, folder)
    for start in (cwd, top):
        try:
            relative = flavour.relpath(flavour.join(start, file), top)
        except ValueError:  # on another drive of Windows
            continue
        if (key := _as_key(relative, flavour)) is not None:
            return key
    return None


def inside_bucket(file: str, flavour: Any = os.path) -> Union[str, None]:
    """The same for a folder of a bucket."""
    if flavour.splitdrive(file)[0] or file.startswith((flavour.sep, "/")):
        return None
    return _as_key(flavour.normpath(file), flavour)


def _as_key(relative: str, flavour: Any) -> Union[str, None]:
    names = [] if relative == flavour.curdir else relative.split(flavour.sep)
    return None if names[:1] == [flavour.pardir] else "/".join(names)


def expand_user(path: Union[str, os.PathLike[str]]) -> str:
    """A local path with `~` and `~user` replaced by the home folder; an unknown user stays as it is.

    A `Path` that exists as it is stays as it is, too: `Path("./~")` equals `Path("~")`.
    """
    if not isinstance(path, str) and os.path.lexists(path):
        return os.fspath(path)
    return os.path.expanduser(path)  # noqa: PTH111  pathlib raises for "~nobody"
