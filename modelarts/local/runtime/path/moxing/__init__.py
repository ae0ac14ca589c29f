"""`import moxing` in a job: the folder above is on the path of jobs; the code is that of `modelarts.moxing`."""

import os
import sys

if sys.version_info < (3, 6):  # the syntax of this file is that of Python 2, too
    raise ImportError("moxing on the local service needs Python 3.6 or later; this is %s" % sys.version.split()[0])

__path__[:] = [os.path.normpath(os.path.join(__path__[0], os.pardir, os.pardir, os.pardir, os.pardir, "moxing"))]

from ._package import set_up  # noqa: E402

set_up(__name__)

from .framework import file as file  # noqa: E402
from .framework import util as util  # noqa: E402
