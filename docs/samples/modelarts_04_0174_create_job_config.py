"""modelarts_04_0174: Creating a Training Job Configuration · 创建训练作业参数

Creates a job configuration: with data from a bucket, and with a managed dataset.
"""

from _setup import Setup, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: data from a bucket
setup.without_config("my_job_config")
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
job_config_instance = estimator.create_job_configs(
    config_name="my_job_config", inputs="/bucket/data/train/", config_desc="my job config"
)
results.append(job_config_instance.get_job_configs_info())

# Sample 2: a managed dataset
setup.without_config("my_job_config")
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
job_config_instance = estimator.create_job_configs(
    config_name="my_job_config",
    dataset_id="4AZNvFkN7KYr5EdhFkH",
    dataset_version_id="UOF9BIeSGArwVt0oI6T",
    config_desc="my job config",
)
results.append(job_config_instance.get_job_configs_info())

show(results)
