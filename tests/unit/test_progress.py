"""Lines of progress: when they come, and what they say."""

import logging

import pytest

from nucleotune import progress
from nucleotune.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_line_every_so_often_and_one_at_the_end(clock, lines):
    one = Progress("rows", 3000, "rows")
    for second in range(1, 31):
        clock[0] = float(second)
        one.advance(100)
    assert lines() == [
        "rows: 1,500 of 3,000 rows, 100 rows/s, 0:15 min to go",
        "rows: 3,000 of 3,000 rows, 100 rows/s, 0:00 min to go",
    ]


def test_what_was_done_before_is_no_part_of_the_rate(clock, lines):
    one = Progress("trials", 10, "trials", done=4, every=0)
    clock[0] = 100.0
    one.advance(1, "loss %.1f", 0.25)
    assert lines() == ["trials: 5 of 10 trials, 0.01 trials/s, 8:20 min to go; loss 0.2"]


def test_nobody_knows_how_many(clock, lines):
    one = Progress("x.gz", None, "MB", every=5)
    clock[0] = 5.0
    one.reach(7.5)
    assert lines() == ["x.gz: 7.5 MB, 1.5 MB/s"]
