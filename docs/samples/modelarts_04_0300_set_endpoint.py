"""modelarts_04_0300: Configuring a Service Endpoint · 配置服务的Endpoint

Sets the endpoints of a region for sessions in that region.
"""

from _setup import show

from modelarts.session import Session

results = []

# Sample 1: the three services of a region
answer = Session.set_endpoint(
    iam_endpoint="iam.eu-nl.example.com",
    obs_endpoint="obs.eu-nl.example.com",
    modelarts_endpoint="modelarts.eu-nl.example.com",
    region_name="eu-nl",
)
results.append(answer)

show(results)
