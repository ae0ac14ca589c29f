"""Where a bucket is, and who may do what: all belongs to the account (obs_04_0026, obs_04_0034, obs_04_0089)."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from modelarts.local.emulator.obs import responses
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.request import AWS, ObsRequest


def location(store: ObjectStore, request: ObsRequest) -> Response:
    """The region of a bucket. The root differs: clients of S3 sign by version 4, those of OBS by version 2."""
    store.bucket(request.bucket)
    if request.headers["authorization"].startswith("AWS4"):
        return responses.xml("LocationConstraint", store.region)
    if request.dialect is AWS:
        return responses.xml("CreateBucketConfiguration", [("LocationConstraint", store.region)])
    return responses.xml("Location", store.region)


def acl(store: ObjectStore, request: ObsRequest) -> Response:
    """The ACL of a bucket or an object: always `private`."""
    if request.key:
        store.find(request.bucket, request.key).close()
    else:
        store.bucket(request.bucket)
    owner: Any = [("ID", store.owner)]
    grant = [("Grantee", owner), ("Permission", "FULL_CONTROL")]
    return responses.xml("AccessControlPolicy", [("Owner", owner), ("AccessControlList", [("Grant", grant)])])
