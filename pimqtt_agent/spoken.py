"""Which version of MQTT a broker is spoken to in. Pure."""

from __future__ import annotations


class Spoken:
    """Where it is left open 5 first; 3.1.1 with a broker that refuses 5, or is silent in 5 and not in 3.1.1.

    Who is silent may stand still, and in 3.1.1 nobody would count what comes late. So whoever has answered in 3.1.1 is
    asked once more in 5, and whoever took 5 before must refuse it.
    """

    def __init__(self, protocol: str) -> None:
        """Take the option ``mqtt: protocol``."""
        self.version = "3.1.1" if protocol == "3.1.1" else "5"
        self._open = protocol == "auto"
        self._took_5 = False
        self._sure = not self._open

    def accepted(self) -> bool:
        """The broker takes us; False where it is to be asked once more, in MQTT 5."""
        if self.version == "3.1.1" and not self._sure:
            self.version, self._sure = "5", True
            return False
        self._took_5 = self.version == "5"
        return True

    def refused(self) -> None:
        """It says that it does not speak this version."""
        self._took_5, self._sure = False, True

    def unanswered(self) -> bool:
        """It refused this version, or said nothing; True where another is to be tried at once."""
        if not self._open or self._took_5:
            return False
        if self.version == "5":
            self.version = "3.1.1"
            return True
        self.version, self._sure = "5", False  # it says nothing to either
        return False
