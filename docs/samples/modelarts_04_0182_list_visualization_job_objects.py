"""modelarts_04_0182: Querying the List of Visualization Job Objects · 查询可视化作业对象列表

Lists visualization jobs as objects and prints them as a table.
"""

from _setup import Setup, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

setup = Setup()
setup.visualization()
results = []

# Sample 1: those that run, the oldest first
session = Session()
job_visualization_instance_list = VisualizationJob.get_visualization_job_object_list(
    modelarts_session=session,
    is_show=True,
    status=8,
    per_page=10,
    page=1,
    sort_by="create_time",
    order="asc",
    search_content="job",
)
results.append(job_visualization_instance_list)

setup.close()
show(results)
