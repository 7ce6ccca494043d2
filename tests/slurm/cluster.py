"""A real SLURM on this one machine, for tests: on loopback only, as root or any user, without systemd and cgroups.

    python tests/slurm/cluster.py install               the Debian packages, by apt-get (root); starts no service
    python tests/slurm/cluster.py start [--accounting]  and then, for its sbatch, squeue, ... in your shell:
    eval "$(python tests/slurm/cluster.py env)"
    python tests/slurm/cluster.py status
    python tests/slurm/cluster.py stop                  ends it and removes all it wrote

Node c1 is partition `cpu`. Node g1, with four GPUs in name only, is partition `gpu` and also partition `urgent`, whose
jobs put those of `gpu` back into the queue. With accounting, slurmdbd and MariaDB run as well: sacct knows every job.
"""

import argparse
import getpass
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from string import Template

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
ACCOUNTING_PACKAGES = ("slurmdbd", "mariadb-server-core", "mariadb-client-core")
DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = (
    *("sbatch", "srun", "salloc", "squeue", "scancel", "scontrol", "sinfo"),
    *("sacct", "sacctmgr", "sshare", "sstat"),
)
TEMPLATES = Path(__file__).resolve().parent / "templates"
#: A device file for each GPU, all different; nothing opens them.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random")


class ClusterError(Exception):
    """The cluster or a part of it does not work; the text ends with what the part wrote."""


def search_path() -> str:
    """Where commands are looked up: PATH and the places of daemons, which ordinary users lack."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def obstacle() -> str | None:
    """Why the cluster (without accounting) cannot run on this machine, None if it can."""
    missing = [name for name in (*DAEMONS, "sbatch") if not shutil.which(name, path=search_path())]
    if missing:
        return f"{', '.join(missing)} not installed; mend with `cluster.py install`"
    try:
        address = socket.gethostbyname(socket.gethostname())
    except OSError:
        address = "unknown"
    if not address.startswith("127."):
        line = f"127.0.0.1 {socket.gethostname()}"
        return f"the host's name stands for {address}; mend with '{line}' first in /etc/hosts"
    return None


def install() -> None:
    """Install the Debian packages; meanwhile a policy keeps apt-get from starting their services."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True)
        command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends"]
        subprocess.run([*command, *PACKAGES, *ACCOUNTING_PACKAGES], env=environment, check=True)
    finally:
        if ours:
            policy.unlink()


def free_ports(n: int) -> list[int]:
    """`n` TCP ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` comes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


class Cluster:
    """A cluster with all its files in one directory; its commands are those of `environment()`."""

    def __init__(self, root: Path | None = None, *, accounting: bool = False, cpus: int = 4):
        """Describe a cluster; nothing is started.

        Args:
            root: for all its files: a short path (sockets), below directories that all may traverse (munge).
            accounting: with slurmdbd and MariaDB.
            cpus: of each node; may be more than the machine has.
        """
        self.root = root or Path(f"/tmp/nucleotune-slurm-{os.getuid()}")
        self.accounting, self.cpus = accounting, cpus
        self.bin, self.configuration = self.root / "bin", self.root / "etc/slurm.conf"

    def environment(self) -> dict[str, str]:
        """This process's environment with the cluster's commands first on the path."""
        return {**os.environ, "PATH": f"{self.bin}{os.pathsep}{search_path()}"}

    def command(self, *words: str) -> str:
        """What one of the cluster's commands writes; ClusterError if it fails."""
        done = subprocess.run(words, env=self.environment(), capture_output=True, text=True)
        if done.returncode:
            raise ClusterError(f"{shlex.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def start(self) -> None:
        """Start the cluster if it does not run yet; it takes jobs when this returns.

        Raises:
            ClusterError: this machine lacks something, or a daemon does not come up.
        """
        if reason := obstacle():
            raise ClusterError(reason)
        if self.pid("slurmctld"):
            return
        for folder in ("bin", "etc", "run", "log", "state", "spool"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        self._write_configuration()
        self._write_commands()
        self._start_munge()
        if self.accounting:
            self._start_database()
        self._start("slurmctld", "slurmctld", "-i")
        self._expect("slurmctld", lambda: "is UP" in self.command("scontrol", "ping"))
        for node in ("c1", "g1"):
            self._start(node, "slurmd", "-N", node)
            self._expect(node, lambda n=node: "idle" in self.command("sinfo", "-hn", n, "-o%t"))

    def stop(self) -> None:
        """Cancel all jobs, end all daemons and remove all files."""
        if self.pid("slurmctld"):
            self.command("scancel", f"--user={getpass.getuser()}")
            self._expect("slurmctld", lambda: not self.command("squeue", "-h"))
        for name in ("c1", "g1", "slurmctld", "slurmdbd", "mariadbd", "munged"):
            if pid := self.pid(name):
                os.kill(pid, signal.SIGTERM)
                self._expect(name, lambda n=name: not self.pid(n))
        shutil.rmtree(self.root, ignore_errors=True)

    def pid(self, name: str) -> int | None:
        """Process of a daemon, None if it does not run. The slurmd of a node goes by the node's name."""
        try:
            pid = int((self.root / f"run/{name}.pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_text()  # empty once it has ended
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if ("slurmd" if name in ("c1", "g1") else name) in words else None

    def _write_configuration(self) -> None:
        controller, c1, g1, database = free_ports(4)
        values = dict(root=self.root, user=getpass.getuser(), cpus=self.cpus)
        values |= dict(controller_port=controller, c1_port=c1, g1_port=g1, database_port=database)
        values |= dict(gpus=len(DEVICES), devices=",".join(DEVICES))
        names = ["slurm.conf", "gres.conf"]
        if self.accounting:
            names += ["accounting.conf", "slurmdbd.conf"]
        for name in names:
            text = Template((TEMPLATES / name).read_text()).substitute(values)
            path = self.configuration.with_name(name)
            path.touch(mode=0o600)  # which slurmdbd insists on
            path.write_text(text)
        if self.accounting:
            with self.configuration.open("a") as file:
                file.write("include accounting.conf\n")

    def _write_commands(self) -> None:
        """Wrap the SLURM commands: they must find the configuration even where a job has lost SLURM_CONF.

        The SLURM plugins of Snakemake remove the variable; PATH comes with the job's environment.
        """
        elsewhere = search_path().replace(f"{self.bin}{os.pathsep}", "")
        for name in CLIENTS:
            if original := shutil.which(name, path=elsewhere):
                wrapper = self.bin / name
                wrapper.write_text(
                    f'#!/bin/sh\nSLURM_CONF={self.configuration} exec {original} "$@"\n'
                )
                wrapper.chmod(0o755)

    def _start_munge(self) -> None:
        """Start the service that proves who sent a message, with a key and a socket of our own."""
        run, key = self.root / "run", self.root / "etc/munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        socket_option = f"--socket={run}/munge.socket"
        self._start(
            "munged",
            *("munged", f"--key-file={key}", socket_option, f"--pid-file={run}/munged.pid"),
            *(f"--log-file={self.root}/log/munged.log", f"--seed-file={run}/munged.seed"),
            "--origin=127.0.0.1",
        )

    def _start_database(self) -> None:
        """Start MariaDB, reached through a socket by its own user only, then slurmdbd."""
        folder, run, user = self.root / "database", self.root / "run", getpass.getuser()
        self._start(
            "mariadb-install-db",
            *("mariadb-install-db", "--no-defaults", f"--datadir={folder}", f"--user={user}"),
            *("--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}"),
            "--skip-test-db",
        )
        self._start(
            "mariadbd",
            *("sh", "-c", 'exec "$@" &', "sh", "mariadbd", "--no-defaults", f"--user={user}"),
            *(f"--datadir={folder}", f"--socket={run}/database.socket", "--skip-networking"),
            *(f"--pid-file={run}/mariadbd.pid", f"--log-error={self.root}/log/mariadbd.log"),
            *("--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900"),
        )
        self._expect("mariadbd", (run / "database.socket").exists)
        self._start("slurmdbd", "slurmdbd", MYSQL_UNIX_PORT=f"{run}/database.socket")
        self._expect("slurmdbd", lambda: not self.command("sacctmgr", "-n", "show", "cluster"))
        self.command("sacctmgr", "-i", "add", "cluster", "test")
        self.command("sacctmgr", "-i", "add", "account", "lab")
        self.command("sacctmgr", "-i", "add", "user", user, "account=lab")

    def _start(self, name: str, *command: str, **variables: str) -> None:
        """Run a command that leaves a daemon behind."""
        done = subprocess.run(
            command,
            env=self.environment() | {"SLURM_CONF": str(self.configuration)} | variables,
            stdin=subprocess.DEVNULL,
            stdout=(self.root / f"log/{name}.out").open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if done.returncode:
            raise ClusterError(f"{name} does not start\n{self._last_lines(name)}")

    def _expect(self, name: str, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait for `condition`, taking a command that fails for a no."""

        def holds() -> bool:
            try:
                return bool(condition())
            except ClusterError:
                return False

        if not wait_until(holds, seconds):
            raise ClusterError(f"{name} does not answer\n{self._last_lines(name)}")

    def _last_lines(self, name: str) -> str:
        """The end of what a daemon wrote."""
        paths = [self.root / f"log/{name}.{kind}" for kind in ("out", "log")]
        lines = [line for path in paths if path.exists() for line in path.read_text().splitlines()]
        return "\n".join(lines[-10:])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("install", "start", "env", "status", "stop"))
    parser.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB")
    options = parser.parse_args()
    cluster = Cluster(accounting=options.accounting)
    try:
        match options.action:
            case "install":
                install()
            case "start":
                cluster.start()
                print(f"the cluster runs; its files are in {cluster.root}")
            case "env":
                print(f"export PATH={shlex.quote(cluster.environment()['PATH'])}")
            case "status":
                print(cluster.command("sinfo") if cluster.pid("slurmctld") else "not running")
            case "stop":
                cluster.stop()
    except ClusterError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
