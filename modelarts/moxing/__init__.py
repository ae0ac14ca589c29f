"""A stand-in for MoXing: `mox.file` over the buckets of the local service, or of a session.

In a job it is imported as `moxing`; elsewhere as `from modelarts import moxing as mox`. It uses the standard library
only and runs on Python 3.6, because that may be the interpreter of a job. `docs/reference/moxing.md` lists what it
offers.
"""

from ._package import set_up

set_up(__name__)

from .framework import file as file  # noqa: E402
from .framework import util as util  # noqa: E402
