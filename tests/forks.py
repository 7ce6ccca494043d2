"""Python programs in processes forked from one that has imported the library: seconds saved at every start."""

import atexit
import gc
import marshal
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

#: Environment variable: a program that does what `python` does, in a forked process.
PYTHON = "NUCLEOTUNE_TEST_PYTHON"

#: Modules that the library imports where it needs them.
LATER = (
    "lightgbm",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "peft",
    "scipy.stats",
    "snakemake.cli",
    "snakemake.script",
    "transformers.models.bert.modeling_bert",
    "transformers.models.esm.modeling_esm",
)


@contextmanager
def forked_python() -> Iterator[None]:
    """Have a server of such processes, for this process and its children, which find it by the environment."""
    with tempfile.TemporaryDirectory(prefix="nucleotune-") as folder:
        python, address = Path(folder) / "python", f"{folder}/socket"
        path = f"import sys; sys.path.append({str(Path(__file__).parent)!r})"
        client = f"{path}; import forked; sys.exit(forked.ask({address!r}))"
        python.write_text(f"#!{sys.executable} -IS\n{client}\n")
        python.chmod(0o755)
        # What libraries read as they are loaded: as the workflow has it for its jobs, and one thread unless a program
        # asks for more, since a process with threads cannot be forked.
        settings = {
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "passive",
            "OPENBLAS_NUM_THREADS": "1",
        }
        paths = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH")]
        environment = {
            **os.environ,
            **settings,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(address)
            listener.listen()
            number = listener.fileno()
            command = [sys.executable, __file__, str(number)]
            server = subprocess.Popen(
                command, stdin=subprocess.PIPE, env=environment, pass_fds=[number]
            )
        os.environ[PYTHON] = str(python)
        try:
            yield
        finally:
            del os.environ[PYTHON]
            server.communicate()


def serve(listener: socket.socket) -> None:
    """Fork a process for each client and tell it the status in the end, until standard input ends.

    A client that goes takes its process along.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    ready = selectors.DefaultSelector()
    for source in (sys.stdin, woken, listener):
        ready.register(source, selectors.EVENT_READ)
    clients: dict[int, socket.socket] = {}
    while True:
        for key, _ in ready.select():
            if key.fileobj is sys.stdin:
                for pid in clients:
                    os.kill(pid, signal.SIGTERM)
                return
            if key.fileobj is woken:
                woken.recv(64)
                while (ended := _ended())[0]:
                    pid, status = ended
                    if client := clients.pop(pid, None):
                        ready.unregister(client)
                        with client, suppress(BrokenPipeError):
                            client.send(str(status).encode())
            elif key.fileobj is listener:
                client, _ = listener.accept()
                pid = _start(client)
                clients[pid] = client
                ready.register(client, selectors.EVENT_READ, pid)
            elif client := clients.pop(key.data, None):
                ready.unregister(client)
                client.close()
                os.kill(key.data, signal.SIGTERM)


def _ended() -> tuple[int, int]:
    """Process and wait status of a process that has ended; (0, 0) if there is none."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _start(client: socket.socket) -> int:
    request, streams, *_ = socket.recv_fds(client, 1 << 20, 3)
    if "nucleotune" not in sys.modules:
        _import_all()
    pid = os.fork()
    if pid == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        signal.set_wakeup_fd(-1)
        status = _run(*marshal.loads(request))
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)
    for stream in streams:
        os.close(stream)
    return pid


def _import_all() -> None:
    """Import the library, what it imports later, and Snakemake."""
    import nucleotune

    modules = [module.name for module in pkgutil.walk_packages(nucleotune.__path__, "nucleotune.")]
    for name in [*modules, *LATER]:
        import_module(name)
    gc.collect()
    gc.freeze()


def _run(arguments: list[str], directory: str, environment: dict[str, str]) -> int:
    """Be `python ARGUMENTS`; the exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.executable = environment[PYTHON]  # what it starts is forked, too
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1))
    kind, *rest = arguments[arguments[0] == "-u" :]
    own = directory if kind in ("-m", "-c") else os.path.dirname(kind)
    sys.path[0:1] = filter(None, [own, *environment.get("PYTHONPATH", "").split(os.pathsep)])
    try:
        if kind == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        elif kind == "-c":
            sys.argv = [kind, *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = [kind, *rest]
            runpy.run_path(kind, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
