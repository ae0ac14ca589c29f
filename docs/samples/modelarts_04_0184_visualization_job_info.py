"""modelarts_04_0184: Obtaining Details About a Visualization Job · 查询可视化作业详情

Reads what is known of a visualization job, and where it can be looked at.
"""

from _world import World, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

world = World()
job_visualization_instance = world.visualization()
job_visualization_instance_list = world.visualizations_like("visualization_job")
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

world.close()
show(results)
