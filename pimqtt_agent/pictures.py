"""Pictures leave by a connection of their own, so that they never hold up a stop or a state."""

from __future__ import annotations

import logging

from pimqtt_agent.bridge import Bridge
from pimqtt_agent.broker import forever
from pimqtt_agent.model import Model
from pimqtt_agent.settings import MqttOptions

log = logging.getLogger(__name__)


class Pictures:
    """The last picture of every camera, and the connection that carries them."""

    def __init__(self, options: MqttOptions, client_id: str, model: Model) -> None:
        """Nothing connects until ``run``, and only where there is a camera."""
        self._model = model
        self._last: dict[str, bytes] = {}
        self._wanted = any(device.keeper == "camera" for device in model.devices.values())
        self._bridge = Bridge(options, client_id, on_session=self._connected, on_batch=lambda _messages, _drained: None)

    async def run(self) -> None:
        """Stay connected."""
        if self._wanted:
            await forever(self._bridge)

    def take(self, device: str, picture: bytes) -> None:
        """Publish a picture and keep it."""
        if picture:
            self._last[device] = picture
            self._publish(device)

    def again(self) -> None:
        """Publish the last pictures once more: Home Assistant has just started."""
        for device in self._last:
            self._publish(device)

    async def _connected(self) -> None:
        self.again()

    def _publish(self, device: str) -> None:
        picture, topic = self._last[device], self._model.topics.device(device, "image")
        self._bridge.publish(topic, picture)
        if self._bridge.connected and len(picture) > self._bridge.room(topic):
            log.error("%s: a picture of %d bytes is more than the broker takes; lower max_bytes", device, len(picture))
        self._bridge.flush()
