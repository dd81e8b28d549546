"""Each code of the wire has a reason that is tested: of payloads, of leases, of calls, of buttons."""

from __future__ import annotations

from tests.pure.test_reasons_calls import BUTTONS, CALLS
from tests.pure.test_reasons_leases import SCENES
from tests.pure.test_reasons_payloads import PAYLOADS
from tests.pure.world import CODES


def test_every_code_of_the_wire_is_among_them() -> None:
    told = {code for _, _, code, _ in PAYLOADS} | {code for code, _, _ in SCENES}
    assert told | {code for _, code, _ in CALLS} | {code for _, _, code, _ in BUTTONS} == CODES
