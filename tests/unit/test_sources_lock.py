import multiprocessing
from pathlib import Path

import pytest

from nucleotune.errors import InputError
from nucleotune.sources.lock import check_or_record


def test_first_fetch_is_recorded_and_another_file_refused(tmp_path):
    lock = tmp_path / "config" / "lock.tsv"
    check_or_record(lock, "h/y", "a" * 64, 5, "2025-01-02")
    check_or_record(lock, "h/x", "b" * 64, 6, "2025-01-03")
    check_or_record(lock, "h/x", "b" * 64, 6, "2025-01-04")
    expected = [
        "path\tsha256\tbytes\tdate",
        f"h/x\t{'b' * 64}\t6\t2025-01-03",
        f"h/y\t{'a' * 64}\t5\t2025-01-02",
    ]
    assert lock.read_text().splitlines() == expected
    with pytest.raises(InputError, match=f"{'c' * 64}.*{'b' * 64}.*2025-01-03.*delete the line of"):
        check_or_record(lock, "h/x", "c" * 64, 7, "2025-01-05")
    assert lock.read_text().splitlines() == expected


def test_damaged_lock_names_its_line(tmp_path):
    lock = tmp_path / "lock.tsv"
    lock.write_text("path\tsha256\tbytes\tdate\nno tabs\n")
    with pytest.raises(InputError, match="lock.tsv: line 2"):
        check_or_record(lock, "h/x", "0" * 64, 1, "2025-01-01")


def record_many(lock: Path, worker: int, start) -> None:
    start.wait()
    for number in range(20):
        check_or_record(lock, f"h/{worker:02d}/{number:02d}", "0" * 64, number, "2025-01-01")


def test_concurrent_downloads_lose_no_line_of_the_lock(tmp_path):
    lock = tmp_path / "lock.tsv"
    context = multiprocessing.get_context("fork")
    start = context.Barrier(6)
    workers = [context.Process(target=record_many, args=(lock, n, start)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6
    paths = [line.split("\t")[0] for line in lock.read_text().splitlines()[1:]]
    assert paths == [f"h/{worker:02d}/{number:02d}" for worker in range(6) for number in range(20)]


def test_line_separators_in_names_do_not_end_a_line(tmp_path):
    lock = tmp_path / "lock.tsv"
    for name in ("h/a\u2028b", "h/a\x85b"):
        check_or_record(lock, name, "0" * 64, 1, "2025-01-01")
        check_or_record(lock, name, "0" * 64, 1, "2025-01-01")
    assert lock.read_text().count("\n") == 3
