<?php

namespace Jeton;

// The bytes of a connection are not valid HTTP/1.1.
final class BadRequest extends \Exception
{
}

// The handler's file does not have the function of the handler.
final class NoHandler extends \Exception
{
}

final class Request
{
    public function __construct(
        public string $method,
        public string $target,
        // Pairs of name and value.
        public array $headers,
        public string $body = '',
    ) {
    }

    // header returns the last value of a header, or an empty text.
    public function header(string $wanted): string
    {
        $value = '';
        foreach ($this->headers as [$name, $text]) {
            if (strtolower($name) === $wanted) {
                $value = $text;
            }
        }
        return $value;
    }
}

// A connection of the gateway, which sends the next request after the response to the
// last one.
final class Connection
{
    /** @param resource $stream */
    public function __construct(public $stream)
    {
        stream_set_blocking($stream, true);
        stream_set_timeout($stream, NO_TIMEOUT);
    }

    // readRequest returns the next request, or null if the peer closed the connection.
    public function readRequest(): ?Request
    {
        $line = $this->readLine(MAX_HEADER_BYTES);
        if ($line === null) {
            return null;
        }
        $parts = explode(' ', $line);
        if (count($parts) !== 3 || $parts[2] !== 'HTTP/1.1') {
            throw new BadRequest('malformed request line');
        }
        $request = new Request($parts[0], $parts[1], $this->readHeaders());
        if (strtolower($request->header('expect')) === '100-continue') {
            $this->write("HTTP/1.1 100 Continue\r\n\r\n");
        }
        $request->body = $this->readBody($request);
        return $request;
    }

    private function readLine(int $limit): ?string
    {
        // A signal may interrupt the wait for the first byte.
        do {
            $line = @fgets($this->stream, $limit);
        } while ($line === false && !feof($this->stream));
        if ($line === false) {
            return null;
        }
        if (!str_ends_with($line, "\n")) {
            throw new BadRequest('line too long or cut off');
        }
        return rtrim($line, "\r\n");
    }

    private function readHeaders(): array
    {
        $headers = [];
        $left = MAX_HEADER_BYTES;
        while (($line = $this->readLine($left)) !== '') {
            if ($line === null) {
                throw new BadRequest('headers cut off');
            }
            $left -= strlen($line);
            $colon = strpos($line, ':');
            if ($left <= 1 || $colon === false || !preg_match(TOKEN, substr($line, 0, $colon))) {
                throw new BadRequest('malformed header');
            }
            $headers[] = [substr($line, 0, $colon), trim(substr($line, $colon + 1), " \t")];
        }
        return $headers;
    }

    private function readBody(Request $request): string
    {
        if (strtolower($request->header('transfer-encoding')) === 'chunked') {
            return $this->readChunks();
        }
        $length = $request->header('content-length') ?: '0';
        if (!preg_match('/^\d{1,15}$/D', $length)) {
            throw new BadRequest('malformed content length');
        }
        return $this->readExactly((int) $length);
    }

    private function readChunks(): string
    {
        $body = '';
        while (true) {
            $digits = trim(explode(';', $this->readLine(1024) ?? '')[0]);
            if (!preg_match('/^[0-9a-fA-F]{1,15}$/D', $digits)) {
                throw new BadRequest('malformed chunk');
            }
            $size = (int) hexdec($digits);
            if ($size === 0) {
                break;
            }
            $body .= $this->readExactly($size);
            $this->readLine(3);
        }
        while ($this->readLine(MAX_HEADER_BYTES)) {
            // Events have no trailers.
        }
        return $body;
    }

    private function readExactly(int $size): string
    {
        $data = '';
        while (strlen($data) < $size) {
            $part = @fread($this->stream, min($size - strlen($data), 1 << 20));
            if (($part === false || $part === '') && feof($this->stream)) {
                throw new BadRequest('body cut off');
            }
            $data .= $part;
        }
        return $data;
    }

    public function writeAnswer(Request $request, int $status, array $headers, string $body): void
    {
        $head = "HTTP/1.1 $status \r\n";
        foreach ($headers as [$name, $value]) {
            $head .= "$name: $value\r\n";
        }
        $bare = $status === 204 || $status === 304;
        if (!$bare) {
            $head .= 'Content-Length: ' . strlen($body) . "\r\n";
        }
        $this->write($head . "\r\n" . ($bare || $request->method === 'HEAD' ? '' : $body));
    }

    private function write(string $data): void
    {
        for ($sent = 0; $sent < strlen($data); $sent += $written) {
            $written = @fwrite($this->stream, $sent === 0 ? $data : substr($data, $sent));
            if ($written === false) {
                throw new \RuntimeException('the peer has hung up');
            }
        }
    }
}
