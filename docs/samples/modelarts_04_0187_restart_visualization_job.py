"""modelarts_04_0187: Restarting a Visualization Job · 重启可视化作业

Restarts a stopped visualization job.
"""

from _setup import Setup, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: by its id
visualization_id = str(setup.stopped_visualization().job_id)
session = Session()
job = VisualizationJob(modelarts_session=session, visualization_id=visualization_id)
status = job.restart_visualization_job()
results.append(status)

# Sample 2: on one that was created
job_visualization_instance = setup.stopped_visualization()
status = job_visualization_instance.restart_visualization_job()
results.append(status)

# Sample 3: on one of a list
setup.stopped_visualization()
job_visualization_instance_list = setup.visualizations_like("visualization_job")
status = job_visualization_instance_list[0].restart_visualization_job()
results.append(status)

setup.close()
show(results)
