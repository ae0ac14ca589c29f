"""A program as people write them for the cloud: everything is in the script, and it polls.

LOGIN and ENDPOINT stand for what its author would have typed in; the test replaces them.
"""
# ruff: noqa: PTH123, PTH208, UP031

import copy
import os
import time

from modelarts.estimator import JOB_STATE, Estimator
from modelarts.exception.apig_exception import APIGException
from modelarts.session import Session

BUCKET = "public-client"
ENDED = ("JOBSTAT_COMPLETED", "JOBSTAT_FAILED", "JOBSTAT_KILLED", "JOBSTAT_LOST")

Session.set_endpoint(
    iam_endpoint="ENDPOINT",
    obs_endpoint="ENDPOINT",
    modelarts_endpoint="ENDPOINT",
    region_name="cn-north-4",
)
session = Session(**LOGIN)  # noqa: F821
print("region:", session.region_name, "keys:", bool(session.auth.access_key and session.auth.secret_key))


def wait_for(job, until=ENDED):
    """Poll the status of a job, and return its last details."""
    while True:
        info = job.get_job_info()
        if not info["is_success"]:
            raise RuntimeError(info["error_msg"])
        if JOB_STATE[info["status"]] in until:
            return info
        time.sleep(0.1)


session.create_bucket(BUCKET)
session.create_directory(BUCKET, "/log/")
session.obs.upload_dir("code", "obs://%s/" % BUCKET)
session.obs.upload_file("data/rows.csv", "obs://%s/data/" % BUCKET)
print("uploaded:", session.obs.is_obs_path_exists("obs://%s/code/train.py" % BUCKET))
print("flavor:", "modelarts.vm.cpu.2u" in Estimator.get_train_instance_types(modelarts_session=session))
print("engine:", {"framework_type": "PyTorch", "framework_version": "PyTorch-1.0.0-python3.6"}
      in Estimator.get_framework_list(modelarts_session=session))  # fmt: skip

estimator = Estimator(
    modelarts_session=session,
    framework_type="PyTorch",
    framework_version="PyTorch-1.0.0-python3.6",
    code_dir="/%s/code/" % BUCKET,
    boot_file="/%s/code/train.py" % BUCKET,
    log_url="/%s/log/" % BUCKET,
    hyperparameters=[{"label": "seconds", "value": "0"}, {"label": "lr", "value": 0.01}],
    output_path="/%s/output/V0001/" % BUCKET,
    train_instance_type="modelarts.vm.cpu.2u",
    train_instance_count=1,
    job_description="first version",
)
job_instance = estimator.fit("/%s/data/" % BUCKET, False, "public_client")
info = wait_for(job_instance)
print("status: " + str(info["status"]), "%s" % info["status"], f"{info['status']}", JOB_STATE[info["status"]])
print({"status": info["status"], "name": info["job_name"], "version": int(info["version_name"][1:])})
print("seconds:", info["duration"] / 1000 >= 0, "output:", job_instance.train_url, info.train_url)

files = job_instance.get_job_log_file_list()
print("log files:", files["log_file_list"])
content = estimator.get_job_log(log_file=files["log_file_list"][-1]).get("content")
print([line for line in content.splitlines() if line.startswith("trained")])
session.obs.download_dir("obs://%s/log/" % BUCKET, ".")
print("log objects:", [name == "%s-job-public_client-0.log" % info["resource_id"] for name in os.listdir("log")])
session.obs.download_file("obs://%s/output/V0001/model.txt" % BUCKET, "model.txt")
with open("model.txt") as file:
    print("model:", file.read())

second = copy.deepcopy(estimator)
second.hyperparameters = [{"label": "seconds", "value": "60"}]
second.output_path = "/%s/output/V0002/" % BUCKET
second.create_job_version(
    job_id=str(job_instance.job_id), pre_version_id=info["version_id"], inputs="/%s/data/" % BUCKET, wait=False,
    job_desc="second version",
)  # fmt: skip
wait_for(second, ("JOBSTAT_RUNNING",))
print(second.stop_job_version())
info = wait_for(second)
print("stopped:", info["status"], info["status"].name, info["version_name"])
try:
    again = second.stop_job_version()
    print("stopped again:", again["is_success"], again["error_code"])
except APIGException as error:
    print("stopped again:", error.code)

versions = estimator.get_job_version_info()
print("versions:", versions["version_count"], [(row["version_name"], row["status"]) for row in versions["versions"]])
job_instance.get_job_version_object_list(is_show=False)
jobs = Estimator.get_job_list(session, per_page=10, page=1, sort_by="create_time", order="desc",
                              search_content="public_client")  # fmt: skip
print("jobs:", jobs.get("job_total_count", 0), jobs["jobs"][0].get("job_id") == jobs["jobs"][0].job_id)
print("deleted:", Estimator.delete_job_by_id(session, jobs["jobs"][0]["job_id"])["is_success"])
session.obs.delete("obs://%s/" % BUCKET, recursive=True)
session.delete_bucket(BUCKET)
