// An MCP server in JavaScript that does what node's servers do: worker threads, the thread pool of
// libuv, garbage, child processes. No package beside node itself.
import { execFile } from "node:child_process";
import { scrypt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

const THREADS = 2;
// In a worker: garbage enough for several collections, then a number that proves that it ran.
const CHURN = `
    const { parentPort } = require("node:worker_threads");
    let sum = 0;
    for (let i = 0; i < 400; i++) sum += new Array(20000).fill(i).map((n) => n + 1).length;
    parentPort.postMessage(sum);
`;

async function churn() {
    const workers = Array.from({ length: THREADS }, () => new Worker(CHURN, { eval: true }));
    const sums = await Promise.all(workers.map((worker) => once(worker, "message")));
    const keys = Array.from({ length: THREADS }, () => promisify(scrypt)("word", "salt", 32));
    await Promise.all(keys);
    return `${sums.length} threads, ${sums.flat().reduce((a, b) => a + b)} numbers`;
}

async function run() {
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", "echo from a child"]);
    return stdout.trim();
}

const tools = { churn, run };
const described = Object.keys(tools).map((name) => ({
    name, description: name, inputSchema: { type: "object" },
}));
const methods = {
    "initialize": (params) => ({
        protocolVersion: params.protocolVersion, capabilities: { tools: {} },
        serverInfo: { name: "node", version: process.version },
    }),
    "ping": () => ({}),
    "tools/list": () => ({ tools: described }),
    "tools/call": async (params) => ({
        content: [{ type: "text", text: await tools[params.name]() }],
    }),
};

async function answer(line) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) return;
    const known = methods[method];
    const said = known
        ? { result: await known(params) }
        : { error: { code: -32601, message: "method not found" } };
    process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, ...said }) + "\n");
}

createInterface({ input: process.stdin }).on("line", answer);
