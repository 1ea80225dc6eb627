import contextlib
import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest

from warehouse import lock


def hold(home: Path, held: multiprocessing.Event) -> None:
    with lock.writing(home, "night of the child"):
        held.set()
        signal.pause()


@pytest.fixture
def other_process(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    child = context.Process(target=hold, args=(tmp_path, held))
    child.start()
    assert held.wait(30)
    yield child
    child.kill()
    child.join()


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path, other_process) -> None:
    words = rf"night of the child \(process {other_process.pid} .*Remedy"
    with pytest.raises(lock.WarehouseBusy, match=words), lock.writing(tmp_path, "me", patience_seconds=0.1):
        pass
    with lock.reading(tmp_path) as writer:
        assert writer is not None and writer.process_id == other_process.pid
    assert lock.abandoned_by(tmp_path) is None


def test_a_killed_writer_leaves_its_name_and_no_lock(tmp_path: Path, other_process) -> None:
    os.kill(other_process.pid, signal.SIGKILL)
    other_process.join()
    assert lock.current_owner(tmp_path) is None
    left = lock.abandoned_by(tmp_path)
    assert left is not None and left.name == "night of the child"
    with lock.writing(tmp_path, "me") as owner:
        assert owner.process_id == os.getpid()


def test_who_ends_well_signs_off(tmp_path: Path) -> None:
    with lock.writing(tmp_path, "me"):
        assert lock.current_owner(tmp_path) == lock.current_owner(tmp_path) is not None
    assert lock.current_owner(tmp_path) is None
    assert lock.abandoned_by(tmp_path) is None


def test_a_writer_waits_for_readers(tmp_path: Path) -> None:
    with lock.writing(tmp_path, "first"):
        pass
    with lock.reading(tmp_path) as writer:
        assert writer is None
        words = "a process that reads it"
        with pytest.raises(lock.WarehouseBusy, match=words), lock.writing(tmp_path, "me", 0.1, 0.1):
            pass
    with lock.writing(tmp_path, "me", 0.1, 0.1):
        pass


def test_a_writer_waits_longer_for_readers_than_for_another_writer(tmp_path: Path) -> None:
    with lock.writing(tmp_path, "first"):
        pass
    ends = threading.Timer(0.5, lambda: reader.close())
    with contextlib.ExitStack() as reader:
        assert reader.enter_context(lock.reading(tmp_path)) is None
        ends.start()
        with lock.writing(tmp_path, "me", patience_seconds=0.0) as owner:
            assert owner.name == "me"
    ends.join()


def test_a_home_without_a_night_has_no_owner(tmp_path: Path) -> None:
    assert lock.current_owner(tmp_path) is lock.abandoned_by(tmp_path) is None


def test_a_broken_lock_file_is_no_reason_to_fail(tmp_path: Path) -> None:
    lock.lock_path(tmp_path).write_text("{broken")
    assert "unreadable" in str(lock.abandoned_by(tmp_path))
    with lock.writing(tmp_path, "me"):
        pass
