"""modelarts_04_0154: Authentication Using the Username and Password · 用户名密码认证模式

Creates a session with the name and password of an account, or of an IAM user of the account.

Without `project_id`, IAM is queried for the project of the region when the session is created; it rejects the invented
password. With `project_id`, nothing is sent before the first call.
"""

from _setup import show

from modelarts.errors import AuthError
from modelarts.session import Session

results = []

# Sample 1: the account itself
try:
    session = Session(username="my-account", password="my-password", region_name="cn-north-4")
    results.append(session)
except AuthError as refused:
    results.append(refused)

# Sample 2: an IAM user of the account
try:
    session = Session(account="my-account", username="my-user", password="my-password", region_name="cn-north-4")
    results.append(session)
except AuthError as refused:
    results.append(refused)

# Sample 3: as the English edition has it, in a region whose endpoints are given first
Session.set_endpoint(
    iam_endpoint="iam.eu-de.example.com",
    obs_endpoint="obs.eu-de.example.com",
    modelarts_endpoint="modelarts.eu-de.example.com",
    region_name="eu-de",
)
session = Session(
    account="my-account",
    username="my-user",
    password="my-password",
    region_name="eu-de",
    project_id="my-project-id",
)
results.append(session)

show(results)
