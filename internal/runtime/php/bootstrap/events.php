<?php

namespace Jeton;

// joined returns the headers with canonical names, as in Scaleway's runtime. It joins the
// values of a repeated header.
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

// asText replaces invalid UTF-8, as JSON encoders do.
function asText(string $bytes): string
{
    return preg_match('//u', $bytes) ? $bytes : json_decode(json_encode($bytes, JSON_FORM));
}

// looksLikeBase64 reports whether a text can be decoded, even if it is only "test".
// Scaleway's runtime does the same.
function looksLikeBase64(string $text): bool
{
    $text = str_replace(["\r", "\n"], '', $text);
    $padding = str_ends_with($text, '==') ? 2 : (str_ends_with($text, '=') ? 1 : 0);
    $alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    return strlen($text) % 4 === 0 && strspn($text, $alphabet) >= strlen($text) - $padding;
}

// parametersOf parses a query. parse_str would change names and create arrays. The last
// value of a repeated parameter wins.
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
        // The name in Scaleway's documentation for PHP.
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

// answerOf returns status, headers and body for a result. JSON text is decoded first. An
// array or object with a key of a response is the response; anything else is the body of
// a response with status 200.
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
    // Decode objects as objects, so that an empty one is encoded as {} again.
    $value = json_decode($text);
    return json_last_error() === \JSON_ERROR_NONE ? $value : $text;
}

// textOf returns the body for a value. For an object that was decoded from JSON text it
// returns that text.
function textOf(mixed $value, mixed $original): string
{
    if ($value === null || is_string($value)) {
        return (string) $value;
    }
    return is_string($original) ? $original : json_encode($value, JSON_FORM);
}

// statusOf accepts a number and its digits as text, which existing functions return, and
// throws for anything else.
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

// listHeaders returns pairs of name and value. A list of values becomes several pairs.
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
        // The misspelling is Scaleway's. Users search for the sentence.
        $text = "An error occured during handler execution: {$error->getMessage()}\n";
        return [500, [['Content-Type', 'text/plain; charset=utf-8']], $text];
    }
}
