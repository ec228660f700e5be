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


class BadRequest(Exception):
    """What came over the connection is not HTTP/1.1."""


class Request:
    """A request whose body has been read."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body


class Connection:
    """One connection of the gateway, which carries one request after another and
    never sends one before the last is answered."""

    def __init__(self, sock):
        self.sock = sock
        self.reader = sock.makefile("rb")

    def close(self):
        self.reader.close()
        self.sock.close()

    def read_request(self):
        """Returns the next request, or None if the peer has hung up."""
        line = self._read_line(MAX_HEADER_BYTES)
        if line is None:
            return None
        parts = line.split(" ")
        if len(parts) != 3 or parts[2] != "HTTP/1.1":
            raise BadRequest("malformed request line")
        headers = self._read_headers()
        if header(headers, "expect").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(parts[0], parts[1], headers, self._read_body(headers))

    def _read_line(self, limit):
        line = self.reader.readline(limit)
        if not line:
            return None
        if not line.endswith(b"\n"):
            raise BadRequest("line too long or cut off")
        return line.rstrip(b"\r\n").decode("latin-1")

    def _read_headers(self):
        headers = []
        left = MAX_HEADER_BYTES
        while True:
            line = self._read_line(left)
            if line is None:
                raise BadRequest("headers cut off")
            if not line:
                return headers
            left -= len(line)
            name, colon, value = line.partition(":")
            if left <= 0 or not colon or not TOKEN.issuperset(name):
                raise BadRequest("malformed header")
            headers.append((name, value.strip(" \t")))

    def _read_body(self, headers):
        if header(headers, "transfer-encoding").lower() == "chunked":
            return self._read_chunks()
        length = header(headers, "content-length") or "0"
        if not (length.isascii() and length.isdigit() and len(length) <= MAX_DIGITS):
            raise BadRequest("malformed content length")
        return self._read_exactly(int(length))

    def _read_chunks(self):
        chunks = []
        while True:
            digits = (self._read_line(1024) or "").partition(";")[0].strip()
            if not digits or not HEX_DIGITS.issuperset(digits) or len(digits) > MAX_DIGITS:
                raise BadRequest("malformed chunk")
            size = int(digits, 16)
            if size == 0:
                break
            chunks.append(self._read_exactly(size))
            self._read_line(2)
        while self._read_line(MAX_HEADER_BYTES):
            pass  # A trailer, which events have no place for.
        return b"".join(chunks)

    def _read_exactly(self, size):
        # Whoever only says that much is coming is not to be made room for.
        parts = []
        while size > 0:
            part = self.reader.read(min(size, PART_BYTES))
            if not part:
                raise BadRequest("body cut off")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def write_answer(self, request, status, headers, body):
        lines = ["HTTP/1.1 %d " % status]
        lines += ["%s: %s" % pair for pair in headers]
        if status not in (204, 304):
            lines.append("Content-Length: %d" % len(body))
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if request.method == "HEAD" or status in (204, 304):
            body = b""
        self.sock.sendall(head + body)


def header(headers, wanted):
    """Returns the last value of a header, or nothing."""
    value = ""
    for name, text in headers:
        if name.lower() == wanted:
            value = text
    return value


def canonical(name):
    return "-".join(part.capitalize() for part in name.split("-"))


def joined(headers):
    """Returns the headers with their names in canonical form, as Scaleway's
    runtime gives them, and the values of a repeated header joined."""
    result = {}
    for name, value in headers:
        if name.lower() in CONNECTION_HEADERS:
            continue
        # Header values are bytes to HTTP; whoever sends more than ASCII sends UTF-8.
        value = value.encode("latin-1").decode("utf-8", "replace")
        name = canonical(name)
        result[name] = result[name] + "," + value if name in result else value
    return result


def looks_like_base64(text):
    """Is Scaleway's guess: whatever decodes counts, even "test"."""
    text = text.replace("\r", "").replace("\n", "")
    padding = 2 if text.endswith("==") else 1 if text.endswith("=") else 0
    return len(text) % 4 == 0 and BASE64_ALPHABET.issuperset(text[: len(text) - padding])


def make_event(request):
    path, _, query = request.target.partition("?")
    body = request.body.decode("utf-8", "replace")
    event = {
        "resource": "",
        "path": unquote(path),
        "httpMethod": request.method,
        # Scaleway's documentation calls it so for Python.
        "method": request.method,
        "headers": joined(request.headers),
        "multiValueHeaders": None,
        # Of a repeated parameter the last one counts.
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": {},
        "requestContext": {
            "accountId": "",
            "resourceId": "",
            "stage": "",
            "requestId": "",
            "resourcePath": "",
            "authorizer": None,
            "httpMethod": request.method,
            "apiId": "",
        },
        "body": body,
    }
    if looks_like_base64(body):
        event["isBase64Encoded"] = True
    return event


def make_context(environ):
    memory = environ.get("SCW_APPLICATION_MEMORY", "")
    return {
        "memoryLimitInMb": int(memory) if memory.isdigit() else 128,
        "functionName": environ.get("SCW_APPLICATION_NAME", ""),
        "functionVersion": environ.get("SCW_APPLICATION_VERSION", ""),
    }


def make_answer(result):
    """Makes status, headers and body of a result.

    Text that is JSON counts as the value it stands for, and a dictionary with
    any of the answer's keys as a whole answer; all else is the body of a 200.
    """
    value = parse(result) if isinstance(result, str) else result
    if not is_answer(value):
        return 200, [], to_bytes(value, result)
    body = value.get("body")
    data = to_bytes(body, body)
    if value.get("isBase64Encoded") is True:
        data = decode_base64(data)
    return make_status(value.get("statusCode")), list_headers(value.get("headers")), data


def parse(text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def is_answer(value):
    return isinstance(value, dict) and any(
        value.get(key) is not None for key in ("statusCode", "body", "headers")
    )


def to_bytes(value, original):
    """Returns a value as it goes into a body. An object that came as JSON text
    goes out as that text."""
    if value is None:
        return b""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if not isinstance(value, str):
        value = original if isinstance(original, str) else to_json(value)
    return value.encode("utf-8", "replace")


def to_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def make_status(code):
    """Takes a number, and also its digits as text, which real functions return.
    Anything else is the function's mistake, and is told as such."""
    if code is None:
        return 200
    status = code
    if isinstance(code, str) and len(code) == 3 and code.isascii() and code.isdigit():
        status = int(code)
    if isinstance(status, float) and status.is_integer():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 999:
        raise ValueError("statusCode must be a number from 200 to 999, not " + to_json(code))
    return int(status)


def list_headers(headers):
    """Returns pairs of name and value; a list of values makes several."""
    pairs = []
    for name, values in (headers or {}).items():
        if name.lower() in CONNECTION_HEADERS or name.lower() == "content-length":
            continue
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if value is not None:
                pairs.append(checked(name, value if isinstance(value, str) else to_json(value)))
    return pairs


def checked(name, value):
    if not name or not TOKEN.issuperset(name):
        raise ValueError("header name %s is not valid" % to_json(name))
    if any(character in value for character in "\r\n\0"):
        raise ValueError("the value of header %s has a line break" % name)
    return name, value.encode("utf-8", "replace").decode("latin-1")


def decode_base64(data):
    text = data.decode("utf-8", "replace")
    if not looks_like_base64(text):
        raise ValueError("isBase64Encoded is set, and the body is not base64")
    return base64.b64decode(text)


def answer(handler, context, request):
    try:
        return make_answer(handler(make_event(request), dict(context)))
    except Exception as error:
        traceback.print_exc()
        # The misspelling is Scaleway's: people search for the sentence.
        text = "An error occured during handler execution: %s\n" % error
        return 500, [("Content-Type", "text/plain; charset=utf-8")], text.encode("utf-8", "replace")


class Server:
    """Serves one request at a time, on the main thread, where functions may
    expect to run. Connections that say nothing are kept."""

    def __init__(self, handler, listener):
        self.handler = handler
        self.context = make_context(os.environ)
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.busy = False
        self.stopping = False

    def stop(self, *_):
        self.stopping = True
        if not self.busy:
            sys.exit(0)

    def run(self):
        signal.signal(signal.SIGTERM, self.stop)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        os.write(READY, b"1")
        os.close(READY)
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    self.accept()
                else:
                    self.serve(key.data)

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(True)
        self.selector.register(sock, selectors.EVENT_READ, Connection(sock))

    def serve(self, connection):
        self.busy = True
        try:
            if not self.serve_one(connection):
                self.selector.unregister(connection.sock)
                connection.close()
        except (OSError, BadRequest) as error:
            print("connection ended: %s" % error, file=sys.stderr)
            self.selector.unregister(connection.sock)
            connection.close()
        self.busy = False
        if self.stopping:
            sys.exit(0)

    def serve_one(self, connection):
        request = connection.read_request()
        if request is None:
            return False
        connection.write_answer(request, *answer(self.handler, self.context, request))
        return True


def load(code, file, function):
    """Returns the handler. Its file is loaded by its path, so that one called as
    a module of the standard library is found too."""
    sys.path[:0] = code_path(code)
    name = os.path.splitext(file)[0].replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, os.path.join(code, file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    handler = getattr(module, function, None)
    if not callable(handler):
        raise AttributeError('the handler\'s file has no function "%s"' % function)
    return handler


def warm_up():
    """Answers a call that nobody makes, within this process, so that what Python
    loads at the first use is there for the first call. Of it nothing stays open."""
    selectors.DefaultSelector().close()
    caller, called = socket.socketpair()
    caller.sendall(b"POST /?a=b HTTP/1.1\r\nHost: worker\r\nContent-Length: 2\r\n\r\n{}")
    connection = Connection(called)
    request = connection.read_request()
    result = {"statusCode": 200, "headers": {"A": ["b"]}, "body": {}}
    connection.write_answer(request, *answer(lambda event, context: result, {}, request))
    connection.close()
    caller.close()
    # What is loaded by now stays: no collection need look at it again.
    gc.collect()
    gc.freeze()


def receive():
    """Waits for the assignment, and makes this process one that was started for
    it, as far as Python reads the environment at its start."""
    with open(ASSIGNMENT, "rb") as pipe:
        assignment = json.loads(pipe.read())
    os.environ.clear()
    os.environ.update(assignment["environment"])
    sys.argv[1:] = assignment["arguments"]
    time.tzset()
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [place for place in places if place and place not in code_path(sys.argv[1])]


def main():
    if sys.argv[1:] == [AWAIT]:
        warm_up()
        receive()
    code, file, function = sys.argv[1:]
    sys.argv[1:] = []
    handler = load(code, file, function)
    Server(handler, socket.socket(fileno=SOCKET)).run()


if __name__ == "__main__":
    main()
