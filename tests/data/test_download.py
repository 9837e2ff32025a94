import contextlib
import errno
import http.server
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ntklens.data import download as module
from ntklens.data.download import download
from ntklens.data.errors import DatasetError
from ntklens.machine.locks import lock

CONTENT = bytes(range(256)) * 4000  # 1 MB, four pieces


def accept(path):
    """The ``read`` of these tests: it accepts only CONTENT."""
    found = path.read_bytes()
    if found != CONTENT:
        raise DatasetError(f"{path.name} has {len(found)} bytes of something else", "get it again")
    return found


class Host:
    """A local server. ``answers`` are functions, one for each request; the last serves all further ones."""

    def __init__(self, *answers):
        self.answers, self.ranges = list(answers), []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host.ranges.append(self.headers.get("Range"))
                answer = host.answers.pop(0) if len(host.answers) > 1 else host.answers[0]
                answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/file.gz"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def start():
    """A function that starts a host with the given answers."""
    hosts = []

    def begin(*answers):
        hosts.append(Host(*answers))
        return hosts[-1]

    yield begin
    for host in hosts:
        host.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.001)
    monkeypatch.setattr(module, "TIMEOUT", (2, 2))
    monkeypatch.setenv("no_proxy", "127.0.0.1,no-such-host.invalid")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads" / "file.gz"


def serve(content=CONTENT, stop_at=None, ranges=True, tag='"one"'):
    """An answer with ``content``, cut off at byte ``stop_at``; ``ranges`` says whether it can resume."""

    def answer(request):
        first, asked = 0, request.headers.get("Range")
        if asked and ranges and request.headers.get("If-Range") in (None, tag):
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
        if first >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(206 if first else 200)
        if first:
            request.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if tag:
            request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(content) - first))
        request.end_headers()
        request.wfile.write(content[first:stop_at])

    return answer


def state(number):
    def answer(request):
        request.send_response(number)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def hang_up(request):
    request.close_connection = True


def left(target):
    """Names of the files in ``target``'s folder, without the lock, which is empty."""
    return {path.name for path in target.parent.iterdir()} - {"file.gz.lock"}


def test_file_is_downloaded_and_read(start, target):
    host = start(serve())
    assert download([host.address], target, accept) == CONTENT
    assert target.read_bytes() == CONTENT
    assert left(target) == {"file.gz"}


def test_file_from_before_is_not_downloaded_again(start, target):
    host = start(serve())
    for _ in range(2):
        assert download([host.address], target, accept) == CONTENT
    assert len(host.ranges) == 1


def test_damaged_file_from_before_is_replaced(start, target):
    target.parent.mkdir()
    target.write_bytes(CONTENT[:-1])
    assert download([start(serve()).address], target, accept) == CONTENT


def test_broken_transfer_goes_on_where_it_stopped(start, target):
    host = start(serve(stop_at=600_000), serve(stop_at=900_000), serve())
    assert download([host.address], target, accept) == CONTENT
    assert host.ranges == [None, "bytes=600000-", "bytes=900000-"]


def test_transfer_that_always_breaks_ends_while_bytes_are_gained(start, target):
    """There are more interruptions than TRIES."""
    stops = range(100_000, 1_000_000, 100_000)
    host = start(*(serve(stop_at=stop) for stop in stops), serve())
    assert len(stops) > module.TRIES
    assert download([host.address], target, accept) == CONTENT


def test_killed_download_goes_on_at_the_next_call(start, target):
    host = start(serve(stop_at=600_000))
    with pytest.raises(DatasetError, match="to resume where it stopped"):
        download([host.address], target, accept)
    assert not target.exists()
    host.answers = [serve()]
    host.ranges.clear()
    assert download([host.address], target, accept) == CONTENT
    assert host.ranges == ["bytes=600000-"]
    assert left(target) == {"file.gz"}


def test_process_killed_just_before_the_end_downloads_nothing_again(start, target):
    host = start(serve())
    target.parent.mkdir()
    (target.parent / f"file.gz.part-127.0.0.1-{host.server.server_port}").write_bytes(CONTENT)
    assert download([host.address], target, accept) == CONTENT
    assert host.ranges == [f"bytes={len(CONTENT)}-"]


def test_server_that_cannot_go_on_sends_all_of_it(start, target):
    host = start(serve(stop_at=600_000), serve(ranges=False))
    assert download([host.address], target, accept) == CONTENT


def test_file_that_changed_on_the_server_is_downloaded_anew(start, target):
    host = start(serve(bytes(len(CONTENT)), stop_at=600_000, tag='"old"'), serve())
    assert download([host.address], target, accept) == CONTENT
    assert host.ranges == [None, "bytes=600000-"]


def test_file_that_changed_unnoticed_is_downloaded_anew(start, target):
    host = start(serve(bytes(len(CONTENT)), stop_at=600_000, tag=None), serve(tag=None))
    assert download([host.address], target, accept) == CONTENT
    assert host.ranges == [None, "bytes=600000-", None]


def test_part_longer_than_the_file_is_thrown_away(start, target):
    host = start(serve())
    target.parent.mkdir()
    (target.parent / f"file.gz.part-127.0.0.1-{host.server.server_port}").write_bytes(CONTENT + b"more")
    assert download([host.address], target, accept) == CONTENT


def test_range_that_was_not_asked_for_is_thrown_away(start, target):
    def other_range(request):
        request.send_response(206)
        request.send_header("Content-Range", "bytes 5-9/1000")
        request.send_header("Content-Length", "5")
        request.end_headers()
        request.wfile.write(b"other")

    host = start(serve(stop_at=600_000), other_range, serve())
    assert download([host.address], target, accept) == CONTENT
    assert host.ranges == [None, "bytes=600000-", None]


@pytest.mark.parametrize("trouble", [state(503), state(429), hang_up])
def test_passing_trouble_is_waited_for(start, target, trouble):
    host = start(trouble, trouble, serve())
    assert download([host.address], target, accept) == CONTENT


def test_missing_file_is_not_asked_for_twice(start, target):
    host = start(state(404))
    with pytest.raises(DatasetError, match="404"):
        download([host.address], target, accept)
    assert len(host.ranges) == 1


@pytest.mark.parametrize(
    "bad", [state(404), state(503), hang_up, serve(stop_at=600_000), serve(b"<html>log in</html>")]
)
def test_next_mirror_serves_where_the_first_fails(start, target, bad):
    assert download([start(bad).address, start(serve()).address], target, accept) == CONTENT


def test_wrong_file_is_refused_and_not_kept(start, target):
    host = start(serve(b"<html>log in</html>"))
    with pytest.raises(DatasetError, match=r"sent a wrong file: file\.gz.* has 19 bytes .*data_dir"):
        download([host.address], target, accept)
    assert left(target) == set()


def test_truncated_file_of_a_server_without_lengths_is_refused_and_not_kept(start, target):
    def cut(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(CONTENT[:1000])

    with pytest.raises(DatasetError, match="sent a wrong file"):
        download([start(cut).address], target, accept)
    assert left(target) == set()


def test_error_names_every_address_and_what_to_do(start, target):
    addresses = [start(state(404)).address, start(state(503)).address]
    with pytest.raises(DatasetError) as caught:
        download(addresses, target, accept)
    for words in (*addresses, "404", "503", "get file.gz by other means", "as data_dir in the config"):
        assert words in str(caught.value)


def test_refused_connection_raises_and_says_what_to_do(target):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/file.gz"
    with pytest.raises(DatasetError, match=rf"could not download {address} .*refused.*as data_dir"):
        download([address], target, accept)


def test_unknown_host_raises_and_says_what_to_do(target):
    with pytest.raises(DatasetError, match=r"could not download http://no-such-host\.invalid/.*as data_dir"):
        download(["http://no-such-host.invalid/file.gz"], target, accept)


def test_two_at_once_download_one_file(start, target):
    host = start(serve())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: download([host.address], target, accept), range(4)))
    assert results == [CONTENT] * 4
    assert len(host.ranges) == 1


def test_file_system_without_locks_will_do(start, target, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    assert download([start(serve()).address], target, accept) == CONTENT


def test_lock_ends_with_the_download_however_it_ends(start, target):
    for answer in (state(404), serve()):
        with contextlib.suppress(DatasetError):
            download([start(answer).address], target, accept)
        os.close(lock(target.with_name("file.gz.lock")))


def test_part_that_cannot_be_written_raises_and_says_what_to_do(start, target):
    host = start(serve())
    part = target.parent / f"file.gz.part-127.0.0.1-{host.server.server_port}"
    part.mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"Is a directory.*as data_dir"):
        download([host.address], target, accept)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_full_disk_is_said_and_no_other_mirror_is_tried(start, target):
    host = start(serve())
    target.parent.mkdir()
    part = target.with_name(f"file.gz.part-127.0.0.1-{host.server.server_port}")
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        download([host.address, "http://no-such-host.invalid/file.gz"], target, accept)
    assert host.ranges == [None]


def test_log_gets_a_line_each_tenth_at_most(start, target, capsys):
    download([start(serve()).address], target, accept)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("/file.gz of 1.02MB")
    assert lines[-1] == "1.02MB of 1.02MB"
    assert len(lines) <= 11
    assert not any("\r" in line for line in lines)


def test_terminal_gets_a_bar(start, target, capsys, monkeypatch):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True)
    download([start(serve()).address], target, accept)
    assert "file.gz: 100%" in capsys.readouterr().err
