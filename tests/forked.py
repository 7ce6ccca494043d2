"""The client of tests/forks.py: what `python` does, in a forked process. Quick to start, it imports almost nothing."""

import marshal
import os
import socket
import sys


def ask(address: str) -> int:
    """Have the server at `address` run the program of this command line in this directory; its exit status."""
    request = marshal.dumps((sys.argv[1:], os.getcwd(), dict(os.environ)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(address)
        socket.send_fds(server, [request], [0, 1, 2])
        status = server.recv(64)
    return os.waitstatus_to_exitcode(int(status)) if status else 1
