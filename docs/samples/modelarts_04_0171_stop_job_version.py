"""modelarts_04_0171: Stopping a Training Job Version · 停止训练作业版本

Stops a running version.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: by the ids
job_id, version_id = ids_of(setup.running_job("job-to-stop-1"))
session = Session()
estimator = Estimator(session, job_id=job_id, version_id=version_id)
status = estimator.stop_job_version()
results.append(status)

# Sample 2: on a version that was created
job_version_instance = setup.running_job("job-to-stop-2")
status = job_version_instance.stop_job_version()
results.append(status)

# Sample 3: on one of a list of versions
job_version_instance_list = setup.versions_of(setup.running_job("job-to-stop-3"))
status = job_version_instance_list[0].stop_job_version()
results.append(status)

show(results)
