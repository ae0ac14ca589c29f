"""What a user probably meant by a text that is no OBS path."""

from __future__ import annotations

import re

from modelarts._obs.paths import bucket_name_problem

_BEFORE_BUCKET = re.compile(r"(?:obs|s3):/*|https?://obs[.-][^/]+/|/{2,}", re.IGNORECASE)
_BUCKET_AS_HOST = re.compile(r"https?://([^/]+?)\.obs[.-][^/]+/", re.IGNORECASE)  # as the console shows objects
_WEB = re.compile(r"https?://", re.IGNORECASE)


def path_hint(text: object) -> str:
    """A clause for a message: the OBS path that was probably meant; may be empty.

    >>> path_hint("https://bucket.obs.cn-north-4.myhuaweicloud.com/data/")
    "; did you mean 'obs://bucket/data/'?"
    """
    if not isinstance(text, str):
        return ""
    path = _BUCKET_AS_HOST.sub(r"\1/", text, count=1)
    path = _BEFORE_BUCKET.sub("", path, count=1) if path == text else path
    bucket, slash, key = path.partition("/")
    if slash and not _WEB.match(path) and not bucket_name_problem(bucket):
        return f"; did you mean 'obs://{bucket}/{key}'?"
    if _WEB.match(text):
        return "; a web address cannot be used"
    return ""
