"""Serves one function over HTTP/1.1.

It serves on the listening socket that it inherits as file descriptor 3, and writes
one byte to file descriptor 4 when it is ready. Arguments: the folder of the code,
the handler's file in it, the function's name. With the single argument --await it
runs as a warm worker: it initializes itself, and then reads its arguments and
environment from file descriptor 5. It requires Python 3.8 or later and imports few
modules of the standard library, because each import delays the first call;
http.server takes longest.
"""

import sys

AWAIT = "--await"


def code_path(code):
    return [code, code + "/package"]


# Modules of the function must not replace modules of the standard library that are
# imported here. PYTHONPATH puts them first. The function load restores the path.
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
# The gateway limits headers to 1 MiB.
MAX_HEADER_BYTES = 2 << 20
# The maximum number of digits of a length, and the size of the parts in which a body is
# read.
MAX_DIGITS = 15
PART_BYTES = 1 << 20
# Hop-by-hop headers, which events and responses do not contain.
CONNECTION_HEADERS = {"connection", "keep-alive", "transfer-encoding", "upgrade"}
BASE64_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
