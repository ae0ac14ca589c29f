"""How lines of the service begin in the log of a version. Standard library only, since the supervisor uses it."""

SERVICE_LOG = "[Modelarts Service Log]"  # as the platform writes them
LOCAL_LOG = f"{SERVICE_LOG}[local] "  # what only this service says
