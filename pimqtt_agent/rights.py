"""What the broker lets us do, as far as it has shown. Pure.

With MQTT 5 the answer to a QoS 1 message names the right that is missing, so the first message to each topic asks for
one. With 3.1.1, and at QoS 0, a broker drops what its ACL denies without a word, or ends the connection over it: then
one topic is tried after the other until that one is found, and it is left out until the connection ends by something
else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from math import inf
from typing import Literal

log = logging.getLogger(__name__)

Verb = Literal["read", "write"]

#: A connection that ends this soon after a topic was written for the first time may have been cut over it (s).
FRESH_S = 1.0
#: Topics that are told one by one in a session, and that are left out before we take it that nothing is allowed.
TOLD, LEFT_OUT = 20, 16
#: Topics of a session that are remembered; then we begin anew.
REMEMBERED = 10_000
_SILENT = "ended the connection right after we had written, without a word, as some do over a topic that the ACL denies"


class Rights:
    """One connection's rights. ``login`` is the user's name at the broker."""

    def __init__(self, login: str | None) -> None:
        """Know nothing."""
        self._who = f"the login {login!r}" if login else "us (there is no login: set mqtt.user)"
        #: denied in this session: topic and verb
        self.denied: set[tuple[str, Verb]] = set()
        #: written in this session; of these the retained ones, and those that the broker was asked about
        self.written: set[str] = set()
        self.kept: set[str] = set()
        self.tried: set[str] = set()
        #: never written, since the broker ends the connection over it
        self.left_out: set[str] = set()
        #: subscriptions that were not answered yet, by their number
        self.asked: dict[int, list[str]] = {}
        #: one topic after the other; the one that is being tried
        self.careful = False
        self.testing = ""
        self._hopeless = False
        self._suspect = self._answered = ""
        self._sound: set[str] = set()
        self._newest_s = self._refused_s = -inf
        self._refused = ""
        #: called where more is denied than before
        self.changed: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Begin a session."""
        self.denied = {(topic, "write") for topic in self.left_out}
        self.written.clear()
        self.kept.clear()
        self.asked.clear()
        self.tried = set(self._sound) if self.careful else set()
        self.testing = self._refused = self._answered = ""
        self._newest_s = self._refused_s = -inf

    def topics(self) -> list[str]:
        """List what is denied in this session."""
        return sorted({topic for topic, _ in self.denied})

    def writing(self, topic: str, now: float, *, kept: bool) -> None:
        """Note that a topic is written for the first time in this session; ``kept``: with something to be retained."""
        if len(self.written) >= REMEMBERED:  # every reply may go to a topic of its own
            self.written.clear()
            self.tried.clear()
            self._sound.clear()
        self.written.add(topic)
        if kept:
            self.kept.add(topic)
        self._newest_s = now

    def granted(self, number: int, refusals: Iterable[str]) -> None:
        """The broker answered a subscription; a refusal is empty where it granted it."""
        for topic, refusal in zip(self.asked.pop(number, ()), refusals, strict=False):
            if refusal:
                self.refused(topic, "read", refusal, -inf)

    def answered(self, topic: str) -> None:
        """The broker took a message. It goes on after the one that it took before: that was not denied."""
        if self._answered:
            self._sound.add(self._answered)
        self._answered = topic

    def refused(self, topic: str, verb: Verb, reason: str, now: float) -> None:
        """Take a refusal; it is told once in a session."""
        if verb == "write":
            self._refused, self._refused_s = topic, now
        if (topic, verb) in self.denied:
            return
        self.denied.add((topic, verb))
        self.changed()
        if len(self.denied) <= TOLD:
            log.error("%s", self._words(topic, verb, reason))
        elif len(self.denied) == TOLD + 1:
            log.error("the broker's ACL denies even more topics; `pimqtt doctor` tries every right that a node needs")

    def why(self, topic: str) -> str:
        """Tell what is known to be denied about a topic, in a few words; empty for nothing."""
        verbs = sorted(verb for name, verb in self.denied if name == topic)
        return f"the broker's ACL denies {self._who.partition(' (')[0]} to {' and '.join(verbs)} it" if verbs else ""

    def cut(self, now: float) -> tuple[str, bool]:
        """The broker ended the connection without a reason.

        Return what that tells, empty for nothing, and whether the next session will do better by it.
        """
        if self._hopeless or len(self.left_out) >= LEFT_OUT:
            self.forget()
            self._hopeless = True
            return "ended the connection over one topic after the other: has this login any rights?", False
        guilty = self._refused if now - self._refused_s < FRESH_S else ""
        if not guilty and self.testing and self.testing == self._suspect:
            guilty = self.testing
        if guilty:
            self._suspect = ""
            self.left_out.add(guilty)
            self.refused(guilty, "write", "it ends the connection over it", now)
            return f"ended the connection over {guilty}, which its ACL denies: going on without that topic", True
        if self.testing:
            self._suspect = self.testing
            return f"ended the connection while {self.testing} was tried: trying it once more", True
        if not self.careful and now - self._newest_s < FRESH_S:
            self.careful = True
            return f"{_SILENT}: trying one topic after the other", True
        self.forget()
        return "", False

    def forget(self) -> None:
        """The connection ended by something else: what was left out may have been mended meanwhile."""
        self.left_out.clear()
        self._sound.clear()
        self.careful = self._hopeless = False
        self._suspect = ""

    def _words(self, topic: str, verb: Verb, reason: str) -> str:
        harm = "what we say there reaches nobody" if verb == "write" else "what is said there does not reach us"
        return (
            f"{topic}: the broker does not let {self._who} {verb} it ({reason}): {harm}. Allow it in the broker's ACL "
            f"(mosquitto/acl shows the lines), reload the broker and restart this node"
        )
