"""Errors for refusals of OBS and failures of the network; each says what to do next."""

from __future__ import annotations

import socket
import ssl

from modelarts._obs.cloud.messages import ObsReply
from modelarts._obs.failures import FAILED, NOT_FOUND, REFUSED, no_bucket_error, not_empty_error
from modelarts._transport.failure import Failure
from modelarts._transport.response import clock_ahead
from modelarts.errors import ObsError, clock_off

_KEYS = "Check access_key and secret_key of the session; temporary keys need their security_token too, and expire."
_ENDED = (
    "The temporary keys have expired, or the security_token does not belong to them. Create a session with new ones; a "
    "session with a password gets them by itself: call again."
)
_REGION = "Check region_name of the session; for another region or a cloud of your own call Session.set_endpoint(…)."
_PROXY = "Write the login into the address of the proxy, as MODELARTS_PROXY=http://user:password@host:port."

_PROXY_LOGIN = 407
_SKEWED = "RequestTimeTooSkewed"

# What to do about a refusal, by the code that OBS gives.
_NEXT = {
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "InvalidSecurity": _KEYS,
    "ExpiredToken": _ENDED,
    "InvalidToken": _ENDED,
    _SKEWED: "The clock of this machine is wrong; set it.",
    "AccessDenied": "The user has no permission for this; grant it in IAM or in the policy of the bucket.",
    "AllAccessDisabled": "The bucket is disabled; see the console.",
    "NotSignedUp": "The account has not enabled OBS; enable it in the console.",
    "InArrearOrInsufficientBalance": "The account is in arrears; see the console.",
    "PermanentRedirect": f"The bucket is in another region. {_REGION}",
    "TemporaryRedirect": f"The bucket is in another region. {_REGION}",
    "InvalidLocationConstraint": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "BucketAlreadyExists": "It belongs to another account: bucket names are unique across accounts. Choose another.",
    "TooManyBuckets": "Delete buckets that are no longer needed.",
    "QuotaExceeded": "The quota of the bucket is used up; delete objects, or raise it in the console.",
    "InsufficientStorageSpace": "The quota of the bucket is used up; delete objects, or raise it in the console.",
    "InvalidObjectState": "The object is archived; restore it in the console first.",
    "BadDigest": "The content was changed while it was sent: by a program that writes to the file, or by a proxy.",
    "KeyTooLong": "The name of an object has at most 1024 bytes.",
}
_NO_PERMISSION = frozenset(
    ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "ExpiredToken", "InvalidToken",
     _SKEWED, "AccessDenied", "AllAccessDisabled", "NotSignedUp", "InArrearOrInsufficientBalance")
)  # fmt: skip


def refused(action: str, reply: ObsReply, bucket: str, endpoint: str) -> ObsError:
    """The error for a refusal."""
    status, code = reply.status, reply.code
    if code == "NoSuchBucket":
        return no_bucket_error(bucket)
    if code == "BucketNotEmpty":
        return not_empty_error(bucket)
    request = f" (HTTP {status}, request id {reply.request_id})" if reply.request_id else f" (HTTP {status})"
    if code == "NoSuchUpload":
        return ObsError(f"cannot {action}: the unfinished upload was aborted meanwhile; call again{request}", FAILED)
    if status == 404:
        return ObsError(f"cannot {action}: there is no such object{request}", NOT_FOUND)
    said = f"{code}: {reply.message.rstrip('.')}" if code else "OBS refused without a reason"
    if 300 <= status < 400 and code not in _NEXT:
        code = "PermanentRedirect"
    advice = (_clock(reply) if code == _SKEWED else "") or _NEXT.get(code, "")
    if not advice and status >= 500:
        advice = "OBS is overloaded or unavailable; call again later."
    elif status == _PROXY_LOGIN:
        advice = f"The proxy requires a login, or another one. {_PROXY}"
    elif not advice and not code:
        advice = _NEXT["AccessDenied"] if status == 403 else f"Is {endpoint} the address of OBS? {_REGION}"
    kind = REFUSED if status == 403 or code in _NO_PERMISSION else FAILED
    return ObsError(f"cannot {action}: {said}{request}. {advice}".rstrip(), kind)


def _clock(reply: ObsReply) -> str:
    """By how much this machine's clock is off, as far as the reply tells."""
    ahead = clock_ahead(reply.headers)
    return clock_off(ahead) if ahead else ""


def not_obs_reply(action: str, status: int, endpoint: str) -> ObsError:
    """The error for a reply that did not come from OBS."""
    return ObsError(
        f"cannot {action}: {endpoint} replied with HTTP {status}, but that is not a reply of OBS. Check the endpoint, "
        "and what else may reply: a proxy, or the login page of a network.",
        FAILED,
    )


def unreachable(action: str, failure: Failure, endpoint: str) -> ObsError:
    """The error for a request that got no reply."""
    cause = failure.cause
    if isinstance(cause, socket.gaierror):
        why, advice = "unknown host name", f"{_REGION} Also check the network."
    elif isinstance(cause, ConnectionRefusedError):
        why, advice = "cannot connect", f"Check the network. {_REGION}"
    elif isinstance(cause, ssl.SSLError):
        why = getattr(cause, "verify_message", "") or cause.reason or "no secure connection"
        advice = "Check the endpoint, proxies, and the certificates (MODELARTS_CA_BUNDLE)."
    elif failure.needs_login:
        why, advice = f"the proxy requires a login, or another one ({failure.reason})", _PROXY
    elif failure.is_timeout:
        why, advice = "no reply in time", (
            "Check the network; a slow one needs a longer read_timeout, connect_timeout or total_timeout."
        )
    else:
        why, advice = f"the connection was lost ({failure.reason})", (
            "Call again: parts that have arrived are not sent again."
        )
    return ObsError(f"cannot {action}: {endpoint}: {why}. {advice}", FAILED)
