#!/bin/bash
set -e
cat "$1"
python - "$@" <<END
import os, sys
import moxing as mox
mox.file.copy(sys.argv[1], os.path.join(sys.argv[2], os.path.basename(sys.argv[1])))
END
