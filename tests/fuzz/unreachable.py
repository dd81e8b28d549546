"""Branches of the parsers that no input reaches: module, words of the line, and why. The figures leave them out."""

from __future__ import annotations

UNREACHABLE: dict[tuple[str, str], str] = {
    ("commands", "if not isinstance(message, dict)"): "JSON that begins with { is an object",
    ("intake", "elif keeper.room"): "a hundred commands must be unanswered: a matter of time, no input",
    ("retained", "if arrival.stall"): "a stall of our own, no input (tests of stalls cover it)",
    ("router", "elif not self._intake.may_simulate"): "configured, no input",
    ("stops", "if answer.code"): "a keeper never refuses a latch; one that is gone is no input",
    ("reports", "if link.name"): "a camera keeper's link; the node here has the pins' only",
    ("keeper/shell", "if len(rows) > pins.MOST"): "more lines than the node here has",
    ("explain", "if not mistakes"): "a net below pydantic, for what it may say one day",
    (
        "repeats",
        "while self._bytes > REMEMBER_BYTES",
    ): "more commands within a minute of virtual time than an input holds",
    ("repeats", "if not self._is_full"): "the same",
    ("config", "if files:"): "left out where the shape of a configuration is all that is asked: no part of a check",
    ("file_checks", "for place in (folder"): "somewhere above every folder there is one",
    ("child_keepers", "if not self.ending"): "there is no child that could be ending",
    ("safe", "if failed and pid"): "a process with that pid and that start would have to run",
    ("file_checks", "if not os.access"): "nothing is forbidden to root, as whom the fuzzer may run",
    ("file_checks", "writable = os.access"): "the same",
    ("child_agent", "if self._executed and not self.worked"): "an agent of another version was started: no input",
    ("child_agent", "if keeper:"): "the supervisor's children are not there",
    ("child_agent", 'elif text == "restart"'): "would have this very process read its configuration again",
    ("child_keepers", "if self.pid and self.worked"): "there is no child",
    ("child_keepers", "if not self.worked"): "one word only is heard",
    ("bridge", "if self._client is not None and self._client.alert"): "TLS only",
    ("bridge", "if self._lifetime is None or"): "the session has ended: no input is read then",
    ("safe", 'if content.get("stopped") and'): "systemd says so in the environment",
}
