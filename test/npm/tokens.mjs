// Creates, reads, lists, uses and deletes a token of a function with Scaleway's SDK for
// JavaScript. The environment contains the server and the key; the arguments are the
// function's ID, its host and the URL of the gateway.
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

// fetch does not allow setting the header Host.
const call = (token) =>
  new Promise((resolve, reject) => {
    const headers = { Host: host, "X-Auth-Token": token };
    http.get(gateway, { headers }, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
  });

const expiresAt = new Date(Date.now() + 3_600_000);
const created = await api.createToken({ functionId, description: "from JavaScript", expiresAt });
assert.equal(created.functionId, functionId);
assert.equal(created.token.split(".").length, 3);
assert.match(created.publicKey, /^-----BEGIN RSA PUBLIC KEY-----\n/);
assert.equal(created.expiresAt.getTime(), Math.floor(expiresAt.getTime() / 1000) * 1000);

const ready = await api.waitForToken({ tokenId: created.id });
assert.equal(ready.status, "ready");
assert.equal(ready.token, "<hidden>");
assert.equal(ready.description, "from JavaScript");

const listed = await api.listTokens({ functionId }).all();
assert.deepEqual(listed.map((token) => token.id), [created.id]);

assert.equal(await call(created.token), 200);
assert.equal(await call(created.token.slice(0, -1)), 403);
const deleted = await api.deleteToken({ tokenId: created.id });
assert.equal(deleted.status, "deleting");
assert.equal(await call(created.token), 403);
await assert.rejects(api.getToken({ tokenId: created.id }), { status: 404 });
