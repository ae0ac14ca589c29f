"""modelarts_04_0185: Modifying the Description of a Visualization Job · 更新可视化作业描述

Updates the description of a visualization job.
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
job_description = job.update_visualization_job(job_desc="update visualization job")
results.append(job_description)

# Sample 2: on one that was created
job_description = job_visualization_instance.update_visualization_job(job_desc="update visualization job")
results.append(job_description)

# Sample 3: on one of a list
job_description = job_visualization_instance_list[0].update_visualization_job(job_desc="update visualization job")
results.append(job_description)

setup.close()
show(results)
