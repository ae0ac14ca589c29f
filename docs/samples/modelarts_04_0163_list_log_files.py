"""modelarts_04_0163: Obtaining the Name of a Training Job Log File · 获取训练作业日志的文件名

Lists the log files of a version, one for each node.
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
job_log_list = estimator.get_job_log_file_list()
results.append(job_log_list)

# Sample 2: on a job that was created
job_log_list = job_instance.get_job_log_file_list()
results.append(job_log_list)

# Sample 3: on one of a list of versions
job_log_list = job_version_instance_list[0].get_job_log_file_list()
results.append(job_log_list)

show(results)
