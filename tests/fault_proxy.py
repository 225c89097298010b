"""A bad network before a real server: what becomes of the next request is said beforehand. No tests here."""

import asyncio
import contextlib
import socket
import struct
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass
from enum import Enum

PIECE = 16 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: closing is a reset
SLOW = 2_000_000  # bytes a second
LATE = 0.2  # seconds


class Kind(Enum):
    """What may happen to one request; `at` is counted in bytes of its body."""

    fine = "passes"
    slow = "passes at SLOW"
    late = "passes after LATE, and its answer comes as late"
    cut = "both ends are reset after so many bytes"
    closed = "both ends are closed in order after so many bytes"
    half_closed = "the server is told after so many bytes that no more will come; its answer passes"
    silent = "after so many bytes nothing passes and nobody is told, as when a phone loses its signal"
    answer_lost = "passes whole; its answer never comes back"
    twice = "reaches the server over two connections at the same time"
    again = "reaches the server once more after it was answered"


BREAKS = frozenset((Kind.cut, Kind.closed, Kind.half_closed, Kind.silent))


@dataclass(frozen=True)
class Fault:
    """What becomes of one request."""

    kind: Kind = Kind.fine
    at: int = 0


FINE = Fault()


class Network:
    """Carries one request per connection. `next` holds for the next one only; `sent` counts the client's bytes.

    `meant`: it waits for a request that begins like this, so that a browser, which asks for much else meanwhile, can be
    cut off in its upload. Only for faults of BREAKS.
    """

    def __init__(self, port: int, *, meant: bytes = b"") -> None:
        self.port, self.next, self.sent, self.meant = port, FINE, 0, meant
        self._silent: list[StreamWriter] = []  # kept open: the server does not know yet
        self._carriers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Network":
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PIECE)  # little is under way when it breaks
        self._server = await asyncio.start_server(self._take, sock=listening, limit=4 * PIECE)
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for carrier in self._carriers:
            carrier.cancel()
        if self._carriers:
            await asyncio.wait(self._carriers)
        for writer in self._silent:
            _reset(writer)

    def fault(self) -> Fault:
        """Of one request; the ones after it pass."""
        fault, self.next = self.next, FINE
        return fault

    def _take(self, phone: StreamReader, to_phone: StreamWriter) -> None:
        carrier = asyncio.create_task(self._carry(phone, to_phone))
        self._carriers.add(carrier)
        carrier.add_done_callback(self._carriers.discard)

    async def _carry(self, phone: StreamReader, to_phone: StreamWriter) -> None:
        line = _Line(self, FINE if self.meant else self.fault(), phone, to_phone)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await line.carry()
        finally:
            if line.fault.kind is Kind.silent:
                self._silent += line.ends
            else:
                for writer in line.ends:
                    writer.close()


class _Line:
    """One connection of a phone, and the one or two behind it."""

    def __init__(self, network: Network, fault: Fault, phone: StreamReader, to_phone: StreamWriter) -> None:
        self.network, self.fault, self.phone, self.to_phone = network, fault, phone, to_phone
        self.servers: list[tuple[StreamReader, StreamWriter]] = []
        self.ends = [to_phone]
        self.whole = bytearray()

    async def carry(self) -> None:
        """Both directions at once: a server may answer before it has read everything."""
        if self.fault.kind is Kind.late:
            await asyncio.sleep(LATE)
        for _ in range(2 if self.fault.kind is Kind.twice else 1):
            await self._connect()
        if self.fault.kind is Kind.silent:
            return await self._up()
        up = asyncio.create_task(self._up())
        try:
            await self._down(self.servers[0][0])
            for reader, _ in self.servers[1:]:
                await _read_to_end(reader)
        finally:
            up.cancel()
            await asyncio.wait([up])
        if self.fault.kind is Kind.again:
            reader, writer = await self._connect()
            writer.write(self.whole)
            await _read_to_end(reader)

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        self.servers.append(await asyncio.open_connection("127.0.0.1", self.network.port))
        self.ends.append(self.servers[-1][1])
        return self.servers[-1]

    async def _up(self) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await self.phone.readuntil(b"\r\n\r\n")
            if self.network.meant:
                head = head[:-2] + b"connection: close\r\n\r\n"  # a browser would send its next request behind this one
                self.fault = self.network.fault() if head.startswith(self.network.meant) else self.fault
            await self._forward(head)
            left = self.fault.at if self.fault.kind in BREAKS else None
            while left != 0 and (piece := await self.phone.read(PIECE if left is None else min(PIECE, left))):
                await self._forward(piece)
                left = None if left is None else left - len(piece)
                if self.fault.kind is Kind.slow:
                    await asyncio.sleep(len(piece) / SLOW)
            self._break()

    async def _forward(self, piece: bytes) -> None:
        self.network.sent += len(piece)
        if self.fault.kind is Kind.again:
            self.whole += piece
        for _, writer in self.servers:
            writer.write(piece)
            await writer.drain()

    def _break(self) -> None:
        """The phone has gone, or this is as far as it got."""
        match self.fault.kind:
            case Kind.silent:
                pass
            case Kind.half_closed:
                self.servers[0][1].write_eof()
            case Kind.closed:
                for writer in self.ends:
                    writer.close()
            case _:
                for writer in self.ends:
                    _reset(writer)

    async def _down(self, server: StreamReader) -> None:
        while piece := await server.read(PIECE):
            if self.fault.kind is Kind.answer_lost:
                _reset(self.to_phone)
                return
            if self.fault.kind is Kind.late:
                await asyncio.sleep(LATE)
            self.to_phone.write(piece)
            await self.to_phone.drain()


async def _read_to_end(reader: StreamReader) -> None:
    while await reader.read(PIECE):
        pass


def _reset(writer: StreamWriter) -> None:
    """As a network does that forgot the connection."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
