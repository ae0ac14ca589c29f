"""What importing the SDK costs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import alternate, peak_mib, python_ms
from benchmarks.table import Row
from modelarts.local.runtime.script_path import SCRIPT_PATH

SDK = "from modelarts.session import Session; from modelarts.estimator import Estimator"
FIRST_SESSION = f"""{SDK}
Session(access_key="AK", secret_key="SK", project_id="project", region_name="cn-north-4")
"""  # loads the HTTP library, which the import alone does not
ROUNDS = 40


def measure() -> Iterator[Row]:
    samples, base = alternate(ROUNDS, python_ms(SDK), python_ms("import requests"))
    yield Row(
        name="import Session and Estimator", unit="ms", samples=samples, aim=0.6,
        yardstick="import requests", base=base,
    )  # fmt: skip
    samples, base = alternate(ROUNDS, python_ms(FIRST_SESSION), python_ms("import requests"))
    yield Row(
        name="import and a first session", unit="ms", samples=samples, aim=1.4,
        yardstick="import requests", base=base,
    )  # fmt: skip
    yield Row(
        name="import, peak memory", unit="MiB", samples=[peak_mib(SDK) for _ in range(5)], aim=32,
        note=f"import requests alone peaks at {peak_mib('import requests'):.1f} MiB, "
             f"python -c pass at {peak_mib('pass'):.1f} MiB",
    )  # fmt: skip
    samples, base = alternate(ROUNDS, python_ms("import modelarts"), python_ms("pass"))
    yield Row(name="import modelarts", unit="ms", samples=samples, aim=2, yardstick="python -c pass", base=base)
    job = f"import os, sys; os.environ['MOX_SILENT_MODE'] = '1'; sys.path.append({SCRIPT_PATH!r}); import moxing"
    samples, base = alternate(ROUNDS, python_ms(job), python_ms("import logging"))
    yield Row(
        name="import moxing in a job", unit="ms", samples=samples, aim=1.5, yardstick="import logging", base=base
    )
