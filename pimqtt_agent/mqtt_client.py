"""The MQTT client under the bridge: paho with whole buffers, and what its pings tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from pimqtt_agent.buffered import Buffered
from pimqtt_agent.clock import boottime_s

#: An answer that came so late (s) was held up: the next is asked for at once.
LATE_ANSWER_S = 0.5
#: Who answers so late (s) may have stood still, with more before it that was not read: for a while nothing is proven.
STOOD_STILL_S, UNREAD_S = 1.0, 0.25


class Client(Buffered, paho.Client):
    """paho with whole buffers, and a ping at will.

    What comes behind the answer to a ping left the broker after that ping: since ``proven_s``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.proven_s = boottime_s()
        self._fresh_s = inf
        #: asks anew after so long (s)
        self.again: Callable[[float], object] = lambda _s: None
        self._asked_s: deque[float] = deque()  # paho may ask again before the first answer
        self._doubted_s = -inf

    def begin(self, keepalive_s: int, *, dates: bool) -> None:
        """Begin a session. A broker may want no keepalive; paho would take each ping at once for unanswered."""
        self._keepalive = self._keepalive or keepalive_s
        if dates:
            self._fresh_s = LATE_ANSWER_S
            self.ping(0.0)

    def _send_pingreq(self) -> MQTTErrorCode:
        self._asked_s.append(boottime_s())
        return super()._send_pingreq()

    def _handle_pingresp(self) -> MQTTErrorCode:
        done = super()._handle_pingresp()
        if self._asked_s:
            self._answered(self._asked_s.popleft(), boottime_s())
        return done

    def _answered(self, asked_s: float, now: float) -> None:
        late_s = now - asked_s
        if late_s > STOOD_STILL_S:
            self._doubted_s = now + UNREAD_S
        if late_s > STOOD_STILL_S or asked_s >= self._doubted_s:
            self.proven_s = asked_s
        if late_s > self._fresh_s:
            self.again(max(0.0, self._doubted_s - now))

    def ping(self, heard_s: float) -> None:
        """Ask the broker, who was last heard then, for a sign of life.

        A broker whose queue for us is full drops answers, too. Who was heard long after the question is no dead one.
        """
        if self._asked_s and heard_s - self._asked_s[-1] > self._keepalive / 2:
            self._asked_s.clear()
            self._ping_t = 0.0
            self._doubted_s = boottime_s() + UNREAD_S  # it may come yet, and must not pass for the next one's
        if self._ping_t == 0:
            self._send_pingreq()

    @property
    def unanswered(self) -> bool:
        """Whether a message of QoS 1 is on its way."""
        return bool(self._out_messages)


def correlation(data: bytes) -> Properties:
    """Give the properties of an answer that belongs to a request."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.CorrelationData = data
    return properties
