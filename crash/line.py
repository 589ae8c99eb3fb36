"""The line between the web and PostgreSQL, which can be made slow, be cut, or lose the answer to a commit."""

import asyncio
import random
import threading
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
_CHUNK = 65536
_HANDSHAKE = 1  # chunks of a client before its connection is settled; a fault then would only refuse it


class Fault(StrEnum):
    """What the line can do to those who use it."""

    NONE = "none"
    LATENCY = "latency"  # every chunk waits `strength` seconds
    RESET = "reset"  # a share of requests never arrives, and the connection dies
    ACKLOSS = "ackloss"  # a share of requests arrives and is done, but its answer is lost with the connection
    SILENCE = "silence"  # nothing passes either way until healed
    DOWN = "down"  # every connection is cut and none is taken


class FaultyLine:
    """A relay between two unix sockets, run by a thread of its own.

    It is the case that a plain network fault tool lacks: ACKLOSS forwards the request, waits for PostgreSQL's answer
    and then drops it, so that nobody on our side can know whether the commit happened.
    """

    def __init__(self, folder: Path, upstream: Path, *, seed: int) -> None:
        self.folder = folder
        self._here, self._there = folder / SOCKET, upstream / SOCKET
        self._random = random.Random(seed)
        self._fault, self._strength = Fault.NONE, 0.0
        self.struck = 0  # how often the fault of the moment, or the last one, was felt
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faulty-line", daemon=True)

    def start(self) -> None:
        """Takes connections from now on."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._here.unlink(missing_ok=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the line to PostgreSQL did not open")

    def stop(self) -> None:
        """Cuts everything and ends the thread."""
        self.suffer(Fault.DOWN)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._here.unlink(missing_ok=True)

    def suffer(self, fault: Fault, strength: float = 0.0) -> None:
        """From now on does `fault`; strength is a share of requests or a time in seconds."""
        self.struck = 0
        self._fault, self._strength = fault, strength
        if fault is Fault.DOWN:
            self._loop.call_soon_threadsafe(self._cut_all)

    def heal(self) -> None:
        """Passes everything again."""
        self._fault = Fault.NONE

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_unix_server(self._serve, self._here))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _cut_all(self) -> None:
        for writer in tuple(self._open):
            self.struck += 1
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault is Fault.DOWN:
            self.struck += 1
            writer.transport.abort()
            return
        try:
            behind, forth = await asyncio.open_unix_connection(self._there)
        except OSError:  # PostgreSQL itself is down
            writer.transport.abort()
            return
        both = {writer, forth}
        self._open |= both
        try:
            pair = _Pair(self, (writer, forth))
            await asyncio.gather(pair.requests(reader, forth), pair.answers(behind, writer))
        finally:
            self._open -= both

    def strikes(self) -> bool:
        """Whether a fault that hits a share of requests hits this one."""
        hit = self._random.random() < self._strength
        self.struck += hit
        return hit

    @property
    def fault(self) -> Fault:
        """What is being suffered now."""
        return self._fault

    @property
    def strength(self) -> float:
        """Share of requests, or seconds, according to the fault."""
        return self._strength


class _Pair:
    """One client's connection and the one to PostgreSQL behind it."""

    def __init__(self, line: FaultyLine, ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self._line, self._ends = line, ends
        self._losing = False
        self._seen = 0

    async def requests(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Carries what the client says."""
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                self._seen += 1
                await self._delay()
                settled = self._seen > _HANDSHAKE
                if settled and self._line.fault is Fault.RESET and self._line.strikes():
                    break
                if settled and self._line.fault is Fault.ACKLOSS and self._line.strikes():
                    self._losing = True
                target.write(chunk)
                await target.drain()
        if not self._losing:
            self._cut()

    async def answers(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Carries what PostgreSQL says, or drops it together with both connections."""
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                if self._losing:
                    break
                await self._delay()
                target.write(chunk)
                await target.drain()
        self._cut()

    async def _delay(self) -> None:
        if self._line.fault in (Fault.LATENCY, Fault.SILENCE):
            self._line.struck += 1
        if self._line.fault is Fault.LATENCY:
            await asyncio.sleep(self._line.strength)
        silent_since = time.monotonic()
        while self._line.fault is Fault.SILENCE and time.monotonic() - silent_since < 60:
            await asyncio.sleep(0.02)

    def _cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
