"""modelarts_04_0168: Creating a Training Job Version · 创建训练作业版本

Creates more versions of a job: with data from a bucket, the same with a description, with a custom image, and with a
built-in algorithm.

The documentation titles sample 2 as one with a dataset, but its code passes `inputs`. The local service accepts all
four and trains the first two; the others fail for the reasons given in the sample on creating a job.
"""

from _setup import Setup, ids_of, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_instance = setup.new_job("job-with-versions")
job_id, version_id = ids_of(job_instance)
pre_version_id = int(version_id)
results = []

# Sample 1: data from a bucket
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
job_version_instance = estimator.create_job_version(
    job_id=job_id,
    pre_version_id=pre_version_id,
    inputs="/bucket/data/train/",
    wait=False,
    job_desc="create a job version",
)
results.append(setup.ended(job_version_instance))

# Sample 2: the same, with a description of the training
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
    job_description="pytorch-sentiment with ModelArts SDK",
)
job_version_instance = estimator.create_job_version(
    job_id=job_id,
    pre_version_id=pre_version_id,
    inputs="/bucket/data/train/",
    wait=False,
    job_desc="create a job version",
)
results.append(setup.ended(job_version_instance))

# Sample 3: a custom image and its command
session = Session()
estimator = Estimator(
    modelarts_session=session,
    log_url="/bucket/log/",
    hyperparameters=[{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}],
    output_path="/bucket/output/",
    train_instance_type="modelarts.vm.gpu.p100",
    train_instance_count=1,
    user_command=(
        "bash -x /home/work/run_train.sh python /home/work/user-job-dir/app/mnist/mnist_softmax.py "
        "--data_url /home/work/user-job-dir/app/mnist_data"
    ),
    user_image_url="100.125.5.235:20202/jobmng/cpu-base:1.0",
    job_description="pytorch-sentiment with ModelArts SDK",
)
job_version_instance = estimator.create_job_version(
    job_id=job_id,
    pre_version_id=pre_version_id,
    inputs="/bucket/data/train/",
    wait=False,
    job_desc="create a job version",
)
results.append(setup.ended(job_version_instance))

# Sample 4: a built-in algorithm
session = Session()
estimator = Estimator(
    modelarts_session=session,
    model_name="Faster_RCNN_ResNet_v1_50",
    log_url="/bucket/log/",
    hyperparameters=[{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}],
    output_path="/bucket/output/",
    train_instance_type="modelarts.vm.gpu.p100",
    train_instance_count=1,
    job_description="pytorch-sentiment with ModelArts SDK",
)
job_version_instance = estimator.create_job_version(
    job_id=job_id,
    pre_version_id=pre_version_id,
    inputs="/bucket/data/train/",
    wait=False,
    job_desc="create a job version",
)
results.append(setup.ended(job_version_instance))

show(results)
