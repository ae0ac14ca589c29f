"""`moxing.framework.util`: the level of the root logger, and text conversion."""

from . import compat as compat
from . import runtime as runtime
