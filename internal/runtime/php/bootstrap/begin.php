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
