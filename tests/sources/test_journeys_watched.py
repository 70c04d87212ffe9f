"""Files of journeys that are changed while a flow runs: whole ones come into force."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import pytest
from journey_driver import chain_of, journey

from operators.records import NewFiles
from sources.files import SourceError
from sources.journeys_watched import LOOK_SECONDS, JourneyFiles

FIRST = journey("a", "{event: purchase}", "give: one")


class Folder:
    """A folder that is looked at once a second of its own clock."""

    def __init__(self, path: Path, *, health: Path | None = None) -> None:
        self.path = path
        self.now = 0.0
        (path / "a.yaml").write_text(FIRST)
        self.files = JourneyFiles(path, chain_of(), health, clock=lambda: self.now)
        programs, _ = self.files.load()
        assert [one.name for one in programs] == ["a"]

    def look(self, times: int = 3) -> list[NewFiles]:
        """What the next looks bring."""
        found = []
        for _ in range(times):
            self.now += LOOK_SECONDS
            found.append(self.files.look())
        return [one for one in found if one is not None]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_was_changed_is_told_once(folder: Folder) -> None:
    assert folder.look() == []
    (folder.path / "a.yaml").write_text(FIRST.replace("one", "two") + "\n")
    (folder.path / "b.yaml").write_text(FIRST.replace("journey: a", "journey: b"))
    (new,) = folder.look()
    assert [one.name for one in new.content] == ["a", "b"]
    # It goes to other processes, too.
    assert pickle.loads(pickle.dumps(new)) == new
    assert folder.look() == []
    (folder.path / "b.yaml").unlink()
    (new,) = folder.look()
    assert [one.name for one in new.content] == ["a"]


def test_a_file_that_is_being_saved_is_none_yet(folder: Folder) -> None:
    for number in range(5):
        (folder.path / "a.yaml").write_text(FIRST + "\n" * (number + 1) + "  - give: two")
        assert folder.look(1) == []
    (new,) = folder.look(1)
    assert len(new.content) == 1


def test_wrong_files_leave_those_of_before(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tillflow.journeys")
    (folder.path / "a.yaml").write_text(FIRST.replace("purchase", "purchas"))
    assert folder.look() == []
    assert "a.yaml, line 2: error: purchas is none of" in caplog.text
    (folder.path / "a.yaml").unlink()
    assert folder.look() == []
    assert "holds no journey" in caplog.text
    (folder.path / "a.yaml").write_text(FIRST)
    assert folder.look() == [], "it is what is in force"
    (folder.path / "a.yaml").write_text(FIRST.replace("one", "three"))
    assert len(folder.look()) == 1
    assert "journey a: v1-" in caplog.text


def test_one_that_asks_for_health_needs_a_model(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    (folder.path / "a.yaml").write_text(FIRST + "\nwho: {health: '<40'}\n")
    assert folder.look() == []
    assert "there is no model" in caplog.text


def test_without_files_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    files = JourneyFiles(None, chain_of(), None)
    assert files.load() == ((), None)
    assert files.look() is None
    with pytest.raises(SourceError):
        JourneyFiles(tmp_path / "none", chain_of(), None).load()
