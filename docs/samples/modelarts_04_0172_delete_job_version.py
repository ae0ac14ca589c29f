"""modelarts_04_0172: Deleting a Training Job Version · 删除训练作业版本

Deletes one version of a job.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_instance = setup.new_job("job-to-thin-out")
results = []

# Sample 1: by the ids
job_id, version_id = ids_of(setup.new_version(job_instance))
session = Session()
estimator = Estimator(session, job_id=job_id, version_id=version_id)
status = estimator.delete_job_version()
results.append(status)

# Sample 2: on a version that was created
job_version_instance = setup.new_version(job_instance)
status = job_version_instance.delete_job_version()
results.append(status)

# Sample 3: on one of a list of versions, the newest
setup.new_version(job_instance)
job_version_instance_list = setup.versions_of(job_instance)
status = job_version_instance_list[0].delete_job_version()
results.append(status)

show(results)
