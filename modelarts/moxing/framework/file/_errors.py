"""The exceptions of `moxing.file`, and the lines that are logged with them."""

import errno
import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_TEXT = "Error occurs when accessing to OBS."
_NUMBERS = {403: errno.EACCES, 404: errno.ENOENT, 409: errno.EEXIST}


class Response:
    """What OBS replied, or would have replied where a bucket is a folder of this machine."""

    def __init__(self, status: int, error_code: str, error_message: str, reason: str) -> None:
        self.status = status
        self.errorCode = error_code
        self.errorMessage = error_message
        self.reason = reason

    def __repr__(self) -> str:
        return f"Response(status={self.status}, errorCode={self.errorCode!r}, errorMessage={self.errorMessage!r})"


class _MoxFileBaseRespException(OSError):
    """A refusal of OBS; `resp` has `status`, `errorCode`, `errorMessage` and `reason`."""

    def __init__(self, message: str = _TEXT, resp: "Optional[Response]" = None) -> None:
        super().__init__(message)
        self.resp = resp
        self.errno = _NUMBERS.get(resp.status) if resp else None  # `pathlib` and others look at it

    def __reduce__(self) -> "tuple[Any, ...]":
        return type(self), (self.args[0], self.resp)


class MoxFileRespException(_MoxFileBaseRespException):
    """OBS refused a request: its HTTP status is 300 or more."""


class MoxFileReadException(_MoxFileBaseRespException):
    """The content of an object could not be read to its end."""


class MoxFileRespNotFoundException(MoxFileRespException, FileNotFoundError):
    """The refusal 404, which is also a `FileNotFoundError`."""


class MoxFileRespForbiddenException(MoxFileRespException, PermissionError):
    """The refusal 403, which is also a `PermissionError`."""


class MoxFileNotExistsException(FileNotFoundError):
    """A file or folder does not exist."""

    def __init__(self, *args: "Any") -> None:
        super().__init__(*args)
        self.errno = errno.ENOENT


class MoxFileNameDuplicateException(Exception):
    """Two objects cannot be downloaded, because one is a file and has the name of the other's folder."""


_KINDS = {404: MoxFileRespNotFoundException, 403: MoxFileRespForbiddenException}  # type: dict[int, type]
_REASONS = {403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 500: "Internal Error"}


def refusal(status: int, code: str, message: str, advice: str = "") -> MoxFileRespException:
    """Log a refusal as MoXing does, and return its exception.

    Args:
        code: the code of OBS, such as `NoSuchKey`.
        message: what OBS says about it.
        advice: which path it is about and what to do, for the exception.
    """
    resp = Response(status, code, message, _REASONS.get(status, code))
    logging.getLogger().error(
        "\n    stat:%s\n    errorCode:%s\n    errorMessage:%s\n    reason:%s", status, code, message, resp.reason
    )
    text = " ".join(filter(None, [_TEXT, advice]))
    exception: MoxFileRespException = _KINDS.get(status, MoxFileRespException)(text, resp)
    return exception


def no_key(url: str) -> MoxFileRespException:
    """The refusal for an object that does not exist."""
    return refusal(404, "NoSuchKey", "The specified key does not exist.", f"There is no object {url}.")


def no_bucket(bucket: str) -> MoxFileRespException:
    """The refusal for a bucket that does not exist."""
    advice = f"There is no bucket {bucket!r}; session.obs.create_bucket({bucket!r}) creates it."
    return refusal(404, "NoSuchBucket", "The specified bucket does not exist.", advice)


def not_exists(url: str, kind: str = "file or folder") -> MoxFileNotExistsException:
    """The exception for what does not exist."""
    return MoxFileNotExistsException(f"there is no {kind} {url}")


def is_folder(url: str) -> MoxFileRespException:
    """The refusal where a folder is given in place of a file."""
    advice = f"{url} is a folder: copy folders by copy_parallel, and name a file to read or write."
    return refusal(404, "NoSuchKey", "The specified key does not exist.", advice)
