"""The scheduler by which workers of MindSpore find each other, where the interpreter of the job has MindSpore.

On the platform, `init()` reads the rank table, which needs Ascend devices. Elsewhere it needs a scheduler, whose
address is in variables (MS_SCHED_HOST and others). Syntax of Python 3.6: the interpreter of the engine runs it.
"""

import os


def main() -> None:
    os.environ["MS_ROLE"] = "MS_SCHED"
    silent = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):  # its log is for developers of MindSpore
        os.dup2(silent, output)
    try:
        import mindspore.communication  # type: ignore[import-not-found]
    except ImportError:  # scripts of this engine need not use it
        return
    mindspore.set_context(device_target="CPU")
    mindspore.communication.init()


if __name__ == "__main__":
    main()
