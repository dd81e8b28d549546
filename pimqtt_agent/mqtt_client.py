"""The MQTT client under the bridge: paho with whole buffers, and what its pings tell."""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from pimqtt_agent.buffered import Buffered
from pimqtt_agent.clock import boottime_s


class Client(Buffered, paho.Client):
    """paho with whole buffers, and a ping at will.

    What comes behind the answer to a ping left the broker after that ping: since ``proven_s``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.proven_s = boottime_s()
        #: how old an answer may be without that another one is asked for at once (s)
        self.fresh_s = inf
        self._asked_s: deque[float] = deque()  # paho may ask again before the first answer

    def _send_pingreq(self) -> MQTTErrorCode:
        self._asked_s.append(boottime_s())
        return super()._send_pingreq()

    def _handle_pingresp(self) -> MQTTErrorCode:
        if self._asked_s:
            self.proven_s = self._asked_s.popleft()
        done = super()._handle_pingresp()
        if boottime_s() - self.proven_s > self.fresh_s:
            self.ping()
        return done

    def ping(self) -> None:
        """Ask the broker for a sign of life."""
        if self._ping_t == 0:
            self._send_pingreq()

    @property
    def unanswered(self) -> bool:
        """Whether a message of QoS 1 is on its way."""
        return bool(self._out_messages)
