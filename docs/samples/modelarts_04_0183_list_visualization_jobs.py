"""modelarts_04_0183: Obtaining Visualization Jobs · 查询可视化作业列表

Lists the details of visualization jobs, page by page.
"""

from _setup import Setup, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

setup = Setup()
setup.visualization()
results = []

# Sample 1: those that run, the oldest first
session = Session()
job_list = VisualizationJob.get_visualization_job_list(
    modelarts_session=session,
    status=8,
    per_page=10,
    page=1,
    sort_by="create_time",
    order="asc",
    search_content="job",
)
results.append(job_list)

setup.close()
show(results)
