"""modelarts_04_0169: Querying the List of Training Job Versions · 查询训练作业版本列表

Lists the versions of a job as objects and prints them as a table.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_id, _ = ids_of(setup.trained_job())
results = []

# Sample 1: all versions of a job
session = Session()
estimator = Estimator(session, job_id=job_id)
job_version_instance_list = estimator.get_job_version_object_list()
results.append(job_version_instance_list)

show(results)
