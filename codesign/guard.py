# SPDX-License-Identifier: Apache-2.0
"""Run a program that ends when the process that started it does, even by SIGKILL: ``python guard.py PROGRAM ARGS``.

Standard input is a pipe that only the starter holds open; when it closes, the program and its children, a process group
of their own, are killed. The program itself reads nothing. Not to be imported; imports as little as it can, since it
starts with every tool.
"""

import _thread
import os
import signal
import sys


def _watch(group: int) -> None:
    while os.read(0, 1):
        pass
    try:  # noqa: SIM105  (contextlib takes longer to import than all the rest)
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def main(argv: list[str]) -> int:
    """Run ``argv`` and return its exit status; 128 + signal if a signal ended it, as in a shell."""
    try:
        tool = os.posix_spawn(
            argv[0],
            argv,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
            setpgroup=0,
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them; programs do not expect that
        )
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        return 127
    _thread.start_new_thread(_watch, (tool,))
    code = os.waitstatus_to_exitcode(os.waitpid(tool, 0)[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
