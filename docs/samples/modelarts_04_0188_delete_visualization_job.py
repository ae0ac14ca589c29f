"""modelarts_04_0188: Deleting a Visualization Job · 删除可视化作业

Deletes a visualization job. A running one is stopped first.
"""

from _setup import Setup, show

from modelarts.estimator import VisualizationJob
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: by its id
visualization_id = str(setup.visualization("delete_job_1").job_id)
session = Session()
job = VisualizationJob(modelarts_session=session, visualization_id=visualization_id)
status = job.delete_visualization_job()
results.append(status)

# Sample 2: on one that was created
job_visualization_instance = setup.visualization("delete_job_2")
status = job_visualization_instance.delete_visualization_job()
results.append(status)

# Sample 3: on one of a list
setup.visualization("delete_job_3")
job_visualization_instance_list = setup.visualizations_like("delete_job_3")
status = job_visualization_instance_list[0].delete_visualization_job()
results.append(status)

show(results)
