"""What cannot be run is refused in one line that says what to do, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing.synchronize import Event as Signal
from pathlib import Path

import pytest
from flow_driver import Ended, query, run_cleanly, run_stock, tables, write_lines
from forks import forkserver
from stock_events import event, render

from flows.settings import SettingsError, StockSettings, load_chain
from sinks.warehouse.client import Warehouse


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A folder with a short file of events that lie in the past whatever the clock says."""
    long_ago = {**event("received", 3), "time": "2020-12-31T12:00:00+08:00"}
    write_lines(tmp_path / "a.jsonl", [render(long_ago)])
    return tmp_path


def run(folder: Path, *more: object, source: str = "a.jsonl", warehouse: str = "w.duckdb") -> Ended:
    return run_stock("--source", folder / source, "--warehouse", folder / warehouse, *more)


def assert_refused(ended: Ended, *words: object) -> None:
    """One line says what was wrong, and no traceback around it."""
    assert ended.code != 0
    assert ended.output.startswith("Error: ")
    assert ended.output.count("\n") == 1
    for word in words:
        assert str(word) in ended.output


class TestSource:
    def test_not_there(self, folder: Path) -> None:
        """No file, and no warehouse is made for it."""
        assert_refused(run(folder, source="none.jsonl"), folder / "none.jsonl", "is not there")
        assert not (folder / "w.duckdb").exists()

    def test_empty_folder(self, folder: Path) -> None:
        """A folder without a file of events."""
        (folder / "empty").mkdir()
        assert_refused(run(folder, source="empty"), "holds no *.jsonl or *.parquet file")


CONFIGS = {
    "no file": (None, "No such file"),
    "no YAML": ("places: [a\nb: }", "is no YAML: line 2"),
    "bad character": ("chain: \x01", "is no YAML"),
    "no mapping": ("just words", "Expected `object`, got `str`"),
    "unknown field": ("chian: x", "unknown field `chian`"),
    "unknown field of a place": ("places: {S1: {zone: UTC}}", "unknown field `zone`"),
    "wrong type": ("stock: {horizon_hours: long}", "Expected `float`"),
    "out of range": ("stock: {horizon_hours: 0}", "$.stock.horizon_hours"),
    "business day": ("business_day_starts: '24:00'", "business_day_starts"),
    "unknown zone": ("timezone: Mars/Olympus", "'Mars/Olympus' is not known"),
    "unknown zone of a place": ("places: {S1: {timezone: Asia}}", "'Asia' is not known"),
    "zone outside": ("timezone: ../../etc/passwd", "is not known"),
}


class TestConfiguration:
    @pytest.mark.parametrize("name", CONFIGS)
    def test_wrong(self, folder: Path, name: str) -> None:
        """The message names the file and what is wrong in it."""
        text, words = CONFIGS[name]
        if text is not None:
            (folder / "chain.yaml").write_text(text)
        ended = run(folder, "--config", folder / "chain.yaml")
        assert_refused(ended, folder / "chain.yaml", words)
        assert not (folder / "w.duckdb").exists()

    def test_not_utf8(self, folder: Path) -> None:
        """A file in the local code page of some office."""
        (folder / "chain.yaml").write_bytes("chain: 深圳".encode("gb18030"))
        assert_refused(run(folder, "--config", folder / "chain.yaml"), "save it as UTF-8")

    def test_empty_file_is_the_defaults(self, folder: Path) -> None:
        """Nothing said is nothing changed."""
        (folder / "chain.yaml").touch()
        assert load_chain(folder / "chain.yaml") == load_chain(None)


class TestWarehouse:
    def test_locked(self, folder: Path) -> None:
        """DuckDB lets one process own a file: the message says which one has it."""
        run(folder)
        context = forkserver()
        opened, enough = context.Event(), context.Event()
        holder = context.Process(target=hold, args=(folder / "w.duckdb", opened, enough))
        holder.start()
        try:
            assert opened.wait(60)
            assert_refused(run(folder), "open in another process", holder.pid)
        finally:
            enough.set()
            holder.join(60)

    def test_no_warehouse(self, folder: Path) -> None:
        """A file of something else stays as it is."""
        (folder / "w.duckdb").write_text("some text")
        assert_refused(run(folder), "cannot be used as a warehouse")
        assert (folder / "w.duckdb").read_text() == "some text"

    def test_folder_and_no_folder(self, folder: Path) -> None:
        """A folder where a file should be, and a file where a folder should be."""
        (folder / "w.duckdb").mkdir()
        assert_refused(run(folder), "w.duckdb")
        assert_refused(run(folder, warehouse="a.jsonl/w.duckdb"), "a.jsonl")


def hold(path: Path, opened: Signal, enough: Signal) -> None:
    """Keep the warehouse open for a while."""
    warehouse = Warehouse(path)
    opened.set()
    enough.wait(60)
    warehouse.close()


class TestRecovery:
    def test_excludes_itself(self, folder: Path) -> None:
        """Two options that contradict each other."""
        ended = run(folder, "--recovery", folder / "r", "--no-recovery")
        assert ended.code == 2
        assert "exclude each other" in ended.output

    def test_no_folder(self, folder: Path) -> None:
        """A file where the recovery folder should be."""
        assert_refused(run(folder, "--recovery", folder / "a.jsonl"), "a.jsonl")

    def test_of_another_warehouse(self, folder: Path) -> None:
        """State of one warehouse would spoil another."""
        run(folder, "--recovery", folder / "r")
        ended = run(folder, "--recovery", folder / "r", warehouse="other.duckdb")
        assert_refused(ended, folder / "r", "keeps the state of another run")

    def test_damaged_note(self, folder: Path) -> None:
        """Half a note: the folder is not trusted."""
        run(folder)
        (folder / "w.duckdb.recovery" / "about.json").write_text('{"format"')
        assert_refused(run(folder), "about.json is damaged")

    def test_damaged_journal(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """The message of the journal is the last that is said, after what the engine says."""
        run(folder)
        [journal] = (folder / "w.duckdb.recovery" / "state").iterdir()
        journal.write_bytes(journal.read_bytes()[:-1])
        with (folder / "a.jsonl").open("ab") as out:
            out.write(render(event("received", 3)) + b"\n")
        ended = run(folder)
        # Once a process has run a cluster, the engine tells of an error before we do.
        assert_refused(
            Ended(ended.code, ended.output.splitlines(keepends=True)[-1]), journal, "counts on"
        )


class TestNumbers:
    @pytest.mark.parametrize(
        "option", [("--workers", 0), ("--processes", 0), ("--epoch-seconds", -1)]
    )
    def test_out_of_range(self, folder: Path, option: tuple[str, int]) -> None:
        """What would do nothing at all, or worse."""
        ended = run(folder, *option)
        assert ended.code == 2
        assert f"Invalid value for '{option[0]}'" in ended.output

    def test_every_block_an_epoch(self, folder: Path) -> None:
        """0 seconds are an epoch a block."""
        assert run(folder, "--epoch-seconds", 0).code == 0


class TestEnvironment:
    """`python -m bytewax.run flows.stock` takes its settings from TILLFLOW_ variables."""

    def test_read_back(self, tmp_path: Path) -> None:
        """What a process is started with says the same to it."""
        settings = StockSettings(
            source="a.jsonl",
            warehouse=tmp_path / "w",
            config=tmp_path / "c",
            recovery=tmp_path / "r",
            follow=True,
            epoch_seconds=0.1,
        )
        assert StockSettings.from_env(settings.environment()) == settings
        plain = StockSettings(source="a.jsonl", warehouse=tmp_path / "w")
        assert StockSettings.from_env(plain.environment()) == plain
        others = {"TILLFLOW_HOLDS_POOL": "all", "TILLFLOW_HOOKS_STORE": "/tmp"}
        assert StockSettings.from_env({**plain.environment(), **others}) == plain

    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({}, "TILLFLOW_SOURCE is not set"),
            ({"SOURCE": "a"}, "TILLFLOW_WAREHOUSE is not set"),
            ({"SOURCE": "a", "WAREHOUSE": ""}, "TILLFLOW_WAREHOUSE is not set"),
            ({"SOURCE": "a", "WAREHOUSE": "b", "WORKERS": "2"}, "TILLFLOW_WORKERS is no setting"),
            ({"SOURCE": "a", "WAREHOUSE": "b", "FOLLOW": "maybe"}, "follow"),
            ({"SOURCE": "a", "WAREHOUSE": "b", "EPOCH_SECONDS": "soon"}, "epoch_seconds"),
        ],
    )
    def test_wrong(self, variables: dict[str, str], words: str) -> None:
        """The message names the variable."""
        environ = {f"TILLFLOW_{name}": value for name, value in variables.items()}
        with pytest.raises(SettingsError, match=words):
            StockSettings.from_env({**environ, "PATH": "/bin"})


class TestSummary:
    def test_says_what_it_came_to(self, folder: Path) -> None:
        """The figures of the run, then that there is nothing new."""
        output = run_cleanly("--source", folder / "a.jsonl", "--warehouse", folder / "w.duckdb")
        assert output.startswith("finished after ")
        assert "applied      1  (known already 0)" in output
        assert "1 in " in output
        assert run(folder).output == (
            f"nothing new to read; {folder / 'w.duckdb'} holds 1 positions\n"
        )

    def test_interrupted_run_is_marked(self, folder: Path) -> None:
        """A run that was killed says so as soon as the next one starts."""
        run(folder)
        warehouse = Warehouse(folder / "w.duckdb")
        warehouse.execute("UPDATE flow_run SET status = 'running'")
        warehouse.close()
        run(folder)
        assert query(folder / "w.duckdb", "SELECT status FROM flow_run") == [("interrupted",)]
        assert len(tables(folder / "w.duckdb")["flow_run"]) == 1


def test_console_script() -> None:
    """The command is there and lists what it can do without loading it."""
    command = [sys.executable, "-c", "from infra.cli import main; main()", "--help"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Run a flow." in shown
