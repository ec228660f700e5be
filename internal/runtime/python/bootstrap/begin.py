"""Serves one function over HTTP/1.1.

It serves on the listening socket that it inherits as file descriptor 3, and
reports by a byte on file descriptor 4 that it is ready. Arguments: the folder of
the code, the handler's file in it, the function's name. With --await as the only
one it becomes a worker: it prepares all that it can, waits, and is told the
arguments and the environment on file descriptor 5. It runs on Python 3.8 and
later, with the standard library only, and with little of that: each import is
time that the first call waits, and http.server is the dearest.
"""

import sys

AWAIT = "--await"


def code_path(code):
    return [code, code + "/package"]


# The function's modules must not stand in for those of the library that are
# imported here, which PYTHONPATH would let them. They are put back by load.
sys.path[:] = [place for place in sys.path[1:] if place not in code_path(sys.argv[1])]

import base64
import gc
import importlib.util
import json
import os
import selectors
import signal
import socket
import time
import traceback
from urllib.parse import parse_qsl, unquote

SOCKET = 3
READY = 4
ASSIGNMENT = 5
# Above the 1 MiB of headers that the gateway lets through.
MAX_HEADER_BYTES = 2 << 20
# A length has no more digits, and a body is read in such parts.
MAX_DIGITS = 15
PART_BYTES = 1 << 20
# Headers that belong to a connection and not to a message.
CONNECTION_HEADERS = {"connection", "keep-alive", "transfer-encoding", "upgrade"}
BASE64_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
