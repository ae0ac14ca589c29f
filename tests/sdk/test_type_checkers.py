"""What type checkers say of a program that uses the SDK: nothing of a right one, and each mistake in a wrong one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAD = """\
from pathlib import Path
from modelarts.estimator import Estimator, TrainingJob, VisualizationJob
from modelarts.session import Session
def train(session: Session, estimator: Estimator, job: TrainingJob, board: VisualizationJob) -> None:
"""
RIGHT = [
    "Estimator(session, 1, 'modelarts.vm.cpu.2u', code_dir=Path('src'), boot_file='train.py', pool_id='p')",
    "estimator.hyperparameters = {'lr': 0.1}",
    "estimator.hyperparameters = [{'label': 'lr', 'value': 0.1}]",
    "estimator.job_id = '5'",
    "estimator.fit(Path('data'), wait=True).wait(timeout=60, show=False).status.outcome.upper()",
    "estimator.create_job_version(1, '2', inputs='/bucket/data/').get_job_info().duration + 1",
    "Estimator.get_job_list(session, status=8).jobs[0].job_name.upper()",
    "[row['job_id'] for row in Estimator.iter_jobs(session, sortBy='create_time')]",
    "Estimator.get_train_instance_types(session)[0].upper()",
    "Estimator.get_framework_list(session)[0]['framework_type'].upper()",
    "Estimator.get_built_in_algorithms(session).models[0].model_name.upper()",
    "job.get_job_version_info().versions[0].version_name.upper()",
    "job.get_job_log('a', lines=5).content.upper()",
    "job.get_job_configs_info().config_name.upper()",
    "board.get_visualization_job_info().service_url.upper()",
    "board.job_name = 'curves'",
    "next(Estimator.iter_jobs(session)).job_name.upper()",
    "next(VisualizationJob.iter_visualization_jobs(session)).service_url.upper()",
    "job.get_job_info()['not documented']",
]
WRONG = {
    "estimator.hyperparamters = {'lr': 0.1}": 'has no attribute "hyperparamters"',
    "estimator.note = 1": 'has no attribute "note"',
    "Estimator(session, output_pth='/bucket/output/')": 'Unexpected keyword argument "output_pth"',
    "estimator.train_instance_count = 1.5": "Incompatible types in assignment",
    "estimator.fit(input='/bucket/data/')": 'Unexpected keyword argument "input"',
    "Estimator.iter_jobs(session, page=2)": 'Unexpected keyword argument "page"',
    "job.get_job_info().duration.upper()": '"int" has no attribute "upper"',
    "job.get_job_info()['job_name'] + 1": "Unsupported operand types",
    "Estimator.get_framework_list(session)[0]['framework']": '"framework" is not a valid TypedDict key',
    "Estimator.get_job_list(session).jobs[0].job_id.upper()": '"int" has no attribute "upper"',
    "job.get_job_info().statuss": 'has no attribute "statuss"',
    "job.get_job_version_info().versions[0].versionname": 'has no attribute "versionname"',
    "next(Estimator.iter_jobs(session)).jobname": 'has no attribute "jobname"',
    "next(Estimator.iter_job_configs(session)).name": 'has no attribute "name"',
    "next(VisualizationJob.iter_visualization_jobs(session)).jobname": 'has no attribute "jobname"',
    "job.stop_job_version().is_succes": 'has no attribute "is_succes"',
    "board.jobname = 'curves'": 'has no attribute "jobname"',
}


def messages(folder: Path) -> dict[str, str]:
    """What mypy reports, by statement."""
    program = folder / "program.py"
    statements = [*RIGHT, *WRONG]
    program.write_text(HEAD + "".join(f"    {statement}\n" for statement in statements), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(program)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        if f"{program.name}:" in line:
            number = int(line.partition(f"{program.name}:")[2].partition(":")[0])
            statement = statements[number - HEAD.count("\n") - 1]
            found[statement] = found.get(statement, "") + line
    assert found, done.stdout + done.stderr
    return found


def test_right_statements_pass_and_mistakes_are_reported(tmp_path: Path) -> None:
    found = messages(tmp_path)

    assert {statement: found[statement] for statement in RIGHT if statement in found} == {}
    assert {statement: said for statement, said in WRONG.items() if said not in found.get(statement, "nothing")} == {}
