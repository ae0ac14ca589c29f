"""modelarts_04_0131: Creating a Training Job · 创建训练作业

Creates a job with its first version: with data from a bucket, with a managed dataset, with a custom image, and with a
built-in algorithm.

The local service accepts all four. It trains the first two; the others fail: the program that the custom image is to
run, `mnist_softmax.py`, is not part of the sample, and the built-in algorithm is not available locally.
"""

from _setup import Setup, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
setup.register_dataset("4AZNvFkN7KYr5EdhFkH", "UOF9BIeSGArwVt0oI6T")
results = []

# Sample 1: data from a bucket
setup.without_job("my_training_job")
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
    train_instance_type="modelarts.vm.cpu.2u",
    train_instance_count=1,
    job_description="pytorch-sentiment with ModelArts SDK",
)
job_instance = estimator.fit(inputs="/bucket/data/train/", wait=False, job_name="my_training_job")
results.append(setup.ended(job_instance))

# Sample 2: a managed dataset
setup.without_job("my_training_job")
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
    train_instance_type="modelarts.vm.cpu.2u",
    train_instance_count=1,
    job_description="pytorch-sentiment with ModelArts SDK",
)
job_instance = estimator.fit(
    dataset_id="4AZNvFkN7KYr5EdhFkH",
    dataset_version_id="UOF9BIeSGArwVt0oI6T",
    wait=False,
    job_name="my_training_job",
)
results.append(setup.ended(job_instance))

# Sample 3: a custom image and its command
setup.without_job("my_training_job")
session = Session()
estimator = Estimator(
    modelarts_session=session,
    log_url="/bucket/log/",
    hyperparameters=[{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}],
    output_path="/bucket/output/",
    train_instance_type="modelarts.vm.cpu.2u",
    train_instance_count=1,
    user_command=(
        "bash -x /home/work/run_train.sh python /home/work/user-job-dir/app/mnist/mnist_softmax.py "
        "--data_url /home/work/user-job-dir/app/mnist_data"
    ),
    user_image_url="100.125.5.235:20202/jobmng/cpu-base:1.0",
    job_description="pytorch-sentiment with ModelArts SDK",
)
job_instance = estimator.fit(inputs="/bucket/data/train/", wait=False, job_name="my_training_job")
results.append(setup.ended(job_instance))

# Sample 4: a built-in algorithm
setup.without_job("my_training_job")
session = Session()
estimator = Estimator(
    modelarts_session=session,
    model_name="Faster_RCNN_ResNet_v1_50",
    log_url="/bucket/log/",
    hyperparameters=[{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}],
    output_path="/bucket/output/",
    train_instance_type="modelarts.vm.cpu.2u",
    train_instance_count=1,
    job_description="pytorch-sentiment with ModelArts SDK",
)
job_instance = estimator.fit(inputs="/bucket/data/train/", wait=False, job_name="my_training_job")
results.append(setup.ended(job_instance))

show(results)
