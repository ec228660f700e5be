"use strict";

// Serves one function over HTTP/1.1 on the listening socket that it inherits as file
// descriptor 3. It writes one byte to file descriptor 4 when it is ready. Arguments: the
// handler's file, "import" or "require", the function's name. With the single argument
// --await it runs as a warm worker: it initializes itself, and then reads its arguments
// and environment from file descriptor 5.

const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const { Duplex } = require("node:stream");
const { pathToFileURL } = require("node:url");

const SOCKET = 3;
const READY = 4;
const ASSIGNMENT = 5;
// The gateway limits headers to 1 MiB.
const MAX_HEADER_BYTES = 2 << 20;
// Hop-by-hop headers, which events and responses do not contain.
const CONNECTION_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade"]);

async function load([file, how, functionName]) {
  const exported = how === "import" ? await import(pathToFileURL(file)) : await requireOrImport(file);
  const handler = exported[functionName] ?? exported.default?.[functionName];
  if (typeof handler !== "function") {
    const names = Object.keys(exported).join(", ") || "nothing";
    // The first sentence is Scaleway's. Users search for it.
    throw new Error(
      `Provided Handler does not exist, or does not export methods properly. No function "${functionName}", but: ${names}`
    );
  }
  return handler;
}

// requireOrImport loads a file that is not declared as a module. Newer versions of
// Node.js detect a module by its syntax.
async function requireOrImport(file) {
  try {
    return require(file);
  } catch (error) {
    if (error.code === "ERR_REQUIRE_ESM" || error.code === "ERR_REQUIRE_ASYNC_MODULE") {
      return import(pathToFileURL(file));
    }
    throw error;
  }
}

// headersOf returns the headers with canonical names, as in Scaleway's runtime. It joins
// the values of a repeated header.
function headersOf(request) {
  const headers = {};
  const raw = request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    if (CONNECTION_HEADERS.has(raw[i].toLowerCase())) continue;
    const name = canonical(raw[i]);
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]},${raw[i + 1]}` : raw[i + 1];
  }
  return headers;
}

function canonical(name) {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function decodePath(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

// looksLikeBase64 reports whether a text can be decoded, even if it is only "test".
// Scaleway's runtime does the same.
function looksLikeBase64(body) {
  const text = body.replace(/[\r\n]/g, "");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding));
}

function eventOf(request, body) {
  const [path, ...query] = request.url.split("?");
  const parameters = {};
  // The last value of a repeated parameter wins.
  for (const [name, value] of new URLSearchParams(query.join("?"))) parameters[name] = value;
  const event = {
    resource: "",
    path: decodePath(path),
    httpMethod: request.method,
    // The name in Scaleway's documentation for some languages.
    method: request.method,
    headers: headersOf(request),
    multiValueHeaders: null,
    queryStringParameters: parameters,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: {},
    requestContext: {
      accountId: "",
      resourceId: "",
      stage: "",
      requestId: "",
      resourcePath: "",
      authorizer: null,
      httpMethod: request.method,
      apiId: "",
    },
    body,
  };
  if (looksLikeBase64(body)) event.isBase64Encoded = true;
  return event;
}

function contextOf(env) {
  return {
    memoryLimitInMb: Number(env.SCW_APPLICATION_MEMORY) || 128,
    functionName: env.SCW_APPLICATION_NAME ?? "",
    functionVersion: env.SCW_APPLICATION_VERSION ?? "",
  };
}

// invoke calls the handler and waits for its result: a returned value, a resolved promise,
// or a call of the callback, whichever is first.
function invoke(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, result) => (error ? reject(error) : resolve(result));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") {
      returned.then(resolve, reject);
    } else if (returned !== undefined || !takesCallback(handler)) {
      resolve(returned);
    }
  });
}

// TOKEN matches the tokens of a function's text that takesCallback needs: comments and
// strings, which are ignored, words, "...", "=>", brackets and commas.
const TOKEN = /\/\/.*|\/\*[^]*?\*\/|"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'|`(?:\\[^]|[^`\\])*`|[\w$.]+|=>|[()[\]{},]/g;

const callbackTakers = new WeakMap();

// takesCallback reports whether a function uses a third argument: as a parameter with or
// without a default, as a rest parameter, or through "arguments". The length of a
// function does not count parameters after the first default.
function takesCallback(handler) {
  if (handler.length >= 3) return true;
  if (!callbackTakers.has(handler)) {
    const source = Function.prototype.toString.call(handler);
    const tokens = (source.match(TOKEN) ?? []).filter((token) => !/^(?:\/[/*]|["'`])/.test(token));
    callbackTakers.set(handler, hasThirdParameter(tokens) || usesArguments(tokens));
  }
  return callbackTakers.get(handler);
}

function hasThirdParameter(tokens) {
  let index = tokens.indexOf("(");
  const arrow = tokens.indexOf("=>");
  // A single parameter needs no brackets.
  if (index < 0 || (arrow >= 0 && arrow < index)) return false;
  let commas = 0;
  for (let depth = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if ("([{".includes(token)) depth++;
    else if (")]}".includes(token) && --depth === 0) return false;
    else if (depth !== 1) continue;
    else if (token.startsWith("...")) return true;
    else if (token === ",") commas++;
    else if (commas === 2) return true;
  }
  return false;
}

// usesArguments reports whether a function uses "arguments" outside of inner functions,
// which have their own. Arrow functions have none.
function usesArguments(tokens) {
  if (tokens[0] !== "function" && tokens[1] !== "function" && isArrow(tokens)) return false;
  for (let index = 1, depth = 0, inner = -1; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === "{") depth++;
    else if (token === "}" && --depth === inner) inner = -1;
    else if (token === "function" && depth > 0 && inner < 0) inner = depth;
    else if (inner < 0 && /^(?:\.\.\.)?arguments(?:\.|$)/.test(token)) return true;
  }
  return false;
}

// isArrow reports whether an arrow follows the first brackets.
function isArrow(tokens) {
  let depth = 0;
  for (const token of tokens) {
    if (token === "=>" && depth === 0) return true;
    if ("([{".includes(token)) depth++;
    else if (")]}".includes(token)) depth--;
    if (token === "{" && depth === 1) return false;
  }
  return false;
}

// answerOf converts a result to a response. JSON text is decoded first. An object with a key
// of a response is the response; anything else is the body of a response with status 200.
function answerOf(result) {
  const value = typeof result === "string" ? parse(result) : result;
  if (!isAnswer(value)) return { status: 200, headers: [], body: textOf(value, result) };
  const body = textOf(value.body, value.body);
  return {
    status: statusOf(value.statusCode),
    headers: listHeaders(value.headers),
    body: value.isBase64Encoded === true ? decodeBase64(body) : body,
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isAnswer(value) {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value) &&
    ["statusCode", "body", "headers"].some((key) => value[key] !== undefined)
  );
}

// textOf returns the body for a value. For an object that was decoded from JSON text it
// returns that text.
function textOf(value, original) {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" || Buffer.isBuffer(value)) return value;
  return typeof original === "string" ? original : JSON.stringify(value) ?? String(value);
}

// statusOf accepts a number and its digits as text, which existing functions return, and
// throws for anything else.
function statusOf(code) {
  if (code === undefined || code === null) return 200;
  const status = typeof code === "string" && /^\d{3}$/.test(code) ? Number(code) : code;
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new Error(`statusCode must be a number from 200 to 999, not ${JSON.stringify(code)}`);
  }
  return status;
}

// listHeaders returns pairs of name and value. A list of values becomes several pairs.
function listHeaders(headers) {
  const pairs = [];
  for (const [name, values] of Object.entries(headers ?? {})) {
    if (CONNECTION_HEADERS.has(name.toLowerCase()) || name.toLowerCase() === "content-length") continue;
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value === null || value === undefined) continue;
      http.validateHeaderName(name);
      http.validateHeaderValue(name, String(value));
      pairs.push([name, String(value)]);
    }
  }
  return pairs;
}

function decodeBase64(text) {
  if (!looksLikeBase64(String(text))) throw new Error("isBase64Encoded is set, and the body is not base64");
  return Buffer.from(String(text), "base64");
}

function failure(error) {
  const message = error instanceof Error ? error.message : String(error);
  return {
    status: 500,
    headers: [["Content-Type", "text/plain; charset=utf-8"]],
    // The misspelling is Scaleway's. Users search for the sentence.
    body: `An error occured during handler execution: ${message}\n`,
  };
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function answer(handler, context, request) {
  const event = eventOf(request, await readBody(request));
  try {
    return answerOf(await invoke(handler, event, context));
  } catch (error) {
    console.error(error);
    return failure(error);
  }
}

function send(response, { status, headers, body }) {
  response.statusCode = status;
  for (const [name, value] of headers) response.appendHeader(name, value);
  const bytes = Buffer.from(body);
  if (status !== 204 && status !== 304) response.setHeader("Content-Length", bytes.length);
  return new Promise((resolve) => {
    response.on("close", resolve);
    response.end(bytes);
  });
}

// calls is the number of calls in progress. stopping is set when no more are accepted.
let calls = 0;
let stopping = false;
const exitWhenIdle = () => stopping && calls === 0 && process.exit(0);

function makeServer(handler, context) {
  const server = http.createServer({ maxHeaderSize: MAX_HEADER_BYTES }, async (request, response) => {
    calls++;
    try {
      await send(response, await answer(handler, { ...context }, request));
    } catch (error) {
      // The client disconnected, or the response could not be sent.
      console.error(error);
      response.destroy();
    }
    calls--;
    exitWhenIdle();
  });
  // The gateway enforces timeouts and reuses its connection.
  server.timeout = server.requestTimeout = server.headersTimeout = server.keepAliveTimeout = 0;
  server.maxHeadersCount = 0;
  return server;
}

function serve(handler) {
  const server = makeServer(handler, contextOf(process.env));
  process.on("SIGTERM", () => {
    stopping = true;
    server.close();
    exitWhenIdle();
  });
  server.listen({ fd: SOCKET }, () => {
    fs.writeSync(READY, "1");
    fs.closeSync(READY);
  });
}

const WARM_CALL = "POST /?a=b HTTP/1.1\r\nHost: worker\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

// warmUp makes a call within this process, so that Node.js loads and compiles before the
// first real call what it needs for one. It leaves nothing open.
async function warmUp() {
  // The first import initializes the module loader.
  await import("data:text/javascript,");
  const result = { statusCode: 200, headers: { A: ["b"] }, body: {} };
  const server = makeServer(() => result, contextOf({}));
  try {
    await callOverSocket(server);
  } catch {
    // Some versions of Node.js and some sandboxes have no abstract sockets.
    await callWithin(server);
  }
}

// callOverSocket calls the server over an abstract socket.
async function callOverSocket(server) {
  const path = `\0jeton-worker-${process.pid}`;
  await new Promise((resolve, reject) => server.once("error", reject).listen({ path }, resolve));
  try {
    await new Promise((resolve, reject) => {
      net.connect({ path }).on("error", reject).on("close", resolve).resume().end(WARM_CALL);
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function callWithin(server) {
  const wire = new Duplex({ read() {}, write: (chunk, encoding, done) => done() });
  server.emit("connection", wire);
  const answered = new Promise((resolve) => {
    server.on("request", (request, response) => response.on("close", resolve));
  });
  wire.push(WARM_CALL);
  await answered;
  wire.destroy();
}

// receive waits for the assignment, and sets the arguments and environment of this process.
function receive() {
  const assignment = JSON.parse(fs.readFileSync(ASSIGNMENT, "utf8"));
  fs.closeSync(ASSIGNMENT);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, assignment.environment);
  // The code was mounted over this folder meanwhile.
  process.chdir(process.cwd());
  process.argv.splice(2, process.argv.length, ...assignment.arguments);
}

// reasonOf returns the class and message of an error. A class without a name of its own has
// the name of its constructor.
function reasonOf(error) {
  if (!(error instanceof Error)) return `Uncaught ${String(error)}`;
  const name = error.name && error.name !== "Error" ? error.name : error.constructor?.name || "Error";
  return `${name}: ${error.message}`;
}

async function main() {
  if (process.argv[2] === "--await" && process.argv.length === 3) {
    await warmUp();
    receive();
  }
  serve(await load(process.argv.slice(2)));
}

main().catch((error) => {
  console.error(error);
  // The operator and the function's author see the last line.
  console.error(reasonOf(error).split("\n")[0]);
  process.exit(1);
});
