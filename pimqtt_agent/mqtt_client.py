"""The MQTT client under the bridge: paho with whole buffers, and what its pings tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from pimqtt_agent.broker import login
from pimqtt_agent.buffered import Buffered
from pimqtt_agent.clock import boottime_s
from pimqtt_agent.settings import MqttOptions

#: An answer that came so late (s) was held up: the next is asked for at once.
LATE_ANSWER_S = 0.25
#: Who answers so late (s) may have stood still, with more before it that was not read: for such a share of that time
#: nothing is proven, and for so long (s) after a session began.
STOOD_STILL_S, UNREAD_SHARE, BEGAN_S = 1.0, 0.25, 1.0


class Client(Buffered, paho.Client):
    """paho with whole buffers, and a ping at will.

    What comes behind the answer to a ping left the broker after that ping: since ``proven_s``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.proven_s = boottime_s()
        self._again: Callable[[float], object] | None = None
        self._asked_s: deque[float] = deque()  # paho may ask again before the first answer
        self._doubted_s = -inf

    def keep_alive(self, most_s: int) -> None:
        """Ping at least so often. A broker may want no keepalive; paho would take each ping at once for unanswered."""
        self._keepalive = min(self._keepalive or most_s, most_s)

    def date(self, again: Callable[[float], object]) -> None:
        """Begin to date what comes. ``again`` pings after so long (s). Until now the broker may have stood still."""
        self._again, self.proven_s = again, -inf
        self._doubt(BEGAN_S)
        again(0)

    def _send_pingreq(self) -> MQTTErrorCode:
        self._asked_s.append(boottime_s())
        return super()._send_pingreq()

    def _handle_pingresp(self) -> MQTTErrorCode:
        done = super()._handle_pingresp()
        if self._asked_s:
            self._answered(self._asked_s.popleft())
        return done

    def _answered(self, asked_s: float) -> None:
        now = boottime_s()
        late_s = now - asked_s
        if late_s > STOOD_STILL_S:
            self._doubt(late_s * UNREAD_SHARE)
        elif asked_s >= self._doubted_s:
            self.proven_s = asked_s
        if self._again and (late_s > LATE_ANSWER_S or asked_s < self._doubted_s):
            self._again(max(0.0, self._doubted_s - now))

    def _doubt(self, for_s: float) -> None:
        self._doubted_s = max(self._doubted_s, boottime_s() + for_s)

    def ping(self) -> None:
        """Ask the broker for a sign of life."""
        if self._ping_t == 0:
            self._send_pingreq()

    @property
    def unanswered(self) -> bool:
        """Whether a message of QoS 1 is on its way."""
        return bool(self._out_messages)


def made(client_id: str, options: MqttOptions, *, five: bool) -> Client:
    """Make a client; raises ``SessionEnded`` where a certificate can't be used."""
    # we connect again ourselves: the client would do it in the loop, blocking, and fall back to MQTT 3.1
    client = Client(
        callback_api_version=CallbackAPIVersion.VERSION2, client_id=client_id, transport=options.transport,
        protocol=paho.MQTTv5 if five else paho.MQTTv311, clean_session=None if five else True,
        reconnect_on_failure=False,
    )  # fmt: skip
    client.suppress_exceptions = False
    # a callback keeps paho from writing by itself; we do it in the bridge's flush()
    client.on_socket_register_write = lambda _c, _u, _s: None
    client.max_inflight_messages_set(1000)
    client.connect_timeout = 5.0
    login(client, options)
    return client


def correlation(data: bytes) -> Properties:
    """Give the properties of an answer that belongs to a request."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.CorrelationData = data
    return properties
