"""modelarts_04_0161: Obtaining Details About a Training Job · 查询训练作业详情

Returns the details of a version, such as its status, duration, code, data and engine.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_instance = setup.trained_job()
job_version_instance_list = setup.versions_of(job_instance)
job_id, version_id = ids_of(job_instance)
results = []

# Sample 1: by the ids
session = Session()
estimator = Estimator(modelarts_session=session, job_id=job_id, version_id=version_id)
job_info = estimator.get_job_info()
results.append(job_info)

# Sample 2: on a job that was created
job_info = job_instance.get_job_info()
results.append(job_info)

# Sample 3: on one of a list of versions
job_info = job_version_instance_list[0].get_job_info()
results.append(job_info)

show(results)
