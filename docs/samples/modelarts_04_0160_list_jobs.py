"""modelarts_04_0160: Obtaining Training Jobs · 查询训练作业列表

Lists jobs page by page, by status, order and part of the name.
"""

from _world import World, show

from modelarts.estimator import Estimator
from modelarts.session import Session

world = World()
world.running_job("a-job-that-runs")
results = []

# Sample 1: those that run
session = Session()
job_list_info = Estimator.get_job_list(
    modelarts_session=session, status=8, per_page=10, page=1, order="asc", search_content="job"
)
results.append(job_list_info)

world.close()
show(results)
