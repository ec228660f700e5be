"use strict";

// Tries to escape from its sandbox: one attempt per call. Node cannot make system calls
// by number: some attempts run a program of the system instead.

const fs = require("node:fs");
const net = require("node:net");
const dgram = require("node:dgram");
const os = require("node:os");
const path = require("node:path");
const { spawn, spawnSync } = require("node:child_process");

const allocated = [];

function reach(options) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(options);
    socket.setTimeout(2000, () => reject(new Error("timed out")));
    socket.on("connect", resolve).on("error", reject);
  });
}

function address(text) {
  const [host, port] = text.split(":");
  return { host, port: Number(port) };
}

function udp({ host, port }) {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket("udp4");
    setTimeout(() => reject(new Error("no answer")), 1000);
    socket.on("message", resolve).on("error", reject);
    socket.send("escape", port, host, (error) => error && reject(error));
  });
}

async function forks({ forks }) {
  const children = [];
  try {
    for (let n = 0; n < Number(forks); n++) {
      const child = spawn("/bin/sleep", ["20"], { stdio: "ignore" });
      child.on("error", () => {});
      if (child.pid === undefined) throw new Error("EAGAIN");
      children.push(child);
    }
  } finally {
    await Promise.all(
      children.map((child) => new Promise((resolve) => child.on("exit", resolve) && child.kill("SIGKILL")))
    );
  }
}

function disk({ disk }) {
  const name = path.join(os.tmpdir(), "fill");
  const file = fs.openSync(name, "w");
  try {
    const block = Buffer.alloc(1 << 20, 1);
    for (let n = 0; n < Number(disk); n++) {
      if (fs.writeSync(file, block) < block.length) throw new Error("ENOSPC");
    }
  } finally {
    fs.closeSync(file);
    fs.unlinkSync(name);
  }
}

function run(...command) {
  const { error, status, stderr } = spawnSync(command[0], command.slice(1), { timeout: 5000 });
  if (error) throw error;
  if (status !== 0) throw new Error(String(stderr).trim() || `status ${status}`);
}

const attempts = {
  file: (query) => fs.readFileSync(query.file),
  code: (query) => fs.readdirSync(query.code),
  proc: (query) => fs.readFileSync(`/proc/${query.pid}/environ`),
  kill: (query) => process.kill(Number(query.pid), 0),
  tcp: (query) => reach(address(query.tcp)),
  host: (query) => reach(address(query.host)),
  udp: (query) => udp(address(query.udp)),
  path: (query) => reach({ path: query.path }),
  metadata: () => reach(address("169.254.169.254:80")),
  forks,
  disk,
  memory: (query) => {
    for (let n = 0; n < Number(query.memory); n++) allocated.push(Buffer.alloc(1 << 20, 1));
  },
  mount: () => run("mount", "-t", "tmpfs", "tmpfs", "/tmp"),
  setuid: () => process.setuid(0),
  unshare: () => run("unshare", "--user", "--mount", "true"),
};

exports.handle = async (event) => {
  const attempt = attempts[event.path.slice(1)];
  if (attempt === undefined) return "ordinary";
  try {
    await attempt(event.queryStringParameters);
  } catch (error) {
    return `blocked: ${error.message}`;
  }
  return "OPEN";
};
