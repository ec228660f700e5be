<?php
// Tries to escape from its sandbox: one attempt per call. Some attempts, for which PHP has
// no function, run a program of the system.

$allocated = [];

function must(mixed $result): mixed
{
    if ($result === false || $result === null) {
        throw new RuntimeException(error_get_last()['message'] ?? posix_strerror(posix_get_last_error()));
    }
    return $result;
}

function reach(string $address): void
{
    must(@stream_socket_client($address, $code, $message, 2));
}

function echoes(string $address): void
{
    $socket = must(@stream_socket_client($address, $code, $message, 2));
    stream_set_timeout($socket, 1);
    fwrite($socket, 'escape');
    if (fread($socket, 6) !== 'escape') {
        throw new RuntimeException('no answer');
    }
}

function forks(array $query): void
{
    $children = [];
    try {
        for ($n = 0; $n < (int) $query['forks']; $n++) {
            $pid = @pcntl_fork();
            if ($pid === -1) {
                throw new RuntimeException(pcntl_strerror(pcntl_get_last_error()));
            }
            if ($pid === 0) {
                sleep(20);
                posix_kill(getmypid(), SIGKILL);
            }
            $children[] = $pid;
        }
    } finally {
        foreach ($children as $pid) {
            posix_kill($pid, SIGKILL);
            pcntl_waitpid($pid, $status);
        }
    }
}

function disk(array $query): void
{
    $file = must(tmpfile());
    $block = str_repeat("\1", 1 << 20);
    for ($n = 0; $n < (int) $query['disk']; $n++) {
        if (@fwrite($file, $block) !== strlen($block)) {
            throw new RuntimeException('no space left');
        }
    }
}

function memory(array $query): void
{
    global $allocated;
    for ($n = 0; $n < (int) $query['memory']; $n++) {
        $allocated[] = str_repeat("\1", 1 << 20);
    }
}

function run(string ...$command): void
{
    $process = must(@proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes));
    $text = stream_get_contents($pipes[2]);
    if (proc_close($process) !== 0) {
        throw new RuntimeException(trim($text));
    }
}

function handle($event, $context)
{
    $attempts = [
        'file' => fn ($q) => must(@file_get_contents($q['file'])),
        'code' => fn ($q) => must(@scandir($q['code'])),
        'proc' => fn ($q) => must(@file_get_contents('/proc/' . $q['pid'] . '/environ')),
        'kill' => fn ($q) => must(posix_kill((int) $q['pid'], 0)),
        'tcp' => fn ($q) => reach('tcp://' . $q['tcp']),
        'host' => fn ($q) => reach('tcp://' . $q['host']),
        'udp' => fn ($q) => echoes('udp://' . $q['udp']),
        'path' => fn ($q) => echoes('unix://' . $q['path']),
        'abstract' => fn ($q) => echoes("unix://\0" . $q['abstract']),
        'metadata' => fn ($q) => reach('tcp://169.254.169.254:80'),
        'raw' => fn ($q) => must(@socket_create(AF_INET, SOCK_RAW, 1)),
        'forks' => forks(...),
        'disk' => disk(...),
        'memory' => memory(...),
        'mount' => fn ($q) => run('mount', '-t', 'tmpfs', 'tmpfs', '/tmp'),
        'setuid' => fn ($q) => must(@posix_setuid(0)),
        'unshare' => fn ($q) => run('unshare', '--user', '--mount', 'true'),
    ];
    $attempt = $attempts[ltrim($event['path'], '/')] ?? null;
    if ($attempt === null) {
        return 'ordinary';
    }
    try {
        $attempt($event['queryStringParameters']);
    } catch (RuntimeException $error) {
        return 'blocked: ' . $error->getMessage();
    }
    return 'OPEN';
}
