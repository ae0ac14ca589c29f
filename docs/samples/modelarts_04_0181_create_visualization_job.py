"""modelarts_04_0181: Creating a Visualization Job · 创建可视化作业

Starts a TensorBoard for the event files of a training job.
"""

from _setup import Setup, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

setup = Setup()
setup.events()
setup.without_visualization("visualization_job")
results = []

# Sample 1: with a name and a description
session = Session()
job = VisualizationJob(modelarts_session=session)
job_visualization_instance = job.create_visualization_job(
    train_url="/bucket/train/", job_name="visualization_job", job_desc="my visualization job"
)
results.append(job_visualization_instance)

setup.stop_at_end(job_visualization_instance)
setup.close()
show(results)
