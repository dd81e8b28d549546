"""What one session sends: nothing larger than the broker takes, the newest states where it is slow, rights as shown.

It works on the bridge's client and knows no MQTT library.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

from pimqtt_agent.rights import Rights

log = logging.getLogger(__name__)

#: More waiting bytes than this: the broker does not read; only the newest states are kept.
FULL_BYTES = 4 << 20
#: Larger messages are the client's to send.
PLAIN_BYTES = 65536
#: Longer topics take the long way (characters).
EASY_TOPIC = 200
#: Where topics are tried one after the other: how many messages may wait for that.
WAITING = 10_000
#: So many unanswered messages let no other one ask for an answer: brokers limit how many they take.
UNANSWERED = 16
#: How long an answer may be followed by the end of the connection before the next topic is tried (s).
SETTLE_S, REFUSED_S = 0.02, 0.2
#: A PUBLISH has at most these bytes beside topic, payload and correlation data; a topic has at most those.
HEAD_BYTES, TOPIC_BYTES = 32, 65535


class Message(NamedTuple):
    """What is to be published."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    correlation: bytes | None


class Outbox:
    """Made anew for each session. ``max_packet`` is the broker's Maximum Packet Size, None for no limit."""

    def __init__(
        self,
        client: Any,
        rights: Rights,
        *,
        version: str,
        max_packet: int | None,
        correlate: Callable[[bytes], Any],
        flush: Callable[[], None],
    ) -> None:
        """``correlate`` makes the client's properties of correlation data; ``flush`` writes what was published."""
        self._client, self._rights = client, rights
        self._tells = version == "5"  # which rights are missing
        self.max_packet, self._correlate, self._flush = max_packet, correlate, flush
        self._unanswered: dict[int, str] = {}
        self._late: dict[str, Message] = {}
        self._waiting: dict[Any, Message] = {}
        self._numbers = itertools.count()
        self._easy: set[str] = set()
        self._easy_bytes = min(PLAIN_BYTES, (max_packet or inf) - HEAD_BYTES - 4 * EASY_TOPIC)
        self._settling: asyncio.TimerHandle | None = None
        self._left_out = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits here."""
        return not self._waiting and not self._late

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, correlation: bytes | None = None
    ) -> bool:
        """Publish; False where the message is not taken. What is frequent takes the short way."""
        client = self._client
        easy = not qos and topic in self._easy and 0 < len(payload) < self._easy_bytes and not self._late
        if easy and correlation is None and len(client.out) <= FULL_BYTES:
            client.publish_plain(topic, payload, retain=retain)
            return True
        return self._publish(Message(topic, payload, qos, retain, correlation))

    def _publish(self, message: Message) -> bool:
        full = len(self._client.out) > FULL_BYTES
        if message.retain and (full or self._late):  # behind what waits: of a topic the newest must be the last
            self._late[message.topic] = message
            return True
        if full:
            return self._leave_out()
        if len(message.payload) > self.room(message.topic, message.correlation):
            return False
        rights = self._rights
        if message.topic in rights.left_out:
            return True
        if rights.careful and (self._waiting or message.topic not in rights.tried):
            return self._wait(message)
        if self._tells and message.topic not in rights.tried:
            if message.qos or len(self._unanswered) < UNANSWERED:
                rights.tried.add(message.topic)
                message = message._replace(qos=1)
        elif not rights.careful and not message.qos and len(message.topic) <= EASY_TOPIC:
            self._easy.add(message.topic)
        return self._send(message)

    def room(self, topic: str, correlation: bytes | None = None) -> float:
        """Tell how many bytes of payload the broker takes on a topic; ``inf`` for any number, below 0 for none."""
        if len(topic) * 4 > TOPIC_BYTES and len(topic.encode()) > TOPIC_BYTES:
            return -1
        if self.max_packet is None:
            return inf
        return self.max_packet - HEAD_BYTES - len(topic.encode()) - len(correlation or b"")

    def write_late(self) -> bool:
        """The broker reads again: send the newest states; return whether there were some."""
        late, self._late = self._late, {}
        for message in late.values():
            self._publish(message)
        return bool(late)

    def answered(self, number: int, refusal: str) -> None:
        """The broker answered a message; ``refusal`` is empty where it took it."""
        topic = self._unanswered.pop(number, "")
        if refusal and topic:
            self._rights.refused(topic, "write", refusal, time.monotonic())
        elif topic:
            self._rights.answered(topic)
        if topic and topic == self._rights.testing:
            if refusal or not self._tells:
                settle_s = REFUSED_S if refusal else SETTLE_S
                self._settling = asyncio.get_running_loop().call_later(settle_s, self._passed, topic)
            else:
                self._passed(topic)

    def close(self) -> None:
        """The session is over."""
        if self._settling:
            self._settling.cancel()
        if self._left_out:
            log.warning("the broker did not keep up: %d messages of this session were left out", self._left_out)

    def _leave_out(self) -> bool:
        """Count what is lost, and say so once: at the end of the session it is said how much it was."""
        if not self._left_out:
            log.warning("the broker does not keep up: what is not retained (answers, events, pictures) is left out")
        self._left_out += 1
        return False

    def _send(self, message: Message) -> bool:
        topic, payload, qos, retain, correlation = message
        client, rights = self._client, self._rights
        if topic not in rights.written:
            rights.writing(topic, time.monotonic(), kept=retain and bool(payload))
        elif retain and not payload:
            rights.kept.discard(topic)
        if qos == 0 and correlation is None and len(payload) < PLAIN_BYTES:
            client.publish_plain(topic, payload, retain=retain)
            return True
        properties = self._correlate(correlation) if correlation is not None else None
        info = client.publish(topic, payload, qos, retain, properties)
        if qos:
            self._unanswered[info.mid] = topic
        return bool(info.rc == 0)

    def _wait(self, message: Message) -> bool:
        """Keep a message until its topic has been tried: of what is retained the newest, of the rest all."""
        key = message.topic if message.retain else next(self._numbers)
        if key not in self._waiting and len(self._waiting) >= WAITING:
            return self._leave_out()
        self._waiting[key] = message
        self._try_next()
        return True

    def _try_next(self) -> None:
        rights = self._rights
        while self._waiting and not rights.testing:
            message = self._waiting.pop(next(iter(self._waiting)))
            if message.topic not in rights.tried:
                rights.tried.add(message.topic)
                rights.testing = message.topic
                message = message._replace(qos=1)
            self._send(message)

    def _passed(self, topic: str) -> None:
        if self._rights.testing == topic:
            self._rights.testing = ""
            self._try_next()
            self._flush()
