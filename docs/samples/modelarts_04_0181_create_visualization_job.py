"""modelarts_04_0181: Creating a Visualization Job · 创建可视化作业

Starts a TensorBoard over the event files that a training wrote.
"""

from _world import World, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

world = World()
world.events()
world.without_visualization("visualization_job")
results = []

# Sample 1: with a name and a description
session = Session()
job = VisualizationJob(modelarts_session=session)
job_visualization_instance = job.create_visualization_job(
    train_url="/bucket/train/", job_name="visualization_job", job_desc="my visualization job"
)
results.append(job_visualization_instance)

world.stop_at_end(job_visualization_instance)
world.close()
show(results)
