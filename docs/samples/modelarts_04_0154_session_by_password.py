"""modelarts_04_0154: Authentication Using the Username and Password · 用户名密码认证模式

A session by the name and the password of an account, or of an IAM user of that account.

Such sessions are not supported yet: each of these calls raises a `ConfigError` that says so.
"""

from _world import show

from modelarts.errors import ConfigError
from modelarts.session import Session

results = []

# Sample 1: the account itself
try:
    session = Session(username="my-account", password="my-password", region_name="cn-north-4")
except ConfigError as refused:
    results.append(refused)

# Sample 2: an IAM user of the account
try:
    session = Session(account="my-account", username="my-user", password="my-password", region_name="cn-north-4")
except ConfigError as refused:
    results.append(refused)

# Sample 3: as the English edition has it, in a region whose endpoints are given first
Session.set_endpoint(
    iam_endpoint="iam.eu-de.example.com",
    obs_endpoint="obs.eu-de.example.com",
    modelarts_endpoint="modelarts.eu-de.example.com",
    region_name="eu-de",
)
try:
    session = Session(
        account="my-account",
        username="my-user",
        password="my-password",
        region_name="eu-de",
        project_id="my-project-id",
    )
except ConfigError as refused:
    results.append(refused)

show(results)
