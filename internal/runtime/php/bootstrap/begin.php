<?php
// Serves one function over HTTP/1.1 on the listening socket that it inherits as file
// descriptor 3. It writes one byte to file descriptor 4 when it is ready. Arguments: the
// folder of the code, the handler's file in it, the function's name. With the single
// argument --await it runs as a warm worker: it initializes itself, and then reads its
// arguments and environment from file descriptor 5. It requires PHP 8.1 or later with
// the extensions sockets and pcntl.
//
// PHP cannot close inherited file descriptors, so 3 to 5 stay open.

namespace Jeton;

const SOCKET = 3;
const READY = 4;
const ASSIGNMENT = 5;
const AWAIT = '--await';
// The gateway limits headers to 1 MiB.
const MAX_HEADER_BYTES = 2 << 20;
// A year in seconds, because the gateway enforces timeouts.
const NO_TIMEOUT = 365 * 86400;
// Hop-by-hop headers, which events and responses do not contain.
const CONNECTION_HEADERS = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade'];
const TOKEN = '/^[!#$%&\'*+\-.^_`|~0-9A-Za-z]+$/D';
const JSON_FORM = \JSON_THROW_ON_ERROR | \JSON_UNESCAPED_SLASHES | \JSON_UNESCAPED_UNICODE
    | \JSON_INVALID_UTF8_SUBSTITUTE;
