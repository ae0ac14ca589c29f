"""modelarts_04_0184: Obtaining Details About a Visualization Job · 查询可视化作业详情

Returns the details of a visualization job, including its URL.
"""

from _setup import Setup, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

setup = Setup()
job_visualization_instance = setup.visualization()
job_visualization_instance_list = setup.visualizations_like("visualization_job")
visualization_id = str(job_visualization_instance.job_id)
results = []

# Sample 1: by its id
session = Session()
job = VisualizationJob(modelarts_session=session, visualization_id=visualization_id)
job_info = job.get_visualization_job_info()
results.append(job_info)

# Sample 2: on one that was created
job_info = job_visualization_instance.get_visualization_job_info()
results.append(job_info)

# Sample 3: on one of a list
job_info = job_visualization_instance_list[0].get_visualization_job_info()
results.append(job_info)

setup.close()
show(results)
