"""`moxing.framework`: files and utilities."""

from . import file as file
from . import util as util
