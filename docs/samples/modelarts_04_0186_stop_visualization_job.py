"""modelarts_04_0186: Stopping a Visualization Job · 停止可视化作业

Stops a visualization job. It can be restarted.
"""

from _setup import Setup, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: by its id
visualization_id = str(setup.visualization().job_id)
session = Session()
job = VisualizationJob(modelarts_session=session, visualization_id=visualization_id)
status = job.stop_visualization_job()
results.append(status)

# Sample 2: on one that was created
job_visualization_instance = setup.visualization()
status = job_visualization_instance.stop_visualization_job()
results.append(status)

# Sample 3: on one of a list
setup.visualization()
job_visualization_instance_list = setup.visualizations_like("visualization_job")
status = job_visualization_instance_list[0].stop_visualization_job()
results.append(status)

setup.close()
show(results)
