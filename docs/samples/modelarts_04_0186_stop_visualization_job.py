"""modelarts_04_0186: Stopping a Visualization Job · 停止可视化作业

Stops a visualization job; it can be restarted.
"""

from _world import World, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

world = World()
results = []

# Sample 1: by its id
visualization_id = str(world.visualization().job_id)
session = Session()
job = VisualizationJob(modelarts_session=session, visualization_id=visualization_id)
status = job.stop_visualization_job()
results.append(status)

# Sample 2: on one that was created
job_visualization_instance = world.visualization()
status = job_visualization_instance.stop_visualization_job()
results.append(status)

# Sample 3: on one of a list
world.visualization()
job_visualization_instance_list = world.visualizations_like("visualization_job")
status = job_visualization_instance_list[0].stop_visualization_job()
results.append(status)

world.close()
show(results)
