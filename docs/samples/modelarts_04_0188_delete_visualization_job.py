"""modelarts_04_0188: Deleting a Visualization Job · 删除可视化作业

Deletes a visualization job; one that is up is stopped first.
"""

from _world import World, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

world = World()
results = []

# Sample 1: by its id
visualization_id = str(world.visualization("delete_job_1").job_id)
session = Session()
job = VisualizationJob(modelarts_session=session, visualization_id=visualization_id)
status = job.delete_visualization_job()
results.append(status)

# Sample 2: on one that was created
job_visualization_instance = world.visualization("delete_job_2")
status = job_visualization_instance.delete_visualization_job()
results.append(status)

# Sample 3: on one of a list
world.visualization("delete_job_3")
job_visualization_instance_list = world.visualizations_like("delete_job_3")
status = job_visualization_instance_list[0].delete_visualization_job()
results.append(status)

show(results)
