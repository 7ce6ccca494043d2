import base64
import errno
import gzip
import hashlib
import json
import logging
import os
import shutil
import ssl
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from nucleotune.errors import InputError
from nucleotune.sources import guard, transfer
from nucleotune.sources.download import download
from nucleotune.sources.partial import partial_file
from nucleotune.sources.registry import Source, local_path
from nucleotune.sources.verify import bsd_sum

BODY = gzip.compress(np.random.default_rng(0).bytes(300_000), mtime=0)
OTHER = gzip.compress(np.random.default_rng(1).bytes(300_000), mtime=0)
HTML = b"<!DOCTYPE html><html><body>Please sign in" + b" " * 5000
FIRST_PART = 200_000
MODIFIED = "Tue, 01 Jul 2025 10:20:30 GMT"


@dataclass
class Reply:
    """One scripted answer; `sent` cuts the body short of the announced length.

    length: what Content-Length says in place of the truth, "" for nothing. shift: a lie, how many bytes too early the
    answer to a range begins.
    """

    body: bytes = BODY
    status: int = 200
    sent: int | None = None
    ranges: bool = True
    checks_if_range: bool = True
    headers: dict[str, str] = field(default_factory=lambda: {"Last-Modified": MODIFIED})
    length: str | None = None
    shift: int = 0


class Host:
    """A web server on 127.0.0.1: the replies of a path are given in turn, the last one for ever."""

    def __init__(self):
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                host.requests.append((self.path, dict(self.headers)))
                replies = host.replies.get(self.path, [Reply(b"nothing here", 404)])
                self.answer(replies.pop(0) if len(replies) > 1 else replies[0])

            def answer(self, reply: Reply):
                start = 0
                wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
                version = reply.headers.get("ETag", reply.headers.get("Last-Modified"))
                if wanted and reply.ranges and (condition == version or not reply.checks_if_range):
                    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                body = reply.body[max(0, start - reply.shift) :][: len(reply.body) - start]
                self.send_response(206 if start else reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if start:
                    end, total = len(reply.body) - 1, len(reply.body)
                    self.send_header("Content-Range", f"bytes {start}-{end}/{total}")
                length = str(len(body)) if reply.length is None else reply.length
                if length:
                    self.send_header("Content-Length", length)
                # Said, so that the client does not send its next request into a connection that is being closed.
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body[: reply.sent])
                self.close_connection = True

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def serve(self, path: str, *replies: Reply) -> str:
        self.replies[path] = list(replies)
        return self.address + path

    def headers_sent(self, path: str) -> list[dict[str, str]]:
        return [headers for requested, headers in self.requests if requested == path]


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    host = Host()
    yield host
    host.server.shutdown()
    host.server.server_close()


def source(*urls: str, checksum: str = "none", kind: str = "gzip") -> Source:
    return Source("ensembl_cds", urls, checksum, 100, kind, "free", "a note")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def checksums(name: str, content: bytes, path: Path) -> bytes:
    path.write_bytes(content)
    return "{:05d} {}\t{}\n".format(*bsd_sum(path), name).encode()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads" / "h" / "x.fa.gz"


def get(what: Source, target: Path, **options) -> dict:
    return download(what, target, **{"retries": 3, "timeout": 5.0, "pause": 0.001, **options})


def assert_fails(what: Source, target: Path, *parts: str, **options) -> str:
    """Check that the download fails with all `parts` in the message and leaves no trace."""
    with pytest.raises(InputError) as caught:
        get(what, target, **options)
    assert_nothing_left(target)
    for part in parts:
        assert part in str(caught.value)
    return str(caught.value)


def assert_nothing_left(target: Path) -> None:
    assert list(target.parent.iterdir()) == []


def assert_whole(target: Path, content: bytes = BODY) -> None:
    assert target.read_bytes() == content
    assert sorted(path.name for path in target.parent.iterdir()) == ["x.fa.gz", "x.fa.gz.meta.json"]


def test_plain_download_and_its_metadata(host, target):
    url = host.serve("/x.fa.gz", Reply())
    found = get(source(url), target)
    assert_whole(target)
    assert json.loads((target.parent / "x.fa.gz.meta.json").read_text()) == found
    assert datetime.fromisoformat(found.pop("date")).utcoffset().total_seconds() == 0
    assert found == {
        "url": url,
        "final_url": url,
        "from": "network",
        "size": len(BODY),
        "sha256": sha256(BODY),
        "last_modified": "2025-07-01T10:20:30+00:00",
        "checksum": "none",
    }


def test_redirect_is_recorded(host, target):
    end = host.serve("/end.fa.gz", Reply())
    url = host.serve("/x.fa.gz", Reply(b"", 302, headers={"Location": end}))
    found = get(source(url), target)
    assert (found["url"], found["final_url"]) == (url, end)


def test_bytes_are_kept_as_served(host, target):
    # Some hosts declare a .gz file as gzip-encoded text; a client that decodes it stores another file.
    url = host.serve("/x.fa.gz", Reply(headers={"Content-Encoding": "gzip"}))
    get(source(url), target)
    assert_whole(target)


@pytest.mark.parametrize("version", [{"Last-Modified": MODIFIED}, {"ETag": '"v1"'}])
def test_truncated_body_is_resumed(host, target, version):
    url = host.serve("/x.fa.gz", Reply(sent=FIRST_PART, headers=version), Reply(headers=version))
    get(source(url), target)
    assert_whole(target)
    first, second = host.headers_sent("/x.fa.gz")
    assert "Range" not in first
    assert second["Range"] == f"bytes={FIRST_PART - transfer._OVERLAP}-"
    assert second["If-Range"] == next(iter(version.values()))


@pytest.mark.parametrize("version", [{}, {"ETag": 'W/"v1"'}])
def test_nothing_is_resumed_without_a_strong_version(host, target, version):
    url = host.serve("/x.fa.gz", Reply(sent=FIRST_PART, headers=version), Reply(headers=version))
    get(source(url), target)
    assert_whole(target)
    assert all("Range" not in headers for headers in host.headers_sent("/x.fa.gz"))


def test_server_without_ranges_starts_again(host, target):
    url = host.serve("/x.fa.gz", Reply(sent=FIRST_PART, ranges=False), Reply(ranges=False))
    get(source(url), target)
    assert_whole(target)
    assert "Range" in host.headers_sent("/x.fa.gz")[1]


# FASTA text has no check of its own: bytes of two versions, once joined, would go unnoticed.
OLD_TEXT = b">old\n" + b"A" * 300_000
NEW_TEXT = b">new\n" + b"C" * 300_000


@pytest.mark.parametrize("checks_if_range", [True, False])
def test_changed_file_is_not_spliced(host, target, checks_if_range):
    before = Reply(OLD_TEXT, sent=FIRST_PART, headers={"ETag": '"old"'})
    after = Reply(NEW_TEXT, headers={"ETag": '"new"'}, checks_if_range=checks_if_range)
    url = host.serve("/x.fa", before, after)
    get(source(url, kind="fasta"), target)
    assert_whole(target, NEW_TEXT)
    assert len(host.requests) == (2 if checks_if_range else 3)


def test_changed_size_is_not_spliced(host, target, caplog):
    after = Reply(NEW_TEXT + b"G", headers={}, checks_if_range=False)
    url = host.serve("/x.fa", Reply(OLD_TEXT, sent=FIRST_PART), after)
    get(source(url, kind="fasta"), target)
    assert_whole(target, NEW_TEXT + b"G")
    assert "file changed from 300005 to 300006 bytes; starting again" in caplog.text


def test_splice_that_shows_only_in_verification_is_fetched_once_more(host, target):
    # Same size and same Last-Modified, other bytes: the server gives no sign of the change.
    assert len(OTHER) == len(BODY)
    url = host.serve("/x.fa.gz", Reply(sent=FIRST_PART), Reply(OTHER))
    get(source(url), target)
    assert_whole(target, OTHER)
    assert len(host.requests) == 3


def test_two_503_then_fine(host, target, caplog):
    url = host.serve("/x.fa.gz", Reply(b"", 503), Reply(b"", 503), Reply())
    get(source(url), target)
    assert_whole(target)
    assert caplog.text.count("HTTP 503 Service Unavailable; trying again") == 2


def test_retries_have_an_end(host, target):
    url = host.serve("/x.fa.gz", Reply(b"", 503))
    assert_fails(source(url), target, "HTTP 503 Service Unavailable (4 attempts)")
    assert len(host.requests) == 4
    url = host.serve("/short.fa.gz", Reply(sent=1000, ranges=False, headers={}))
    assert_fails(source(url), target, "/short.fa.gz: connection lost after 1000 bytes")


def test_first_candidate_404_then_second(host, target):
    first, second = host.address + "/gone.fa.gz", host.serve("/x.fa.gz", Reply())
    found = get(source(first, second), target)
    assert_whole(target)
    assert found["url"] == second
    assert len(host.headers_sent("/gone.fa.gz")) == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_bad_certificate_is_not_retried_and_never_ignored(host, target, tmp_path):
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    host.server.socket = context.wrap_socket(host.server.socket, server_side=True)
    secure = host.serve("/x.fa.gz", Reply()).replace("http:", "https:")
    (tmp_path / "x.fa.gz").write_bytes(BODY)
    message = assert_fails(
        source(secure), target, f"{secure}: TLS error", "certificate verify failed"
    )
    assert "attempts" not in message
    assert get(source(secure, str(tmp_path / "x.fa.gz")), target)["from"] == "local"
    assert host.requests == []


def test_failure_lists_candidates_and_how_to_mend(host, target, tmp_path):
    refused = "http://127.0.0.1:9/x.fa.gz"
    gone, page = host.address + "/gone.fa.gz", host.serve("/page.fa.gz", Reply(HTML))
    assert_fails(
        source(refused, gone, page, str(tmp_path / "absent")),
        target,
        "source 'ensembl_cds'",
        f"{refused}: no connection",
        f"{gone}: HTTP 404",
        f"{page}: expected gzip, found a web page (HTML), it begins with '<!DOCTYPE html><html>",
        f"{tmp_path}/absent: not there",
        f"{tmp_path}/mirror/{local_path(gone)}",
        "coding.files",
        mirrors=[tmp_path / "mirror"],
    )
    assert len(host.headers_sent("/page.fa.gz")) == 1


@pytest.mark.parametrize("method", ["md5", "sha256"])
def test_wrong_checksum_is_refused(host, target, method):
    expected = hashlib.new(method, OTHER).hexdigest()
    url = host.serve("/x.fa.gz", Reply())
    assert_fails(source(url, checksum=f"{method}:{expected}"), target, f"{method} is", expected)
    assert len(host.requests) == 1
    found = get(source(url, checksum=f"{method}:{hashlib.new(method, BODY).hexdigest()}"), target)
    assert found["checksum"] == method


def test_wrong_bsd_sum_goes_to_the_next_candidate(host, target, tmp_path):
    right = checksums("x.fa.gz", BODY, tmp_path / "body")
    first = host.serve("/a/x.fa.gz", Reply(OTHER))
    host.serve("/a/CHECKSUMS", Reply(right))
    assert_fails(source(first, checksum="bsdsum"), target, "CHECKSUMS has")
    second = host.serve("/b/x.fa.gz", Reply())
    host.serve("/b/CHECKSUMS", Reply(right))
    found = get(source(first, second, checksum="bsdsum"), target)
    assert_whole(target)
    assert (found["url"], found["checksum"]) == (second, "bsdsum")


@pytest.mark.parametrize("reply", [Reply(b"", 404), Reply(HTML)])
def test_absent_checksums_are_recorded(host, target, caplog, reply):
    url = host.serve("/x.fa.gz", Reply())
    host.serve("/CHECKSUMS", reply)
    assert get(source(url, checksum="bsdsum"), target)["checksum"] == "none available"
    assert "no CHECKSUMS entry" in caplog.text


def test_truncated_at_the_host_and_too_small(host, target):
    cut = host.serve("/cut.fa.gz", Reply(BODY[:-10]))
    small = host.serve("/small.fa.gz", Reply(BODY[:50]))
    assert_fails(
        source(cut, small), target, "gzip file is truncated", "50 bytes, expected at least"
    )


def test_mirror_comes_before_the_network(host, target, tmp_path):
    url = host.serve("/x.fa.gz", Reply())
    place = tmp_path / "mirror" / local_path(url)
    place.parent.mkdir(parents=True)
    text = checksums("x.fa.gz", OTHER, place)
    (place.parent / "CHECKSUMS").write_bytes(text)
    what = source("http://127.0.0.1:9/absent.gz", url, checksum="bsdsum")
    found = get(what, target, mirrors=[tmp_path / "empty", tmp_path / "mirror"], offline=True)
    assert_whole(target, OTHER)
    assert (found["from"], found["url"], found["final_url"]) == ("mirror", url, str(place))
    assert found["checksum"] == "bsdsum"
    assert host.requests == []


def test_simulated_file_is_called_so_and_comes_before_mirrors(target, tmp_path):
    what = source("https://example.org/x.fa.gz")
    for folder in ("simulated", "mirror"):
        place = tmp_path / folder / local_path(what.urls[0])
        place.parent.mkdir(parents=True)
        place.write_bytes(BODY)
    found = get(what, target, simulated=[tmp_path / "simulated"], mirrors=[tmp_path / "mirror"])
    assert found["from"] == "simulation" and found["final_url"].startswith(
        str(tmp_path / "simulated")
    )


def test_damaged_mirror_file_gives_way_to_the_network_or_fails(host, target, tmp_path, caplog):
    url = host.serve("/x.fa.gz", Reply())
    place = tmp_path / "mirror" / local_path(url)
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY[:-100])
    parts = (f"{place}: gzip file is truncated", f"{url}: not tried, offline")
    assert_fails(source(url), target, *parts, mirrors=[tmp_path / "mirror"], offline=True)
    found = get(source(url), target, mirrors=[tmp_path / "mirror"])
    assert_whole(target)
    assert found["from"] == "network"
    assert f"{place}: gzip file is truncated" in caplog.text


def test_offline_without_the_file_touches_no_network(host, target, tmp_path):
    url = host.serve("/x.fa.gz", Reply())
    place = tmp_path / "mirror" / local_path(url)
    parts = (f"{place}: not there", f"from {url}", f"to {place}")
    assert_fails(source(url), target, *parts, mirrors=[tmp_path / "mirror"], offline=True)
    assert host.requests == []


@pytest.mark.parametrize("form", [str, Path.as_uri])
def test_files_of_this_machine_need_no_network(target, tmp_path, form):
    original = tmp_path / "my x.fa.gz"
    text = checksums("my x.fa.gz", BODY, original)
    (tmp_path / "CHECKSUMS").write_bytes(text)
    found = get(source(form(original), checksum="bsdsum"), target, offline=True)
    assert_whole(target)
    assert (found["from"], found["checksum"]) == ("local", "bsdsum")
    assert original.read_bytes() == BODY


def test_old_file_survives_a_failed_download(host, target):
    get(source(host.serve("/x.fa.gz", Reply())), target)
    before = (target.parent / "x.fa.gz.meta.json").read_bytes()
    with pytest.raises(InputError):
        get(source(host.serve("/x.fa.gz", Reply(HTML))), target)
    assert_whole(target)
    assert (target.parent / "x.fa.gz.meta.json").read_bytes() == before


def test_lock_refuses_another_file_until_its_line_is_deleted(host, target, tmp_path):
    lock = tmp_path / "sources.lock.tsv"
    url = host.serve("/x.fa.gz", Reply())
    first = get(source("http://127.0.0.1:9/first.gz", url), target, lock=lock, retries=0)
    header, line = lock.read_text().splitlines()
    assert header.split("\t") == ["path", "sha256", "bytes", "date"]
    assert line.split("\t") == ["127.0.0.1:9/first.gz", sha256(BODY), str(len(BODY)), first["date"]]
    get(source("http://127.0.0.1:9/first.gz", url), target, lock=lock, retries=0)
    assert lock.read_text().splitlines() == [header, line]
    for path in target.parent.iterdir():
        path.unlink()

    changed = source("http://127.0.0.1:9/first.gz", host.serve("/x.fa.gz", Reply(OTHER)))
    parts = (sha256(BODY), sha256(OTHER), "delete the line of 127.0.0.1:9/first.gz", str(lock))
    assert_fails(changed, target, *parts, lock=lock, retries=0)
    assert lock.read_text().splitlines() == [header, line]
    lock.write_text(header + "\n")
    get(changed, target, lock=lock, retries=0)
    assert sha256(OTHER) in lock.read_text()


def test_progress_is_logged(host, target, caplog, monkeypatch):
    monkeypatch.setattr(transfer, "_LOG_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    get(source(host.serve("/x.fa.gz", Reply())), target)
    assert "0.1 of 0.3 MB, " in caplog.text and " MB/s, 0:00 min to go" in caplog.text


def interrupted(host: Host, target: Path, body: bytes, **options) -> str:
    """Address of a file of which an earlier run got the first part, then lost its connection for good."""
    url = host.serve(
        "/x.fa.gz", Reply(body, sent=FIRST_PART, **options), Reply(b"", 503, ranges=False)
    )
    with pytest.raises(InputError, match="HTTP 503"):
        get(source(url, kind="binary"), target, retries=1)
    names = sorted(path.name for path in target.parent.iterdir())
    assert names == [".x.fa.gz.part", ".x.fa.gz.part.json"]
    host.requests.clear()
    return url


def test_next_run_goes_on_where_one_was_interrupted(host, target):
    url = interrupted(host, target, BODY)
    host.serve("/x.fa.gz", Reply())
    get(source(url), target)
    assert_whole(target)
    (headers,) = host.headers_sent("/x.fa.gz")
    assert headers["Range"] == f"bytes={FIRST_PART - transfer._OVERLAP}-"
    assert headers["If-Range"] == MODIFIED


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_refusal_keeps_what_an_earlier_run_got(host, target, status):
    """A login that has run out, or too many requests, say nothing of the bytes; the run after the next uses them."""
    url = interrupted(host, target, BODY)
    host.serve("/x.fa.gz", Reply(b"no", status, ranges=False))
    with pytest.raises(InputError, match=f"HTTP {status}"):
        get(source(url), target, retries=0)
    host.requests.clear()
    host.serve("/x.fa.gz", Reply())
    get(source(url), target)
    assert_whole(target)
    assert "Range" in host.headers_sent("/x.fa.gz")[0]


def test_next_run_goes_on_after_a_kill(host, target):
    """A process that is killed cleans nothing up: its bytes and their note are what the next run finds."""
    url = host.serve("/x.fa.gz", Reply())
    code = (
        "import os, sys; from pathlib import Path\n"
        "from nucleotune.sources import transfer\n"
        "from nucleotune.sources.download import download\n"
        "from nucleotune.sources.registry import Source\n"
        f"transfer.Progress.reach = lambda self, done: 1e6 * done < {FIRST_PART} or os._exit(9)\n"
        f"download(Source('s', ({url!r},), 'none', 1, 'gzip', '', ''), Path({str(target)!r}))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
    assert run.returncode == 9 and (target.parent / ".x.fa.gz.part").stat().st_size > 0
    host.requests.clear()
    get(source(url), target)
    assert_whole(target)
    assert "Range" in host.headers_sent("/x.fa.gz")[0]


def test_file_that_changed_since_the_interrupted_run_is_fetched_whole(host, target):
    url = interrupted(host, target, OLD_TEXT)
    host.serve("/x.fa.gz", Reply(NEW_TEXT, headers={"ETag": '"new"'}))
    get(source(url, kind="fasta"), target)
    assert_whole(target, NEW_TEXT)


def test_range_with_bytes_of_another_place_is_found_out(host, target, caplog):
    """The header says what was asked for, the bytes are others: plain text has nothing else to tell by."""
    text = b">x\n" + np.random.default_rng(2).choice(list(b"ACGT"), 300_000).astype("u1").tobytes()
    url = interrupted(host, target, text + b"\n")
    host.serve("/x.fa.gz", Reply(text + b"\n", shift=1000), Reply(text + b"\n"))
    get(source(url, kind="fasta"), target)
    assert_whole(target, text + b"\n")
    assert "sent other bytes than before" in caplog.text


def test_plain_text_cut_short_of_its_announced_length_is_refused(host, target):
    text = b">x\n" + b"ACGT\n" * 10_000
    url = host.serve("/x.fa", Reply(text, sent=20_003, headers={}))
    assert_fails(source(url, kind="fasta"), target, "connection lost after 20003 bytes")


def test_cut_where_no_length_is_announced(host, target, caplog):
    text = b">x\n" + b"ACGT\n" * 10_000
    cut = host.serve("/cut.fa", Reply(text, sent=20_005, length="", headers={}))
    assert_fails(source(cut, kind="fasta"), target, "its last line has no end", "sha256")
    whole = host.serve("/whole.fa", Reply(text, length="", headers={}))
    get(source(whole, kind="fasta"), target)
    assert_whole(target, text)
    assert "does not say how long the file is" in caplog.text
    short = host.serve("/short.fa", Reply(text, length="20005", headers={}))
    get(source(short, kind="fasta"), target)
    assert "the last line has no end, the only sign that the host may have truncated" in caplog.text
    checksum = f"sha256:{sha256(text[:20_005])}"
    get(source(cut, kind="fasta", checksum=checksum), target)
    assert_whole(target, text[:20_005])


@pytest.mark.parametrize("length", [None, ""])
def test_download_has_a_largest_size(host, target, length, monkeypatch):
    url = host.serve("/x.fa.gz", Reply(length=length))
    monkeypatch.setenv("NUCLEOTUNE_MAX_GB", "0.0001")
    assert_fails(source(url), target, "larger than 0.0001 GB", "download.max_gb")
    assert len(host.requests) == 1
    monkeypatch.setenv("NUCLEOTUNE_MAX_GB", str(len(BODY) / 1e9))
    get(source(url), target)
    assert_whole(target)


def test_download_has_a_longest_time(host, target, monkeypatch):
    """A server that is never silent and never done; the clock goes an hour with every look at it."""
    hours = iter(range(1000))
    monkeypatch.setattr(transfer.time, "monotonic", lambda: 3600 * next(hours))
    url = host.serve("/x.fa.gz", Reply(headers={}))
    monkeypatch.setenv("NUCLEOTUNE_MAX_HOURS", "4")
    assert_fails(source(url), target, "not whole after 4 hours", "download.max_hours")


def test_file_that_unpacks_to_too_much_is_refused(host, target, monkeypatch):
    url = host.serve("/x.fa.gz", Reply(gzip.compress(bytes(3_000_000))))
    monkeypatch.setenv("NUCLEOTUNE_MAX_UNPACKED_GB", "0.002")
    assert_fails(source(url), target, "unpacks to more than 0.002 GB", "download.max_unpacked_gb")
    monkeypatch.setenv("NUCLEOTUNE_MAX_UNPACKED_GB", "0.003")
    get(source(url), target)


def test_what_killed_runs_left_is_removed_and_what_others_write_is_not(host, target):
    target.parent.mkdir(parents=True)
    gone = [target.parent / f".x.fa.gz{middle}.999999999.tmp" for middle in ("", ".meta.json")]
    others = [target.parent / f".x.fa.gz.{os.getpid()}.tmp", target.parent / ".y.gz.999999999.tmp"]
    for path in (*gone, *others):
        path.touch()
    get(source(host.serve("/x.fa.gz", Reply())), target)
    assert not any(path.exists() for path in gone) and all(path.exists() for path in others)


def test_two_at_once_do_not_write_one_file(target):
    with partial_file(target) as first, partial_file(target) as second:
        assert first != second
        second.write_bytes(b"second")
        first.write_bytes(b"first")
        assert second.read_bytes() == b"second"
    assert_nothing_left(target)


def test_what_another_began_after_the_renaming_is_left(target):
    with partial_file(target) as path:
        os.replace(path, target)
        path.write_bytes(b"another's")
    assert path.read_bytes() == b"another's"


SECRETS = ("alice", "s3cr3t", "t0k3n")


def test_credentials_are_sent_and_shown_nowhere(host, target, tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="nucleotune")
    plain = host.serve("/x.fa.gz?token=t0k3n", Reply())
    url = plain.replace("://", "://alice:s3cr3t@")
    lock = tmp_path / "lock.tsv"
    found = get(source(url), target, lock=lock)
    assert_whole(target)
    (headers,) = host.headers_sent("/x.fa.gz?token=t0k3n")
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"alice:s3cr3t").decode()
    written = [path.read_text() for path in (lock, target.parent / "x.fa.gz.meta.json")]
    gone = url.replace("x.fa.gz", "gone.fa.gz")
    refused = f"http://alice:s3cr3t@127.0.0.1:9/x?token=t0k3n {gone}".split()
    message = ""
    for address in refused:
        with pytest.raises(InputError) as caught:
            get(source(address), target, mirrors=[tmp_path / "mirror"], retries=1)
        message += str(caught.value)
    for text in (*written, message, caplog.text, str(found)):
        assert not [secret for secret in SECRETS if secret in text]


def test_redirect_to_a_signed_link_shows_no_signature(host, target):
    end = host.serve("/end.fa.gz?Expires=9&Signature=t0k3n", Reply())
    url = host.serve("/x.fa.gz", Reply(b"", 302, headers={"Location": end}))
    found = get(source(url), target)
    assert found["final_url"].startswith(f"{host.address}/end.fa.gz?Expires=9&Signature=hidden-")


@pytest.mark.parametrize("reason", ["ENOSYS", "ENOLCK", "EOPNOTSUPP", "EBADF"])
def test_file_system_without_locks(host, target, tmp_path, caplog, monkeypatch, reason):
    """As Lustre mounted without `-o flock`: the download goes on, and says so once."""

    def refuse(*arguments):
        raise OSError(getattr(errno, reason), os.strerror(getattr(errno, reason)))

    monkeypatch.setattr(guard.fcntl, "flock", refuse)
    guard._say_once.cache_clear()
    lock = tmp_path / "lock.tsv"
    get(source(host.serve("/x.fa.gz", Reply())), target, lock=lock)
    assert_whole(target)
    assert sha256(BODY) in lock.read_text()
    assert caplog.text.count("the file system has no file locks") == 1
    guard._say_once.cache_clear()


def test_lock_that_cannot_be_used_is_found_before_the_bytes_are_fetched(host, target, tmp_path):
    lock = tmp_path / "lock.tsv"
    lock.write_text("no table\n")
    with pytest.raises(InputError, match=r"lock\.tsv: line 1"):
        get(source(host.serve("/x.fa.gz", Reply())), target, lock=lock)
    assert host.requests == [] and not target.parent.exists()
