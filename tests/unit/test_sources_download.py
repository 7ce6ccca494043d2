import gzip
import hashlib
import json
import logging
import shutil
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from nucleotune.errors import InputError
from nucleotune.sources import transfer
from nucleotune.sources.download import download
from nucleotune.sources.registry import Source, local_path
from nucleotune.sources.verify import bsd_sum

BODY = gzip.compress(np.random.default_rng(0).bytes(300_000), mtime=0)
OTHER = gzip.compress(np.random.default_rng(1).bytes(300_000), mtime=0)
HTML = b"<!DOCTYPE html><html><body>Please sign in" + b" " * 5000
FIRST_PART = 200_000
MODIFIED = "Tue, 01 Jul 2025 10:20:30 GMT"


@dataclass
class Reply:
    """One scripted answer; `sent` cuts the body short of the announced length."""

    body: bytes = BODY
    status: int = 200
    sent: int | None = None
    ranges: bool = True
    checks_if_range: bool = True
    headers: dict[str, str] = field(default_factory=lambda: {"Last-Modified": MODIFIED})


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
                body = reply.body[start:]
                self.send_response(206 if start else reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if start:
                    end, total = len(reply.body) - 1, len(reply.body)
                    self.send_header("Content-Range", f"bytes {start}-{end}/{total}")
                self.send_header("Content-Length", str(len(body)))
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
    assert second["Range"] == f"bytes={FIRST_PART}-"
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
    url = host.serve("/short.fa.gz", Reply(sent=1000, ranges=False))
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
    assert "0.1 of 0.3 MB, " in caplog.text and " MB/s, ETA 0 s" in caplog.text
