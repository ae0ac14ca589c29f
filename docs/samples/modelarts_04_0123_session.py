"""modelarts_04_0123: Overview of Session Authentication · Session鉴权概述

Creates a session without arguments. In a cloud notebook, credentials come from the environment; with
`MODELARTS_MODE=local` it is a session on the local service.
"""

from _setup import show

from modelarts.session import Session

results = []

# Sample 1: nothing to pass
session = Session()
results.append(session)

show(results)
