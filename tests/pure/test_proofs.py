"""Which signs of life of Home Assistant the keeper is told."""

from __future__ import annotations

from pimqtt_agent.proofs import Proofs


def test_home_assistant_is_as_alive_as_the_broker_unless_it_said_otherwise() -> None:
    proofs = Proofs()
    assert proofs.proof(5.0, replaying=False).home_assistant_s == 5.0
    proofs.heard("offline", 7.0, replaying=False)
    lost = proofs.proof(9.0, replaying=False)
    assert (lost.broker_s, lost.home_assistant_s, lost.home_assistant_lost) == (9.0, 7.0, True)
    proofs.heard("offline", 9.5, replaying=False)
    assert proofs.proof(10.0, replaying=False).home_assistant_s == 7.0
    proofs.heard("online", 11.0, replaying=False)
    back = proofs.proof(11.0, replaying=False)
    assert (back.home_assistant_s, back.home_assistant_lost) == (11.0, False)


def test_what_is_replayed_proves_nothing() -> None:
    proofs = Proofs()
    assert proofs.proof(5.0, replaying=True).home_assistant_s == 0.0  # it may still read offline
    proofs.heard("offline", 5.1, replaying=True)
    assert proofs.proof(6.0, replaying=False).home_assistant_s == 0.0


def test_what_the_agent_before_knew_holds_until_something_is_heard() -> None:
    proofs = Proofs()
    proofs.remembered()
    lost = proofs.proof(5.0, replaying=False)
    assert (lost.home_assistant_s, lost.home_assistant_lost) == (0.0, True)
    proofs.heard("online", 6.0, replaying=True)
    assert proofs.proof(6.0, replaying=False).home_assistant_s == 6.0
    proofs.remembered()  # by a keeper that was not told yet
    assert not proofs.lost


def test_other_words_are_no_status() -> None:
    proofs = Proofs()
    for word in ("", "OFFLINE", "off", "\ufffd"):
        proofs.heard(word, 1.0, replaying=False)
    assert not proofs.lost
