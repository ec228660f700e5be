<?php

namespace Jeton;

// A Server serves one request at a time. It keeps idle connections open.
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
            // stream_select reports a signal as an error.
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

// warmUp makes a call within this process, so that PHP compiles before the first real call
// what it needs for one.
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

// receive waits for the assignment, and sets the arguments and environment of this process.
function receive(): void
{
    $assignment = json_decode(stream_get_contents(fopen('php://fd/' . ASSIGNMENT, 'r')), true, 512, \JSON_THROW_ON_ERROR);
    // The code was mounted over this folder meanwhile.
    chdir(getcwd());
    foreach (array_keys(getenv()) as $name) {
        putenv($name);
        unset($_SERVER[$name], $_ENV[$name]);
    }
    foreach ($assignment['environment'] as $name => $value) {
        putenv("$name=$value");
    }
    $_ENV = $assignment['environment'];
    // Keys that PHP sets itself win over variables of the same name.
    $_SERVER += $assignment['environment'];
    $_SERVER['argv'] = [$_SERVER['argv'][0], ...$assignment['arguments']];
}

// prepare returns the files to load. They are loaded outside of functions, so that their
// variables are global.
function prepare(): array
{
    if (array_slice($_SERVER['argv'], 1) === [AWAIT]) {
        warmUp();
        receive();
    }
    [, $code, $file] = $_SERVER['argv'];
    // Code may include files by their path from the root of the archive.
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

// fail prints why the function cannot be served. The operator and the function's author see
// the last line.
function fail(\Throwable $error): never
{
    complain((string) $error);
    $class = $error instanceof NoHandler ? '' : $error::class . ': ';
    complain($class . explode("\n", $error->getMessage())[0]);
    exit(1);
}

set_exception_handler(fail(...));
foreach (prepare() as $_) {
    require_once $_;
}
unset($_, $argv, $argc);
(new Server(handler()))->run();
