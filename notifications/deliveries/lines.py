"""A limit for a whole request over HTTP: the thread's lines are cut when its time is over.

The time-outs of sockets hold for one read each: who sends a byte every few seconds would be heard for hours.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Lines:
    """What one request has opened."""

    def __init__(self) -> None:
        self._lock, self._open, self.over = threading.Lock(), list[socket.socket](), False

    def add(self, line: socket.socket) -> None:
        """A second handle on it: the first one goes into the encryption, and is none any more."""
        with self._lock:
            self._open.append(line.dup())
            if self.over:
                _cut(self._open[-1])

    def cut(self) -> None:
        with self._lock:
            self.over = True
            for line in self._open:
                _cut(line)

    def close(self) -> None:
        with self._lock:
            for line in self._open:
                line.close()
            self._open.clear()


_here = threading.local()


@contextmanager
def cut_after(seconds: float) -> Iterator[None]:
    """What this thread asks within ends after so long, with TimeoutError, wherever it is; a try to connect that has
    begun is the last one.
    """
    lines = _here.lines = _Lines()
    timer = threading.Timer(seconds, lines.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if lines.over:
            raise TimeoutError from None  # its text holds the whole address
        raise
    finally:
        timer.cancel()
        timer.join()
        lines.close()
        del _here.lines
    if lines.over:
        raise TimeoutError  # an answer without a length looks whole when it was cut


def _cut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended by itself


class _InTime(list[Any]):
    """The options of a socket, which are read before each address of a host is tried: none is when time is over."""

    def __iter__(self) -> Iterator[Any]:
        if _here.lines.over:
            raise TimeoutError
        return super().__iter__()


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:  # before the encryption is agreed upon: that may trickle, too
        self.socket_options = _InTime(self.socket_options or ())
        line = super()._new_conn()
        _here.lines.add(line)
        return line


class _Https(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        self.socket_options = _InTime(self.socket_options or ())
        line = super()._new_conn()
        _here.lines.add(line)
        return line


class Adapter(HTTPAdapter):
    """Opens lines that cut_after can cut, through a proxy as well."""

    def get_connection_with_tls_context(self, *args: Any, **said: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **said)
        pool.ConnectionCls = _Https if pool.scheme == "https" else _Http
        return pool
