<?php

namespace Jeton;

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
