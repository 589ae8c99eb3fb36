"""What the bench writes down."""

import json
from dataclasses import replace
from pathlib import Path

from bench import report
from bench.results import Run, judge
from bench.targets import TARGETS

RUN = Run("charge_many", 1, 1000, 1.0, 3000.0, 1.0, 9.0, 20.0, 300.0, 200.0, 0.01)
RUNS = [RUN, replace(RUN, case="post_many_c16", rate=6000.0, server_us=0.0)]
ABOUT = report.about(4.0, 1, "18.1")
VERDICTS = [judge(next(target for target in TARGETS if target.id == "T1"), RUNS)]


def test_the_page_keeps_what_was_written_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "bench.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.write_page(RUNS, VERDICTS, ABOUT, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n")  # noqa: PT018  # one page
    assert "| T1 | charge, many accounts, HTTP | 6,000 | 3,000 | 0.50 x limit |" in text
    assert "old" not in text


def test_the_page_in_the_repository_has_a_place_for_the_table() -> None:
    text = report.PAGE.read_text(encoding="utf-8")
    assert text.count(report.BEGIN) == text.count(report.END) == 1


def test_an_accepted_run_is_the_baseline_on_this_kind_of_machine_alone(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    report.accept(RUNS, path)
    assert report.baseline(path) == {"charge_many": 500.0, "post_many_c16": 200.0}
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "machine": "another"}))
    assert report.baseline(path) is None


def test_the_record_holds_every_run_and_verdict(tmp_path: Path) -> None:
    report.write_json(RUNS, VERDICTS, ABOUT, tmp_path / "x" / "last.json")
    record = json.loads((tmp_path / "x" / "last.json").read_text())
    assert [run["case"] for run in record["runs"]] == ["charge_many", "post_many_c16"]
    assert record["verdicts"][0]["grade"] == "goal"
