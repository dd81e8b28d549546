"""What lies on disk: written whole or not at all, and never trusted where it can't be read."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pimqtt_agent.store import File, Saved, load, load_digests, write

SAVED = Saved(resting={"pump": True, "lamp": {"on": True, "brightness": 7}, "car/limit": 50.0}, latched=["", "car"])


def broken(folder: Path, name: str) -> bool:
    return (folder / name).with_suffix(".broken").exists()


class TestRoundTrip:
    def test_state(self, tmp_path: Path) -> None:
        write(tmp_path, "state.json", SAVED)
        assert load(tmp_path) == SAVED

    def test_digests(self, tmp_path: Path) -> None:
        digests = {"pimqtt/car1/pump/set": ["aa", "bb"]}
        write(tmp_path, "digests.json", digests)
        assert load_digests(tmp_path) == digests

    def test_the_first_start_knows_nothing_and_is_not_latched(self, tmp_path: Path) -> None:
        assert load(tmp_path) == Saved()
        assert load(tmp_path / "missing") == Saved()
        assert load_digests(tmp_path) == {}

    def test_two_starts_do_not_share_what_they_know(self, tmp_path: Path) -> None:
        load(tmp_path).resting["pump"] = True
        load(tmp_path).latched.append("")
        assert load(tmp_path) == Saved()


class TestUnusable:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"\x00" * 100,
            b"\xff\xfe",
            b"[]",
            b"null",
            b'{"latched": true}',
            b'{"latched": [1]}',
            b'{"resting": []}',
            b'{"resting": {"pump": true}, "latched": ["car"',
        ],
    )
    def test_it_is_moved_aside_and_everything_is_latched(
        self, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "state.json").write_bytes(content)
        with caplog.at_level(logging.ERROR):
            assert load(tmp_path) == Saved(latched=[""])
        assert "moved aside" in caplog.text
        assert broken(tmp_path, "state.json")
        assert load(tmp_path) == Saved(latched=[""])  # also where nobody wrote since
        assert (tmp_path / "state.broken").read_bytes() == content

    def test_the_next_start_finds_what_was_written_since(self, tmp_path: Path) -> None:
        (tmp_path / "state.json").write_bytes(b"{")
        write(tmp_path, "state.json", load(tmp_path))
        assert load(tmp_path) == Saved(latched=[""])

    def test_a_folder_in_its_place_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "state.json").mkdir()
        assert load(tmp_path).latched == [""]

    def test_digests_that_are_unusable_are_none(self, tmp_path: Path) -> None:
        (tmp_path / "digests.json").write_bytes(b'{"topic": "aa"}')
        assert load_digests(tmp_path) == {}
        assert broken(tmp_path, "digests.json")
        assert not (tmp_path / "digests.json").exists()

    def test_cut_anywhere_it_is_latched(self, tmp_path: Path) -> None:
        write(tmp_path, "state.json", SAVED)
        whole = (tmp_path / "state.json").read_bytes()
        for cut in range(len(whole)):
            (tmp_path / "state.json").write_bytes(whole[:cut])
            assert load(tmp_path) == Saved(latched=[""])

    @given(content=st.binary(max_size=100))
    @settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_no_bytes_raise(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "state.json").write_bytes(content)
        assert isinstance(load(tmp_path), Saved)


class TestWriting:
    def test_only_its_owner_reads_it(self, tmp_path: Path) -> None:
        folder = tmp_path / "new" / "state"
        before = os.umask(0)
        try:
            write(folder, "state.json", SAVED)
        finally:
            os.umask(before)
        assert stat.S_IMODE((folder / "state.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def test_nothing_is_left_beside_it(self, tmp_path: Path) -> None:
        write(tmp_path, "state.json", SAVED)
        assert [path.name for path in tmp_path.iterdir()] == ["state.json"]

    @pytest.mark.parametrize("step", ["fsync", "fchmod"])
    def test_a_full_disk_leaves_the_old_file_and_is_told(
        self, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(tmp_path, "state.json", SAVED)

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, step, full)
        write(tmp_path, "state.json", Saved(resting={"pump": False}))
        assert "No space left on device" in caplog.text
        monkeypatch.undo()
        assert load(tmp_path) == SAVED

    def test_it_is_on_the_disk_before_it_takes_the_place_of_the_old_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order: list[str] = []
        fsync, replace = os.fsync, Path.replace

        def fsync_noted(descriptor: int) -> None:
            order.append("fsync")
            fsync(descriptor)

        def replace_noted(path: Path, to: Path) -> Path:
            order.append("replace")
            return replace(path, to)

        monkeypatch.setattr(os, "fsync", fsync_noted)
        monkeypatch.setattr(Path, "replace", replace_noted)
        write(tmp_path, "state.json", SAVED)
        assert order == ["fsync", "replace", "fsync"], "the last one is the folder's: the name is on the disk too"

    def test_what_a_power_cut_left_beside_it_does_not_matter(self, tmp_path: Path) -> None:
        write(tmp_path, "state.json", SAVED)
        (tmp_path / ".state.json.new").write_bytes(b'{"resting"')
        assert load(tmp_path) == SAVED
        write(tmp_path, "state.json", Saved())
        assert load(tmp_path) == Saved()


class TestTwoWriters:
    def test_the_newest_wins_in_whatever_order_they_write(self, tmp_path: Path) -> None:
        file = File(tmp_path, "state.json")
        older, newer = file.snapshot(Saved(latched=["old"])), file.snapshot(SAVED)
        assert file.write(newer)
        assert not file.write(older)
        assert load(tmp_path) == SAVED

    def test_a_writer_whose_disk_is_slow_spoils_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The thread is in its fsync while the loop writes a latch."""
        file, inside, fsync = File(tmp_path, "state.json"), threading.Event(), os.fsync

        def slow(descriptor: int) -> None:
            if threading.current_thread() is not threading.main_thread():
                inside.set()
                threading.Event().wait(0.2)
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", slow)
        thread = threading.Thread(target=file.write, args=[file.snapshot(Saved(resting={"lamp": True}))])
        thread.start()
        assert inside.wait(5)
        assert file.write(file.snapshot(SAVED))
        assert load(tmp_path) == SAVED
        thread.join()
        assert load(tmp_path) == SAVED
        assert caplog.text == ""

    def test_what_it_holds_is_not_written_again_and_what_failed_is(self, tmp_path: Path) -> None:
        file = File(tmp_path, "state.json", SAVED)
        assert file.write(file.snapshot(SAVED))
        assert not (tmp_path / "state.json").exists()
        (tmp_path / ".state.json.new").mkdir()  # it can't be written
        assert not file.write(file.snapshot(Saved()))
        (tmp_path / ".state.json.new").rmdir()
        assert file.write(file.snapshot(Saved()))
        assert load(tmp_path) == Saved()
