"""A driving session as a card has it, and the stops that a Pi was sent."""

from __future__ import annotations

from typing import Any

from rig import Pi, Socket

CAR = "sensor.car1_car"
FORWARD = {"x": 0.0, "y": 0.5}
STOP = "stop"


class Drive:
    """A session over a websocket, as a card has it."""

    def __init__(self, socket: Socket, pi: Pi) -> None:
        self.socket, self.pi = socket, pi
        self.first: dict[str, Any] = {}
        self.token: str | None = None
        self.seq = 0

    async def open(self, **named: str) -> dict[str, Any]:
        answer = await self.socket.ask("pimqtt/drive", **(named or {"entity_id": CAR}))
        assert answer["success"], answer
        self.subscription = answer["id"]
        self.first = await self.socket.event()
        self.token = self.first["token"]
        return self.first

    async def send(self, value: Any = None, **more: Any) -> dict[str, Any]:
        """Send with the newest token, and return the answer's event."""
        answer = await self.put(value, **more)
        assert answer["success"], answer
        seq = more.get("seq", self.seq)
        event = await self.socket.event(lambda event: "answer" in event and event["answer"]["seq"] == seq)
        self.token = event.get("token", self.token)
        return event

    async def put(self, value: Any = None, **more: Any) -> dict[str, Any]:
        self.seq += 1
        message = {"session": self.first["session"], "seq": self.seq, "value": value or FORWARD, "token": self.token}
        return await self.socket.ask("pimqtt/drive/send", **{**message, **more})

    async def end(self) -> None:
        assert (await self.socket.ask("unsubscribe_events", subscription=self.subscription))["success"]
        await self.pi.hass.async_block_till_done()


def stops(pi: Pi, output: str = "car") -> list[Any]:
    return [one for one in pi.commands(output) if one["value"] == STOP]
