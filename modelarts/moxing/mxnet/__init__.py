"""`moxing.mxnet` offers `file`; the training framework of this name is not provided, and the engine not imported."""

from .._package import explain_missing
from ..framework import file as file
from ..framework import util as util

explain_missing(__name__)
