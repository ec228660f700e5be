// The life of a token as a program in JavaScript has it, with Scaleway's own SDK:
// made for a function, shown, listed, used, deleted. The server and the key are in
// the environment; the function, and where it is called, are the arguments.
import assert from "node:assert/strict";
import http from "node:http";

import { createClient, Functionv1beta1 } from "@scaleway/sdk";

const [functionId, host, gateway] = process.argv.slice(2);
const api = new Functionv1beta1.API(
  createClient({
    apiURL: process.env.SCW_API_URL,
    accessKey: process.env.SCW_ACCESS_KEY,
    secretKey: process.env.SCW_SECRET_KEY,
    defaultProjectId: process.env.SCW_DEFAULT_PROJECT_ID,
    defaultRegion: "fr-par",
  }),
);

// fetch lets nobody set the header Host.
const call = (token) =>
  new Promise((resolve, reject) => {
    const headers = { Host: host, "X-Auth-Token": token };
    http.get(gateway, { headers }, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
  });

const expiresAt = new Date(Date.now() + 3_600_000);
const made = await api.createToken({ functionId, description: "from JavaScript", expiresAt });
assert.equal(made.functionId, functionId);
assert.equal(made.token.split(".").length, 3);
assert.match(made.publicKey, /^-----BEGIN RSA PUBLIC KEY-----\n/);
assert.equal(made.expiresAt.getTime(), Math.floor(expiresAt.getTime() / 1000) * 1000);

const ready = await api.waitForToken({ tokenId: made.id });
assert.equal(ready.status, "ready");
assert.equal(ready.token, "<hidden>");
assert.equal(ready.description, "from JavaScript");

const listed = await api.listTokens({ functionId }).all();
assert.deepEqual(listed.map((token) => token.id), [made.id]);

assert.equal(await call(made.token), 200);
assert.equal(await call(made.token.slice(0, -1)), 403);
const deleted = await api.deleteToken({ tokenId: made.id });
assert.equal(deleted.status, "deleting");
assert.equal(await call(made.token), 403);
await assert.rejects(api.getToken({ tokenId: made.id }), { status: 404 });
