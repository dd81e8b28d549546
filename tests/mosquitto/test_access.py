"""The table of rights in the documentation is what the broker does."""

from __future__ import annotations

from tests.mosquitto import access


def test_the_documents_table_is_what_was_measured() -> None:
    measured = access.measure()
    assert measured == access.committed(), "python -m tests.mosquitto.access writes it anew"
    rows = {line.split("`")[1]: [cell.strip() for cell in line.split("|")[2:-1]] for line in measured.splitlines()[2:]}
    assert tuple(rows) == access.TOPICS
    assert rows["pimqtt/car1/pump/set"] == ["rw", "", "rw", "rw", "r", ""]  # not all cells are alike
    assert rows["$SYS/broker/version"] == [""] * len(access.WHO)
