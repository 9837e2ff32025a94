import contextlib
import errno
import http.server
import os
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from ntklens.data import transfers as module
from ntklens.data.download import Offer, download, download_any
from ntklens.data.errors import DatasetError
from ntklens.machine.locks import lock

CONTENT = bytes(range(256)) * 4000  # 1 MB, 32 pieces


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
    monkeypatch.setattr(module, "TIMEOUT", (2.0, 2.0))
    monkeypatch.setenv("no_proxy", "127.0.0.1,no-such-host.invalid")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads" / "file.gz"


def at_once(out, content):
    out.write(content)


def slowly(speed, halt=None):
    """A function that sends a content at ``speed`` bytes per second, and halts after ``halt`` bytes."""

    def send(out, content):
        with contextlib.suppress(OSError):  # the client may leave
            for start in range(0, len(content), 2_000):
                if halt is not None and start >= halt:
                    time.sleep(3 * module.WINDOW)
                    return
                out.write(content[start : start + 2_000])
                time.sleep(2_000 / speed)

    return send


def serve(content=CONTENT, stop_at=None, ranges=True, tag='"one"', send=at_once):
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
        send(request.wfile, content[first:stop_at])

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


# Several mirrors, of which some are slow

SLOW = slowly(200_000)


@pytest.fixture
def _impatient(monkeypatch):
    """A mirror must give half a megabyte per second over a fifth of a second."""
    monkeypatch.setattr(module, "LEAST_SPEED", 500_000.0)
    monkeypatch.setattr(module, "WINDOW", 0.2)
    monkeypatch.setattr(module, "PIECE", 4_000)


def offers_of(hosts, target, content=CONTENT):
    """The file of ``content`` on several hosts that all have the same bytes."""

    def read(path):
        if path.read_bytes() != content:
            raise DatasetError("it is something else")
        return content

    return [Offer(host.address, target, read, len(content)) for host in hosts]


def last_first_byte(host):
    """The position that the host was last asked to go on from."""
    return int(host.ranges[-1].removeprefix("bytes=").removesuffix("-"))


@pytest.mark.usefixtures("_impatient")
def test_slow_mirror_is_left_for_the_next_which_goes_on_from_there(start, target, capsys):
    slow, fast = start(serve(send=SLOW)), start(serve(tag='"of the other host"'))
    assert download_any(offers_of([slow, fast], target)) == CONTENT
    assert (slow.ranges, len(fast.ranges)) == ([None], 1)
    assert 0 < last_first_byte(fast) < len(CONTENT) / 2
    assert f"{slow.address} is slow" in capsys.readouterr().err
    assert left(target) == {"file.gz"}


@pytest.mark.usefixtures("_impatient")
def test_part_of_a_file_that_hosts_may_pack_differently_is_not_continued_elsewhere(start, target):
    slow, fast = start(serve(send=SLOW)), start(serve())
    assert download([slow.address, fast.address], target, accept) == CONTENT
    assert fast.ranges == [None]
    assert left(target) == {"file.gz"}


@pytest.mark.usefixtures("_impatient")
def test_mirror_without_ranges_completes_what_another_began(start, target):
    """It sends all of the file. The first bytes are there already: others in their place do no harm."""
    slow = start(serve(send=SLOW))
    whole = start(serve(b"!" * 1_000 + CONTENT[1_000:], ranges=False))
    assert download_any(offers_of([slow, whole], target)) == CONTENT
    assert len(whole.ranges) == 1


@pytest.mark.usefixtures("_impatient")
def test_slow_mirror_without_ranges_loses_nothing_of_what_another_gave(start, target):
    begun = start(serve(stop_at=600_000), state(404))
    slow, fast = start(serve(ranges=False, send=SLOW)), start(serve())
    assert download_any(offers_of([begun, slow, fast], target)) == CONTENT
    assert last_first_byte(fast) == 600_000


@pytest.mark.usefixtures("_impatient")
def test_other_bytes_of_a_slow_mirror_are_thrown_away(start, target):
    bad, good = start(serve(bytes(len(CONTENT)), send=SLOW)), start(serve())
    assert download_any(offers_of([bad, good], target)) == CONTENT
    assert (len(good.ranges), good.ranges[1]) == (2, None)


@pytest.mark.usefixtures("_impatient")
def test_other_bytes_of_fast_mirrors_do_not_end_the_download(start, target):
    bad = [start(serve(bytes(len(CONTENT)))), start(serve(b"<html>log in</html>"))]
    good = start(serve())
    assert download_any(offers_of([*bad, good], target)) == CONTENT
    assert good.ranges == [None]


def test_file_of_another_size_does_not_touch_the_part(start, target):
    begun = start(serve(stop_at=600_000), state(404))
    other, good = start(serve(CONTENT * 2)), start(serve())
    assert download_any(offers_of([begun, other, good], target)) == CONTENT
    assert last_first_byte(good) == 600_000


def test_connection_that_ends_early_unnoticed_is_taken_up_again(start, target):
    def cut(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(CONTENT[:1000])

    host = start(cut, serve())
    assert download_any(offers_of([host], target)) == CONTENT
    assert host.ranges == [None, "bytes=1000-"]


@pytest.mark.usefixtures("_impatient")
def test_dead_mirror_is_passed_over(start, target):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/file.gz"
    offers = offers_of([start(serve())], target)
    assert download_any([replace(offers[0], address=dead), *offers]) == CONTENT


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("halt", [0, 100_000])
def test_mirror_that_falls_silent_is_passed_over(start, target, halt):
    silent, good = start(serve(send=slowly(1e8, halt))), start(serve())
    assert download_any(offers_of([silent, good], target)) == CONTENT
    assert good.ranges == [f"bytes={halt}-" if halt else None]


@pytest.mark.usefixtures("_impatient")
def test_fastest_goes_on_where_all_are_slow(start, target, capsys):
    content = CONTENT[:400_000]
    hosts = [start(serve(content, send=slowly(speed))) for speed in (50_000, 400_000, 20_000)]
    assert download_any(offers_of(hosts, target, content)) == content
    assert [len(host.ranges) for host in hosts] == [1, 2, 1]
    said = capsys.readouterr().err
    assert f"going on with {hosts[1].address}" in said
    assert said.count("is slow") == 3


@pytest.mark.usefixtures("_impatient")
def test_only_mirror_may_be_slow(start, target):
    content = CONTENT[:120_000]
    host = start(serve(content, send=SLOW))
    assert download_any(offers_of([host], target, content)) == content
    assert host.ranges == [None]


@pytest.mark.usefixtures("_impatient")
def test_error_says_what_happened_at_each_mirror(start, target):
    answers = [(serve(send=SLOW), state(404)), (state(503),), (serve(bytes(len(CONTENT))),)]
    hosts = [start(*own) for own in answers]
    with pytest.raises(DatasetError) as caught:
        download_any(offers_of(hosts, target))
    slow, busy, wrong = (re.escape(host.address) for host in hosts)
    expected = rf"{slow} \(404.*; before, \d+ kB/s\) or {busy} \(.*503.*\) or {wrong} \(sent a wrong file"
    assert re.search(expected, str(caught.value))


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("bad", [state(404), serve(send=SLOW)], ids=["missing", "slow"])
def test_formats_of_one_file_compete(start, target, bad):
    """The second format is another file under another name; nothing is left of the first."""
    other = target.with_name("file.zip")
    offers = [
        *offers_of([start(bad)], target),
        *offers_of([start(serve(b"zip"), state(404))], other, b"zip"),
    ]
    for _ in range(2):  # from the host, then from the file
        assert download_any(offers) == b"zip"
    assert left(target) == {"file.zip"}
