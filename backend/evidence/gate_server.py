"""The gate's fork server: has everything loaded, touches no photo, forks a child for each. Started by gate_pool.py.

Its one argument is its end of a socket pair, then come the files of fonts for captions. Each photo comes as one byte
with four descriptors: photo, display copy, thumbnail, and a line of its own to who asks (docs/decisions/0023). When
the child is over the server writes how it ended on that line. Who hangs up has the child killed.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

if __name__ == "__main__":  # -I leaves out where we lie; what is imported below imports nothing else of ours
    sys.path.append(str(Path(__file__).parents[2]))

from backend.evidence import gate_caption, gate_child

PARTS = 4


class Server:
    """Children at work, each by its id with the line of who asked for it."""

    def __init__(self, control: socket.socket, fonts: gate_caption.Fonts) -> None:
        self._control = control
        self._fonts = fonts
        self._lines: dict[int, socket.socket] = {}
        self._ends, self._bell = socket.socketpair()  # rings when a child is over
        self._ends.setblocking(False)
        self._bell.setblocking(False)
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._poll = select.poll()

    def serve(self) -> None:
        """Until nobody can ask any more and the last child is over."""
        self._poll.register(self._control, select.POLLIN)
        self._poll.register(self._ends, select.POLLIN)
        asked = True
        while asked or self._lines:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._ends.fileno():
                    self._reap()
                elif descriptor == self._control.fileno():
                    asked = self._take_next()
                else:
                    self._kill(descriptor)

    def _take_next(self) -> bool:
        """The next photo gets its child. False when nobody is left to ask."""
        byte, parts, _, _ = socket.recv_fds(self._control, 1, PARTS)
        if not byte:
            self._poll.unregister(self._control)
            return False
        try:
            if len(parts) == PARTS:  # else we are out of descriptors: who asks hears nothing, and starts another server
                self._start(parts, socket.socket(fileno=os.dup(parts[-1])))
        finally:
            for part in parts:
                os.close(part)
        return True

    def _start(self, parts: Sequence[int], line: socket.socket) -> None:
        ourselves = os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            _say(line, fork=error.errno or 0)
            line.close()
            return
        if child == 0:
            self._become_child(parts[:-1], line, ourselves)
        self._lines[child] = line
        self._poll.register(line, select.POLLRDHUP)

    def _become_child(self, parts: Sequence[int], line: socket.socket, server: int) -> None:
        """Never returns. What belongs to other photos is closed before a byte of this one is read."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _keep_only(*parts, line.fileno())
            gate_child.one_photo(parts, line, self._fonts, server)
        finally:
            os._exit(gate_child.BROKEN)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            while self._ends.recv(512):
                pass
        while self._lines:
            child, status, used = os.wait4(-1, os.WNOHANG)
            if child == 0:
                return
            line = self._lines.pop(child)
            with suppress(KeyError):  # who asked has hung up before
                self._poll.unregister(line)
            cpu = used.ru_utime + used.ru_stime
            _say(line, ended=os.waitstatus_to_exitcode(status), cpu=cpu, memory=used.ru_maxrss * 1024)
            line.close()

    def _kill(self, descriptor: int) -> None:
        with suppress(KeyError):  # its child was over in the same moment
            self._poll.unregister(descriptor)
        for child, line in self._lines.items():  # ours and not yet waited for: the id is nobody else's
            if line.fileno() == descriptor:
                os.kill(child, signal.SIGKILL)


def _say(line: socket.socket, **how: float) -> None:
    """Never waits: a hostile child may have filled the line, and who asked may be gone.

    Always on a line of its own: the child may have ended in the middle of one.
    """
    with suppress(OSError):
        line.send(b"\n" + json.dumps(how).encode() + b"\n", socket.MSG_DONTWAIT)


def _keep_only(*descriptors: int) -> None:
    lowest = 3
    for kept in sorted(descriptors):
        os.closerange(lowest, kept)
        lowest = kept + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    server = Server(control, gate_caption.Fonts([Path(name) for name in sys.argv[2:]]))
    # From here on nobody writes to the log: hostile bytes might speak through a decoder's warnings.
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 2)
    os.close(quiet)
    gc.collect()
    gc.freeze()  # what is shared stays shared: no child's collector writes into it
    server.serve()


if __name__ == "__main__":
    main()
