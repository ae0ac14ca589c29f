"""modelarts_04_0185: Modifying the Description of a Visualization Job · 更新可视化作业描述

Changes the description of a visualization job.
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
job_description = job.update_visualization_job(job_desc="update visualization job")
results.append(job_description)

# Sample 2: on one that was created
job_description = job_visualization_instance.update_visualization_job(job_desc="update visualization job")
results.append(job_description)

# Sample 3: on one of a list
job_description = job_visualization_instance_list[0].update_visualization_job(job_desc="update visualization job")
results.append(job_description)

world.close()
show(results)
