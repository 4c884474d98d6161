import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg2
import pytest

from waplus.local import addresses, throwaway
from waplus.local.machine import open_way, port_is_free
from waplus.local.postgres import Cluster, PostgresError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
LONG = 30  # seconds


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path / "postgres", durable=False)
    yield cluster
    cluster.stop()


def ask(cluster: Cluster, query: str, database: str = "postgres"):
    connection = psycopg2.connect(cluster.url(database), connect_timeout=10)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def in_other_process(code: str, *, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*launcher, sys.executable, "-c", code],
        cwd=addresses.PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_starts_and_stops(cluster):
    cluster.start()
    assert ask(cluster, "SELECT 1") == 1
    port = cluster.port
    cluster.stop()
    assert cluster.postmaster() is None
    assert port_is_free("127.0.0.1", port)
    assert not (cluster.data / "postmaster.pid").exists()


def test_asks_for_a_password(cluster):
    cluster.start()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(cluster.url("postgres").replace("waplus:", "waplus:x"))
    assert ask(cluster, "SHOW password_encryption") == "scram-sha-256"
    assert mode(cluster.directory / "password") == 0o600
    assert not (cluster.directory / "password.new").exists()


def test_listens_on_loopback_only(cluster):
    cluster.start()
    assert ask(cluster, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(cluster, "SHOW unix_socket_directories") == ""


def test_sorts_by_code_point_and_knows_letters(cluster):
    cluster.start()
    assert ask(cluster, "SHOW server_encoding") == "UTF8"
    assert ask(cluster, "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b','A','a','B']) x") == "ABab"
    assert ask(cluster, "SELECT lower('ÄЖ')") == "äж"


def test_keeps_data_and_port(cluster):
    cluster.start()
    cluster.create_database("shop")
    cluster.create_database("shop")
    port = cluster.port
    cluster.stop()
    cluster.start()
    assert cluster.port == port
    assert ask(cluster, "SELECT current_database()", "shop") == "shop"


def test_picks_another_port_when_taken(cluster):
    cluster.start()
    port = cluster.port
    cluster.stop()
    with socket.create_server(("127.0.0.1", port)):
        cluster.start()
        assert cluster.port != port
        assert ask(cluster, "SELECT 1") == 1


def test_finds_server_that_runs_already(cluster):
    cluster.start()
    again = Cluster(cluster.directory, durable=False)
    again.start()
    assert again.process is None
    assert again.postmaster().pid == cluster.process.pid
    with pytest.raises(PostgresError, match="already runs"):
        again.prepare()


def test_stops_server_that_another_started(cluster):
    cluster.start()
    Cluster(cluster.directory).stop()
    assert cluster.process.wait(LONG) == 0


def test_recovers_after_kill(cluster):
    cluster.start()
    cluster.create_database("shop")
    cluster.process.kill()
    cluster.process.wait(LONG)
    assert (cluster.data / "postmaster.pid").exists()
    cluster.start()
    assert ask(cluster, "SELECT current_database()", "shop") == "shop"


def test_disbelieves_pid_of_another_process(cluster):
    cluster.start()
    lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    cluster.stop()
    # The number now belongs to this very test, as it may after a reboot.
    stale = cluster.data / "postmaster.pid"
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    if os.geteuid() == 0:
        os.chown(stale, cluster.data.stat().st_uid, cluster.data.stat().st_gid)
    assert cluster.postmaster() is None
    cluster.start()
    assert ask(cluster, "SELECT 1") == 1


def test_disbelieves_pid_file_of_a_copied_cluster(cluster, tmp_path):
    cluster.start()
    copy = Cluster(tmp_path / "copy", durable=False)
    shutil.copytree(cluster.directory, copy.directory)
    assert (copy.data / "postmaster.pid").exists()
    assert copy.postmaster() is None


def test_runs_beside_another(cluster, tmp_path):
    other = Cluster(tmp_path / "other", durable=False)
    try:
        cluster.start()
        other.start()
        assert cluster.port != other.port
        cluster.create_database("shop")
        assert ask(other, "SELECT count(*) FROM pg_database WHERE datname = 'shop'") == 0
    finally:
        other.stop()


def test_makes_half_made_cluster_anew(cluster):
    (cluster.directory / "data.new").mkdir(parents=True)
    (cluster.directory / "data.new" / "PG_VERSION").write_text("18")
    cluster.start()
    assert ask(cluster, "SELECT 1") == 1


def test_refuses_data_of_another_version(cluster):
    cluster.start()
    cluster.stop()
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match="was made by PostgreSQL 9, and this is 18"):
        cluster.start()


def test_shows_last_words_when_it_does_not_start(cluster):
    cluster.start()
    cluster.stop()
    (cluster.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(PostgresError, match="no_such_setting"):
        cluster.start()


@as_root
def test_runs_as_unprivileged_user(cluster):
    cluster.start()
    assert psutil.Process(cluster.process.pid).username() == "waplus-postgres"
    assert mode(cluster.data) == 0o700


@as_root
def test_opens_closed_parent_for_passing_only(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    project = closed / "project"
    project.mkdir(mode=0o700)
    cluster = Cluster(project / "postgres", durable=False)
    try:
        cluster.start()
        assert ask(cluster, "SELECT 1") == 1
    finally:
        cluster.stop()
    assert (mode(closed), mode(project)) == (0o701, 0o701)


@as_root
def test_leaves_open_parent_alone(tmp_path):
    tmp_path.chmod(0o755)
    opened = open_way(tmp_path)
    assert tmp_path not in opened
    assert mode(tmp_path) == 0o755


@as_root
def test_takes_over_data_copied_by_root(cluster):
    cluster.start()
    cluster.stop()
    for path in (cluster.data, *cluster.data.rglob("*")):
        os.chown(path, 0, 0)
    cluster.start()
    assert ask(cluster, "SELECT 1") == 1


@as_root
def test_works_as_ordinary_user():
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed")
    nobody = pwd.getpwnam("nobody")
    launcher = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    directory = Path(tempfile.mkdtemp())
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    code = f"""
from pathlib import Path
from waplus.local.postgres import Cluster
import os, psutil
cluster = Cluster(Path({str(directory)!r}) / "postgres", durable=False)
cluster.start()
cluster.create_database("shop")
print(psutil.Process(cluster.process.pid).username(), oct(os.stat(cluster.data).st_mode & 0o777))
cluster.stop()
"""
    try:
        reachable = in_other_process("import waplus.local.postgres", launcher=launcher)
        if reachable.returncode:
            pytest.skip(f"an ordinary user cannot read this folder: {reachable.stderr}")
        result = in_other_process(code, launcher=launcher)
        assert (result.returncode, result.stdout, result.stderr) == (0, "nobody 0o700\n", "")
        # Root goes on with it as the user to whom it belongs, and leaves it usable.
        cluster = Cluster(directory / "postgres", durable=False)
        cluster.start()
        assert psutil.Process(cluster.process.pid).username() == "nobody"
        cluster.stop()
        result = in_other_process(code, launcher=launcher)
        assert (result.returncode, result.stdout, result.stderr) == (0, "nobody 0o700\n", "")
    finally:
        shutil.rmtree(directory)


def test_removes_throwaway_cluster(tmp_path):
    with throwaway.throwaway_cluster(folder=tmp_path) as cluster:
        assert ask(cluster, "SHOW fsync", "waplus") == "off"
        assert ask(cluster, "SHOW synchronous_commit", "waplus") == "on"  # a killed server has lost no commit
        assert ask(cluster, "SHOW max_connections", "waplus") == "200"
    assert [path.name for path in tmp_path.iterdir()] == ["test.lock"]


def test_keeps_throwaway_cluster_on_demand(tmp_path, capsys):
    with throwaway.throwaway_cluster(folder=tmp_path, keep=True) as cluster:
        pass
    assert cluster.data.exists()
    assert cluster.postmaster() is None
    assert capsys.readouterr().err == f"Kept: {cluster.directory} (the next call removes it)\n"


def test_runs_two_throwaway_clusters_at_once(tmp_path):
    with throwaway.throwaway_cluster(folder=tmp_path) as one, throwaway.throwaway_cluster(folder=tmp_path) as two:
        assert one.port != two.port
        assert ask(one, "SELECT 1") == ask(two, "SELECT 1") == 1


def test_sweeps_up_after_dead_caller(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from waplus.local import children, throwaway
children._prctl = None  # as on a system that does not tell the server of our death
with throwaway.throwaway_cluster(folder=Path({str(tmp_path)!r})) as cluster:
    print(cluster.process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    left = int(in_other_process(code).stdout)
    assert psutil.pid_exists(left)
    assert len(list(tmp_path.glob("test-*"))) == 1
    with throwaway.throwaway_cluster(folder=tmp_path) as cluster:
        assert list(tmp_path.glob("test-*")) == [cluster.directory]
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


def run_local(*words: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "waplus.local", *words],
        cwd=addresses.PROJECT,
        env={**{name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_returns_exit_code_of_command():
    code = "import os; print(os.environ['DATABASE_URL']); raise SystemExit(7)"
    result = run_local("with-postgres", "--", sys.executable, "-c", code)
    assert result.returncode == 7
    assert result.stdout.startswith("postgres://waplus:")


def test_uses_given_server():
    code = "import os; print(os.environ['DATABASE_URL'])"
    result = run_local("with-postgres", "--", sys.executable, "-c", code, TEST_DATABASE_URL="postgres://elsewhere/x")
    assert (result.returncode, result.stdout) == (0, "postgres://elsewhere/x\n")


def test_reports_missing_command():
    result = run_local("with-postgres", "--", "/does/not/exist", TEST_DATABASE_URL="postgres://elsewhere/x")
    assert (result.returncode, result.stderr) == (127, "/does/not/exist: No such file or directory\n")


def test_forwards_signal_to_command():
    code = "import signal, sys; signal.signal(15, lambda *_: sys.exit(5)); print('up', flush=True); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-m", "waplus.local", "with-postgres", "--", sys.executable, "-c", code],
        cwd=addresses.PROJECT,
        env={name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(LONG) == 5
    process.stdout.close()
