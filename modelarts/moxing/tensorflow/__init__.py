"""`moxing.tensorflow` offers `file`; the training framework of this name is not provided, and not its engine."""

from .._package import explain_missing
from ..framework import file as file
from ..framework import util as util

explain_missing(__name__)


def cache(*_: object, **__: object) -> None:
    """Nothing: buckets are not mounted here. Scripts call it first to work around faults of OBS."""
