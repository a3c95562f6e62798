"""The client's side of the Debug Adapter Protocol, as an editor speaks it to debugpy."""

import json
import socket
import time
from typing import Any

_WITHIN_S = 60.0


class DapClient:
    """One connection to a debug adapter."""

    def __init__(self, port: int) -> None:
        self._connection = _connect(port)
        self._file = self._connection.makefile("rwb")
        self._sequence = 0
        self._events: list[dict[str, Any]] = []

    def close(self) -> None:
        """Ends the connection."""
        self._file.close()
        self._connection.close()

    def send(self, command: str, arguments: dict[str, Any]) -> int:
        """Sends a request and returns its number."""
        self._sequence += 1
        message = {"seq": self._sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._file.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._file.flush()
        return self._sequence

    def answer(self, number: int) -> dict[str, Any]:
        """The body of the answer to a request; events that come meanwhile are kept."""
        while True:
            message = self._receive()
            if message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                body: dict[str, Any] = message.get("body") or {}
                return body
            if message["type"] == "event":
                self._events.append(message)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Sends a request and returns the body of its answer."""
        return self.answer(self.send(command, arguments))

    def event(self, name: str) -> dict[str, Any]:
        """The body of the next event of that name."""
        while True:
            for message in self._events:
                if message["event"] == name:
                    self._events.remove(message)
                    body: dict[str, Any] = message.get("body") or {}
                    return body
            message = self._receive()
            if message["type"] == "event":
                self._events.append(message)

    def attach(self, local: str, remote: str, breakpoint_at: tuple[str, int]) -> None:
        """What VS Code does for a launch.json with these path mappings and one breakpoint."""
        self.ask("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
        mappings = [{"localRoot": local, "remoteRoot": remote}]
        attaching = self.send("attach", {"pathMappings": mappings, "justMyCode": False})
        self.event("initialized")
        path, line = breakpoint_at
        found = self.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": line}])
        assert [one["line"] for one in found["breakpoints"]] == [line]
        self.ask("configurationDone")
        self.answer(attaching)

    def variables(self, thread: int) -> tuple[dict[str, Any], dict[str, str]]:
        """The frame that a thread stands in, and its local variables."""
        frame = self.ask("stackTrace", threadId=thread)["stackFrames"][0]
        scope = self.ask("scopes", frameId=frame["id"])["scopes"][0]
        listed = self.ask("variables", variablesReference=scope["variablesReference"])["variables"]
        return frame, {one["name"]: one["value"] for one in listed}

    def _receive(self) -> dict[str, Any]:
        length = 0
        while (line := self._file.readline().strip()) or not length:
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
            assert line, "the debug adapter closed the connection"
        message: dict[str, Any] = json.loads(self._file.read(length))
        return message


def _connect(port: int) -> socket.socket:
    """A connection, once somebody listens."""
    deadline = time.monotonic() + _WITHIN_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=_WITHIN_S)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"nobody listens on {port}"
            time.sleep(0.05)
