"""modelarts_04_0160: Obtaining Training Jobs · 查询训练作业列表

Lists jobs page by page, filtered by status and part of the name, and sorted.
"""

from _setup import Setup, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
setup.running_job("a-job-that-runs")
results = []

# Sample 1: those that run
session = Session()
job_list_info = Estimator.get_job_list(
    modelarts_session=session, status=8, per_page=10, page=1, order="asc", search_content="job"
)
results.append(job_list_info)

setup.close()
show(results)
