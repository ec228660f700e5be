class BadRequest(Exception):
    """The bytes of a connection are not valid HTTP/1.1."""


class Request:
    """A request with its whole body."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body


class Connection:
    """A connection of the gateway, which sends the next request after the response to
    the last one."""

    def __init__(self, sock):
        self.sock = sock
        self.reader = sock.makefile("rb")

    def close(self):
        self.reader.close()
        self.sock.close()

    def read_request(self):
        """Returns the next request, or None if the peer closed the connection."""
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
            pass  # Events have no trailers.
        return b"".join(chunks)

    def _read_exactly(self, size):
        # Do not allocate memory for bytes that have not arrived.
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
    """Returns the last value of a header, or an empty text."""
    value = ""
    for name, text in headers:
        if name.lower() == wanted:
            value = text
    return value
