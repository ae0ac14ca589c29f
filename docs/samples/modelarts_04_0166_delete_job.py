"""modelarts_04_0166: Deleting a Training Job · 删除训练作业

Deletes a job with all its versions.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_id, _ = ids_of(setup.new_job("job-to-delete-1"))
job_instance = setup.new_job("job-to-delete-2")
results = []

# Sample 1: by its id
session = Session()
status = Estimator.delete_job_by_id(modelarts_session=session, job_id=job_id)
results.append(status)

# Sample 2: on a job that was created
status = job_instance.delete_job()
results.append(status)

show(results)
