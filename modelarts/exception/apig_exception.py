"""The error of a call that the service refused, by the name that scripts for the original SDK import."""

from modelarts.errors import ApiError as APIGException

__all__ = ["APIGException"]
