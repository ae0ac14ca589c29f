"""Why the workers of a version cannot be started."""


class StartFailure(Exception):
    """The reason, and the return code of the version."""

    def __init__(self, reason: str, code: int = 1) -> None:
        super().__init__(reason)
        self.code = code
