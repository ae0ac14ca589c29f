"""modelarts_04_0162: Modifying the Description of a Training Job · 更新训练作业描述

Updates the description of a job.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_instance = setup.trained_job()
job_version_instance_list = setup.versions_of(job_instance)
job_id, _ = ids_of(job_instance)
results = []

# Sample 1: by the id of the job
session = Session()
estimator = Estimator(modelarts_session=session, job_id=job_id)
job_description = estimator.update_job_description(description="update description")
results.append(job_description)

# Sample 2: on a job that was created
job_description = job_instance.update_job_description(description="update description")
results.append(job_description)

# Sample 3: on one of a list of versions
job_description = job_version_instance_list[0].update_job_description(description="update description")
results.append(job_description)

show(results)
