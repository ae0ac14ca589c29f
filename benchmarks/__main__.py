"""`python -m benchmarks [NAME ...] [--json FILE]`: measure in an environment like an ordinary installation's.

An editable installation makes every start of Python in its environment slower, yardsticks included, which would
flatter the ratios. So the measuring itself, `benchmarks.run`, gets an environment that only has the paths.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MASKED = ("MODELARTS_", "HUAWEICLOUD_", "PYTHON", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
           "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # fmt: skip


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, symlinks=True)
        python = Path(scratch, "bin", "python")
        asked = [str(python), "-c", "import site; print(site.getsitepackages()[0])"]
        packages = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
        Path(packages, "paths.pth").write_text("\n".join([str(ROOT), *site.getsitepackages()]), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(_MASKED)}
        return subprocess.call([str(python), "-m", "benchmarks.run", *sys.argv[1:]], env=environment)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
