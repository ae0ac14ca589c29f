"""The documented job statuses, and what each means for a wait (modelarts_03_0074)."""

from __future__ import annotations

JOB_STATE = [
    "JOBSTAT_UNKNOWN",
    "JOBSTAT_INIT",
    "JOBSTAT_IMAGE_CREATING",
    "JOBSTAT_IMAGE_FAILED",
    "JOBSTAT_SUBMIT_TRYING",
    "JOBSTAT_SUBMIT_FAILED",
    "JOBSTAT_DELETE_FAILED",
    "JOBSTAT_WAITING",
    "JOBSTAT_RUNNING",
    "JOBSTAT_KILLING",
    "JOBSTAT_COMPLETED",
    "JOBSTAT_FAILED",
    "JOBSTAT_KILLED",
    "JOBSTAT_CANCELED",
    "JOBSTAT_LOST",
    "JOBSTAT_SCALING",
    "JOBSTAT_SUBMIT_MODEL_FAILED",
    "JOBSTAT_DEPLOY_SERVICE_FAILED",
    "JOBSTAT_CHECK_INIT",
    "JOBSTAT_CHECK_RUNNING",
    "JOBSTAT_CHECK_RUNNING_COMPLETED",
    "JOBSTAT_CHECK_FAILED",
    "MOUNT_FAILED",
]

PENDING, SUCCEEDED, FAILED, STOPPED, LOST = "pending", "succeeded", "failed", "stopped", "lost"

OUTCOMES = {
    0: PENDING, 1: PENDING, 2: PENDING, 3: FAILED, 4: PENDING, 5: FAILED, 6: FAILED, 7: PENDING, 8: PENDING,
    9: PENDING, 10: SUCCEEDED, 11: FAILED, 12: STOPPED, 13: STOPPED, 14: LOST, 15: PENDING, 16: FAILED,
    17: FAILED, 18: PENDING, 19: PENDING, 20: PENDING, 21: FAILED, 22: FAILED,
}  # fmt: skip


class JobStatus(int):
    """A status as documented: an integer, which is also what it prints as; its name is `JOB_STATE[status]`, too."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its documented name, such as `JOBSTAT_RUNNING`."""
        return JOB_STATE[self] if 0 <= self < len(JOB_STATE) else f"STATUS_{int(self)}"

    @property
    def outcome(self) -> str:
        """Its meaning for a wait; an undocumented status counts as pending."""
        return OUTCOMES.get(int(self), PENDING)

    @property
    def ended(self) -> bool:
        return self.outcome != PENDING


INIT = JobStatus(1)
WAITING = JobStatus(7)
RUNNING = JobStatus(8)
KILLING = JobStatus(9)
COMPLETED = JobStatus(10)
RUN_FAILED = JobStatus(11)
KILLED = JobStatus(12)
RUN_LOST = JobStatus(14)
SUBMIT_MODEL_FAILED = JobStatus(16)
