"""modelarts_04_0170: Obtaining Details About a Training Job Version · 查询训练作业版本详情

Returns the details of all versions of a job.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_instance = setup.trained_job()
job_version_instance = setup.new_version(job_instance)
job_id, _ = ids_of(job_instance)
results = []

# Sample 1: by the id of the job
session = Session()
estimator = Estimator(session, job_id=job_id)
job_version_info = estimator.get_job_version_info()
results.append(job_version_info)

# Sample 2: on a version that was created
job_version_info = job_version_instance.get_job_version_info()
results.append(job_version_info)

show(results)
