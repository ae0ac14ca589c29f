"""modelarts_04_0155: AK/SK-based Authentication · 用户AK-SK认证模式

Creates a session with the access key of an account. Nothing is sent before the first call.

With `MODELARTS_MODE=local` it is a session on the local service, and the keys and endpoints are not used.
"""

from _setup import show

from modelarts.session import Session

results = []

# Sample 1: a region whose endpoints are known
session = Session(
    access_key="my-access-key", secret_key="my-secret-key", project_id="my-project-id", region_name="cn-north-4"
)
results.append(session)

# Sample 2: as the English edition has it, in a region whose endpoints are given first
Session.set_endpoint(
    iam_endpoint="iam.eu-de.example.com",
    obs_endpoint="obs.eu-de.example.com",
    modelarts_endpoint="modelarts.eu-de.example.com",
    region_name="eu-de",
)
session = Session(
    access_key="my-access-key", secret_key="my-secret-key", project_id="my-project-id", region_name="eu-de"
)
results.append(session)

show(results)
