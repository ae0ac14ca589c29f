"""Access keys for the buckets of the local service, derived from the token of the service or of one of its jobs."""

from __future__ import annotations

SERVICE, JOB = "LOCALSERVICE", "LOCALJOB"  # the beginning of the access key of a job, before the number of its version


def access_key_of(token: str) -> str:
    """The access key that belongs to a token; that of a job begins with the number of its version and a dot."""
    version, dot, _ = token.partition(".")
    return f"{JOB}{version}" if dot else SERVICE


def secret_key_of(token: str) -> str:
    """The secret of that access key, from which nobody can conclude the token."""
    import hashlib  # OpenSSL: importing the SDK does not need it
    import hmac

    return hmac.new(token.encode(), b"buckets", hashlib.sha256).hexdigest()[:40]
