"""`import moxing` in a job: the folder above is on the path of jobs; the code is that of `modelarts.moxing`."""

import os

__path__[:] = [os.path.normpath(os.path.join(__path__[0], *[os.pardir] * 4, "moxing"))]

from ._package import set_up  # noqa: E402

set_up(__name__)

from .framework import file as file  # noqa: E402
from .framework import util as util  # noqa: E402
