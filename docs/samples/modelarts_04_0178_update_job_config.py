"""modelarts_04_0178: Modifying a Training Job Configuration · 更新训练作业参数

Replaces the content of a configuration: with data from a bucket, and with a managed dataset.
"""

from _setup import Setup, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: data from a bucket
setup.new_config("my_job_config")
session = Session()
estimator = Estimator(
    modelarts_session=session,
    framework_type="PyTorch",
    framework_version="PyTorch-1.0.0-python3.6",
    code_dir="/bucket/src/",
    boot_file="/bucket/src/pytorch_sentiment.py",
    log_url="/bucket/log/",
    hyperparameters=[{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}],
    output_path="/bucket/output/",
    train_instance_type="modelarts.vm.gpu.p100",
    train_instance_count=1,
)
update_info = estimator.update_job_configs(
    config_name="my_job_config", inputs="/bucket/dataset/", config_desc="update"
)
results.append((update_info, Estimator(session, config_name="my_job_config").get_job_configs_info()))

# Sample 2: a managed dataset
setup.new_config("my_job_config")
session = Session()
estimator = Estimator(
    modelarts_session=session,
    framework_type="PyTorch",
    framework_version="PyTorch-1.0.0-python3.6",
    code_dir="/bucket/src/",
    boot_file="/bucket/src/pytorch_sentiment.py",
    log_url="/bucket/log/",
    hyperparameters=[{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}],
    output_path="/bucket/output/",
    train_instance_type="modelarts.vm.gpu.p100",
    train_instance_count=1,
)
update_info = estimator.update_job_configs(
    config_name="my_job_config",
    dataset_id="4AZNvFkN7KYr5EdhFkH",
    dataset_version_id="UOF9BIeSGArwVt0oI6T",
    config_desc="update",
)
results.append((update_info, Estimator(session, config_name="my_job_config").get_job_configs_info()))

show(results)
