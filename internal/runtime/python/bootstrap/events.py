def canonical(name):
    return "-".join(part.capitalize() for part in name.split("-"))


def joined(headers):
    """Returns the headers with canonical names, as in Scaleway's runtime. It joins the
    values of a repeated header."""
    result = {}
    for name, value in headers:
        if name.lower() in CONNECTION_HEADERS:
            continue
        # Header values are bytes. Values that are not ASCII are usually UTF-8.
        value = value.encode("latin-1").decode("utf-8", "replace")
        name = canonical(name)
        result[name] = result[name] + "," + value if name in result else value
    return result


def looks_like_base64(text):
    """Reports whether a text can be decoded, even if it is only "test". Scaleway's
    runtime does the same."""
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
        # The name in Scaleway's documentation for Python.
        "method": request.method,
        "headers": joined(request.headers),
        "multiValueHeaders": None,
        # The last value of a repeated parameter wins.
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
    """Returns status, headers and body for a result.

    JSON text is decoded first. A dictionary with a key of a response is the response;
    anything else is the body of a response with status 200.
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
    """Returns the body for a value. For an object that was decoded from JSON text it
    returns that text."""
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
    """Accepts a number and its digits as text, which existing functions return, and
    raises ValueError for anything else."""
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
    """Returns pairs of name and value. A list of values becomes several pairs."""
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
        # The misspelling is Scaleway's. Users search for the sentence.
        text = "An error occured during handler execution: %s\n" % error
        return 500, [("Content-Type", "text/plain; charset=utf-8")], text.encode("utf-8", "replace")
