<?php
// Serves one function over HTTP/1.1: on the listening socket that it inherits as
// file descriptor 3, reporting by a byte on file descriptor 4 that it is ready.
// Arguments: the folder of the code, the handler's file in it, the function's
// name. With --await as the only one it becomes a worker: it prepares all that it
// can, waits, and is told the arguments and the environment on file descriptor 5.
// It runs on PHP 8.1 and later with the extensions sockets and pcntl.
//
// PHP closes no file descriptor that it has not opened: 3 to 5 stay open.

namespace Jeton;

const SOCKET = 3;
const READY = 4;
const ASSIGNMENT = 5;
const AWAIT = '--await';
// Above the 1 MiB of headers that the gateway lets through.
const MAX_HEADER_BYTES = 2 << 20;
// The gateway keeps time. In seconds, a year.
const NO_TIMEOUT = 365 * 86400;
// Headers that belong to a connection and not to a message.
const CONNECTION_HEADERS = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade'];
const TOKEN = '/^[!#$%&\'*+\-.^_`|~0-9A-Za-z]+$/D';
const JSON_FORM = \JSON_THROW_ON_ERROR | \JSON_UNESCAPED_SLASHES | \JSON_UNESCAPED_UNICODE
    | \JSON_INVALID_UTF8_SUBSTITUTE;

// What came over the connection is not HTTP/1.1.
final class BadRequest extends \Exception
{
}

// The handler's file does not have what the handler says.
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

    // header returns the last value of a header, or nothing.
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

// One connection of the gateway, which carries one request after another and
// never sends one before the last is answered.
final class Connection
{
    /** @param resource $stream */
    public function __construct(public $stream)
    {
        stream_set_blocking($stream, true);
        stream_set_timeout($stream, NO_TIMEOUT);
    }

    // readRequest returns the next request, or null if the peer has hung up.
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
        // A signal may interrupt the wait for it.
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
            // A trailer, which events have no place for.
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

// joined returns the headers with their names in canonical form, as Scaleway's
// runtime gives them, and the values of a repeated header joined.
function joined(array $headers): array
{
    $joined = [];
    foreach ($headers as [$name, $value]) {
        if (in_array(strtolower($name), CONNECTION_HEADERS, true)) {
            continue;
        }
        $name = ucwords(strtolower($name), '-');
        $value = asText($value);
        $joined[$name] = isset($joined[$name]) ? $joined[$name] . ',' . $value : $value;
    }
    return $joined;
}

// asText replaces bytes that are no UTF-8, as JSON would.
function asText(string $bytes): string
{
    return preg_match('//u', $bytes) ? $bytes : json_decode(json_encode($bytes, JSON_FORM));
}

// looksLikeBase64 is Scaleway's guess: whatever decodes counts, even "test".
function looksLikeBase64(string $text): bool
{
    $text = str_replace(["\r", "\n"], '', $text);
    $padding = str_ends_with($text, '==') ? 2 : (str_ends_with($text, '=') ? 1 : 0);
    $alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    return strlen($text) % 4 === 0 && strspn($text, $alphabet) >= strlen($text) - $padding;
}

// parametersOf is not parse_str, which changes names and makes arrays. Of a
// repeated parameter the last one counts.
function parametersOf(string $query): array
{
    $parameters = [];
    foreach (explode('&', $query) as $pair) {
        if ($pair !== '') {
            [$name, $value] = explode('=', $pair, 2) + [1 => ''];
            $parameters[asText(urldecode($name))] = asText(urldecode($value));
        }
    }
    return $parameters;
}

function eventOf(Request $request): array
{
    [$path, $query] = explode('?', $request->target, 2) + [1 => ''];
    $event = [
        'resource' => '',
        'path' => asText(rawurldecode($path)),
        'httpMethod' => $request->method,
        // Scaleway's documentation calls it so for PHP.
        'method' => $request->method,
        'headers' => joined($request->headers),
        'multiValueHeaders' => null,
        'queryStringParameters' => parametersOf($query),
        'multiValueQueryStringParameters' => null,
        'pathParameters' => null,
        'stageVariables' => [],
        'requestContext' => [
            'accountId' => '',
            'resourceId' => '',
            'stage' => '',
            'requestId' => '',
            'resourcePath' => '',
            'authorizer' => null,
            'httpMethod' => $request->method,
            'apiId' => '',
        ],
        'body' => asText($request->body),
    ];
    if (looksLikeBase64($event['body'])) {
        $event['isBase64Encoded'] = true;
    }
    return $event;
}

function contextOf(array $environment): array
{
    return [
        'memoryLimitInMb' => (int) ($environment['SCW_APPLICATION_MEMORY'] ?? 0) ?: 128,
        'functionName' => $environment['SCW_APPLICATION_NAME'] ?? '',
        'functionVersion' => $environment['SCW_APPLICATION_VERSION'] ?? '',
    ];
}

// answerOf makes status, headers and body of a result. Text that is JSON counts
// as the value it stands for, and an array or object with any of the answer's keys
// as a whole answer; all else is the body of a 200.
function answerOf(mixed $result): array
{
    $value = is_string($result) ? parse($result) : $result;
    $whole = $value instanceof \stdClass ? (array) $value : $value;
    if (!is_array($whole) || !isset($whole['statusCode']) && !isset($whole['body']) && !isset($whole['headers'])) {
        return [200, [], textOf($value, $result)];
    }
    $body = textOf($whole['body'] ?? null, $whole['body'] ?? null);
    if (($whole['isBase64Encoded'] ?? false) === true) {
        $body = decodeBase64($body);
    }
    return [statusOf($whole['statusCode'] ?? null), listHeaders((array) ($whole['headers'] ?? [])), $body];
}

function parse(string $text): mixed
{
    // Objects, not arrays: an empty one is written as {} again.
    $value = json_decode($text);
    return json_last_error() === \JSON_ERROR_NONE ? $value : $text;
}

// textOf returns a value as it goes into a body. An object that came as JSON text
// goes out as that text.
function textOf(mixed $value, mixed $original): string
{
    if ($value === null || is_string($value)) {
        return (string) $value;
    }
    return is_string($original) ? $original : json_encode($value, JSON_FORM);
}

// statusOf takes a number, and also its digits as text, which real functions
// return. Anything else is the function's mistake, and is told as such.
function statusOf(mixed $code): int
{
    if ($code === null) {
        return 200;
    }
    $status = $code;
    if (is_string($code) && preg_match('/^\d{3}$/D', $code) || is_float($code) && (float) (int) $code === $code) {
        $status = (int) $code;
    }
    if (!is_int($status) || $status < 200 || $status > 999) {
        throw new \UnexpectedValueException('statusCode must be a number from 200 to 999, not ' . json_encode($code, JSON_FORM));
    }
    return $status;
}

// listHeaders returns pairs of name and value; a list of values makes several.
function listHeaders(array $headers): array
{
    $pairs = [];
    foreach ($headers as $name => $values) {
        $name = (string) $name;
        if (in_array(strtolower($name), CONNECTION_HEADERS, true) || strtolower($name) === 'content-length') {
            continue;
        }
        foreach (is_array($values) ? $values : [$values] as $value) {
            if ($value !== null) {
                $pairs[] = checked($name, is_string($value) ? $value : json_encode($value, JSON_FORM));
            }
        }
    }
    return $pairs;
}

function checked(string $name, string $value): array
{
    if (!preg_match(TOKEN, $name)) {
        throw new \UnexpectedValueException('header name ' . json_encode($name, JSON_FORM) . ' is not valid');
    }
    if (strpbrk($value, "\r\n\0") !== false) {
        throw new \UnexpectedValueException("the value of header $name has a line break");
    }
    return [$name, $value];
}

function decodeBase64(string $text): string
{
    if (!looksLikeBase64($text)) {
        throw new \UnexpectedValueException('isBase64Encoded is set, and the body is not base64');
    }
    return base64_decode($text);
}

function complain(string $text): void
{
    fwrite(\STDERR, $text . "\n");
}

function answer(callable $handler, array $context, Request $request): array
{
    try {
        return answerOf($handler(eventOf($request), $context));
    } catch (\Throwable $error) {
        complain((string) $error);
        // The misspelling is Scaleway's: people search for the sentence.
        $text = "An error occured during handler execution: {$error->getMessage()}\n";
        return [500, [['Content-Type', 'text/plain; charset=utf-8']], $text];
    }
}

// A Server serves one request at a time. Connections that say nothing are kept.
final class Server
{
    private \Socket $listener;
    private array $context;
    /** @var Connection[] */
    private array $connections = [];
    private bool $busy = false;
    private bool $stopping = false;

    /** @param callable $handler */
    public function __construct(private $handler)
    {
        $this->context = contextOf(getenv());
        $this->listener = socket_import_stream(fopen('php://fd/' . SOCKET, 'r+'));
        socket_set_nonblock($this->listener);
    }

    public function run(): never
    {
        pcntl_async_signals(true);
        pcntl_signal(\SIGTERM, function (): void {
            $this->stopping = true;
            if (!$this->busy) {
                exit(0);
            }
        });
        $ready = fopen('php://fd/' . READY, 'w');
        fwrite($ready, '1');
        fclose($ready);
        $listener = socket_export_stream($this->listener);
        while (true) {
            $readable = [$listener];
            foreach ($this->connections as $connection) {
                $readable[] = $connection->stream;
            }
            $none = null;
            // A signal interrupts it, which it calls an error.
            if (!@stream_select($readable, $none, $none, null)) {
                continue;
            }
            foreach ($readable as $stream) {
                $stream === $listener ? $this->accept() : $this->serve($this->connections[(int) $stream]);
            }
        }
    }

    private function accept(): void
    {
        $socket = @socket_accept($this->listener);
        if ($socket !== false) {
            $stream = socket_export_stream($socket);
            $this->connections[(int) $stream] = new Connection($stream);
        }
    }

    private function serve(Connection $connection): void
    {
        $this->busy = true;
        try {
            $open = $this->serveOne($connection);
        } catch (BadRequest | \RuntimeException $error) {
            complain('connection ended: ' . $error->getMessage());
            $open = false;
        }
        if (!$open) {
            unset($this->connections[(int) $connection->stream]);
            fclose($connection->stream);
        }
        $this->busy = false;
        if ($this->stopping) {
            exit(0);
        }
    }

    private function serveOne(Connection $connection): bool
    {
        $request = $connection->readRequest();
        if ($request === null) {
            return false;
        }
        $connection->writeAnswer($request, ...answer($this->handler, $this->context, $request));
        return true;
    }
}

// warmUp answers a call that nobody makes, within this process, so that what PHP
// prepares at the first use is there for the first call.
function warmUp(): void
{
    [$caller, $called] = stream_socket_pair(\STREAM_PF_UNIX, \STREAM_SOCK_STREAM, 0);
    fwrite($caller, "POST /?a=b HTTP/1.1\r\nHost: worker\r\nContent-Length: 2\r\n\r\n{}");
    $connection = new Connection($called);
    $request = $connection->readRequest();
    $result = ['statusCode' => 200, 'headers' => ['A' => ['b']], 'body' => []];
    $connection->writeAnswer($request, ...answer(fn () => $result, [], $request));
    fclose($called);
    fclose($caller);
}

// receive waits for the assignment, and makes this process one that was started
// for it.
function receive(): void
{
    $assignment = json_decode(stream_get_contents(fopen('php://fd/' . ASSIGNMENT, 'r')), true, 512, \JSON_THROW_ON_ERROR);
    foreach (array_keys(getenv()) as $name) {
        putenv($name);
        unset($_SERVER[$name], $_ENV[$name]);
    }
    foreach ($assignment['environment'] as $name => $value) {
        putenv("$name=$value");
    }
    $_ENV = $assignment['environment'];
    // What PHP itself sets wins over a variable of the same name.
    $_SERVER += $assignment['environment'];
    $_SERVER['argv'] = [$_SERVER['argv'][0], ...$assignment['arguments']];
}

// prepare returns the files to load, which happens outside of all functions: what
// they set there is global.
function prepare(): array
{
    if (array_slice($_SERVER['argv'], 1) === [AWAIT]) {
        warmUp();
        receive();
    }
    [, $code, $file] = $_SERVER['argv'];
    // Code may look for its files from where the archive's root is.
    set_include_path($code . \PATH_SEPARATOR . get_include_path());
    $autoload = "$code/vendor/autoload.php";
    return is_file($autoload) ? [$autoload, "$code/$file"] : ["$code/$file"];
}

function handler(): callable
{
    [, , $file, $function] = $_SERVER['argv'];
    if (!function_exists($function)) {
        $ours = fn ($name) => str_ends_with((string) (new \ReflectionFunction($name))->getFileName(), "/$file");
        $others = implode(', ', array_filter(get_defined_functions()['user'], $ours)) ?: 'none';
        throw new NoHandler("the handler's file has no function \"$function\", but: $others");
    }
    $_SERVER['argv'] = [$_SERVER['argv'][0]];
    $_SERVER['argc'] = 1;
    return $function;
}

// fail tells why nothing is served. The last line is what the operator and the
// function's author are told.
function fail(\Throwable $error): never
{
    complain((string) $error);
    complain(explode("\n", $error->getMessage())[0]);
    exit(1);
}

set_exception_handler(fail(...));
foreach (prepare() as $_) {
    require_once $_;
}
unset($_, $argv, $argc);
(new Server(handler()))->run();
