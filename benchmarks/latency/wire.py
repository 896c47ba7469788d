"""A TCP forwarder between client and agent that can be cut, as a network is."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Wire:
    """Forwards connections on `port` of this machine to `to`; while cut it drops them all."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            ends, self._open = self._open, set()
        for end in ends:
            _shut(end)

    def repair(self) -> None:
        with self._lock:
            self._cut = False

    def close(self) -> None:
        _shut(self._listener)
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            _shut(near)  # the agent is down
            return
        with self._lock:
            if not self._cut:
                self._open |= {near, far}
        if near not in self._open:
            _shut(near)
            _shut(far)
            return
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        with self._lock:
            self._open -= {one, other}
        _shut(one)
        _shut(other)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
