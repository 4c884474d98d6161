import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from waplus.local import addresses
from waplus.local.children import Program
from waplus.local.supervisor import StopAsked, Supervisor

LONG = 30  # seconds after which a wait gives up; nothing is measured


def python(name: str, code: str) -> Program:
    return Program(name=name, argv=(sys.executable, "-u", "-c", textwrap.dedent(code)))


@pytest.fixture
def output():
    return io.StringIO()


@pytest.fixture
def supervisor(output):
    with Supervisor(output=output, width=6, first_delay=0.01, longest_delay=0.04, stop_seconds=LONG) as supervisor:
        yield supervisor


def outside(tmp_path: Path, code: str) -> subprocess.Popen:
    """A supervisor in a process of its own, to be ended by signals."""
    script = tmp_path / "outside.py"
    script.write_text(
        "import sys\nfrom waplus.local.children import Program\nfrom waplus.local.supervisor import Supervisor\n"
        "def python(name, code):\n    return Program(name=name, argv=(sys.executable, '-u', '-c', code))\n"
        + textwrap.dedent(code)
    )
    return subprocess.Popen(
        [sys.executable, "-u", str(script)],
        env={**os.environ, "PYTHONPATH": str(addresses.PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def numbers_in(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def ends(pid: int) -> bool:
    """Whether a process ends; one that only waits for its parent to take note of it has ended."""
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_prefixes_lines(supervisor, output):
    code = supervisor.run_once(python("web", "print('one'); print('two', end='')"))
    assert code == 0
    assert output.getvalue() == "web    | one\nweb    | two\n"


def test_prints_errors_as_lines(supervisor, output):
    supervisor.run_once(python("web", "import sys; sys.stderr.write('no\\n')"))
    assert output.getvalue() == "web    | no\n"


def test_returns_exit_code(supervisor):
    assert supervisor.run_once(python("once", "raise SystemExit(7)")) == 7


def test_returns_code_of_signal(supervisor):
    assert supervisor.run_once(python("once", "import os; os.kill(os.getpid(), 9)")) == 137


def test_restarts_killed_child(supervisor, output, tmp_path):
    pids = tmp_path / "pids"
    code = f"import os, time; open({str(pids)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(600)"
    supervisor.start(python("worker", code))
    assert supervisor.wait_until(lambda: len(numbers_in(pids)) == 1, seconds=LONG)
    os.kill(numbers_in(pids)[0], signal.SIGKILL)
    assert supervisor.wait_until(lambda: len(numbers_in(pids)) == 2, seconds=LONG)
    assert output.getvalue() == "waplus | worker ended with code 137; it starts again in 0.01 s\n"


def test_doubles_delay_up_to_the_longest(supervisor, output):
    supervisor.start(python("worker", "raise SystemExit(3)"))
    assert supervisor.wait_until(lambda: output.getvalue().count("\n") >= 4, seconds=LONG)
    delays = [line.rsplit(" in ", 1)[1] for line in output.getvalue().splitlines()[:4]]
    assert delays == ["0.01 s", "0.02 s", "0.04 s", "0.04 s"]


def test_resets_delay_after_steady_time(output):
    with Supervisor(output=output, first_delay=0.01, steady_after=0) as supervisor:
        supervisor.start(python("worker", "raise SystemExit(3)"))
        assert supervisor.wait_until(lambda: output.getvalue().count("\n") >= 2, seconds=LONG)
    delays = [line.rsplit(" in ", 1)[1] for line in output.getvalue().splitlines()[:2]]
    assert delays == ["0.01 s", "0.01 s"]


def test_stops_in_reverse_order(supervisor, output):
    code = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("bye")))
        print("up")
        time.sleep(600)
    """
    for name in ("one", "two"):
        supervisor.start(python(name, code))
    assert supervisor.wait_until(lambda: output.getvalue().count("up") == 2, seconds=LONG)
    supervisor.stop()
    assert output.getvalue().splitlines()[2:] == ["two    | bye", "one    | bye"]


def test_kills_child_that_does_not_stop(output):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(600)"
    with Supervisor(output=output, width=6, stop_seconds=0.1) as supervisor:
        supervisor.start(python("deaf", code))
        assert supervisor.wait_until(lambda: "up" in output.getvalue(), seconds=LONG)
    assert output.getvalue() == "deaf   | up\nwaplus | deaf does not stop and is killed\n"


def test_kills_what_a_dead_child_left_behind(supervisor, output, tmp_path):
    pids = tmp_path / "pids"
    code = f"""
        import subprocess, sys
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(pids)!r}, "w").write(str(left.pid))
    """
    assert supervisor.run_once(python("web", code)) == 0
    assert ends(numbers_in(pids)[0])


def test_stops_whole_group_on_sigterm(tmp_path):
    child = (
        "import os, signal, time; signal.signal(15, signal.SIG_IGN) if os.fork() == 0 else None; "
        "os.write(1, b'%d\\n' % os.getpid()); time.sleep(600)"
    )
    process = outside(
        tmp_path,
        f"""
        with Supervisor() as supervisor:
            supervisor.start(python("web", {child!r}))
            supervisor.supervise()
            supervisor.say("over")
        """,
    )
    pids = [int(process.stdout.readline().rsplit("|", 1)[1]) for _ in range(2)]
    process.send_signal(signal.SIGTERM)
    assert process.wait(LONG) == 0
    for pid in pids:
        assert ends(pid)
    assert process.stdout.read() == "waplus   | over\n"
    process.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_takes_children_along_when_killed(tmp_path):
    process = outside(
        tmp_path,
        """
        with Supervisor() as supervisor:
            supervisor.start(python("web", "import os, time; print(os.getpid()); time.sleep(600)"))
            supervisor.supervise()
        """,
    )
    pid = int(process.stdout.readline().rsplit("|", 1)[1])
    process.kill()
    process.wait(LONG)
    process.stdout.close()
    assert ends(pid)


def test_leaves_a_wait_on_sigint(supervisor):
    supervisor.start(python("web", f"import os, time; os.kill({os.getpid()}, 2); time.sleep(600)"))
    with pytest.raises(StopAsked):
        supervisor.wait_until(lambda: False, seconds=LONG)


def test_gives_up_waiting(supervisor):
    assert supervisor.wait_until(lambda: False, seconds=0) is False


def test_colours_names_on_a_terminal_only(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    output = io.StringIO()
    output.isatty = lambda: True
    with Supervisor(output=output, width=3) as supervisor:
        supervisor.say("up", "web")
        supervisor.say("up", "db")
        supervisor.say("more", "web")
    assert output.getvalue() == "\x1b[36mweb |\x1b[0m up\n\x1b[33mdb  |\x1b[0m up\n\x1b[36mweb |\x1b[0m more\n"


def test_raises_on_a_program_that_does_not_exist(supervisor):
    with pytest.raises(FileNotFoundError):
        supervisor.start(Program(name="web", argv=("/does/not/exist",)))
