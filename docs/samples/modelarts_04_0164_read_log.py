"""modelarts_04_0164: Obtaining Training Job Logs · 查询训练作业日志

Reads the last lines of a log file.
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
job_log = estimator.get_job_log(log_file="job-job-0713-191758.0")
results.append(job_log)

# Sample 2: on a job that was created
job_log = job_instance.get_job_log(log_file="job-job-0713-191758.0")
results.append(job_log)

# Sample 3: on one of a list of versions
job_log = job_version_instance_list[0].get_job_log(log_file="job-job-0713-191758.0")
results.append(job_log)

show(results)
