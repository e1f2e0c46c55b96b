// Run as a process of its own by synapseMemory.test.ts: reads something big, then prints how big, and the most memory that was in use while
// it was read. What is garbage by then does not count: when it is collected is Node's affair, and later on a machine that is busy.

import { SILENT } from "../../src/log.ts";
import { makeHttp } from "../../src/sources/http.ts";
import { makeSynapse } from "../../src/sources/synapse.ts";

/** How often memory is looked at: after so many rows, and so many bytes. */
const ROWS_PER_LOOK = 50_000;
const BYTES_PER_LOOK = 4 << 20;

const [what, endpoint = "", path = ""] = process.argv.slice(2);
const http = makeHttp();
const pollMs = { first: 1, max: 10 };
const maxBytes = { file: 1e9 };
const client = makeSynapse({ endpoint, token: "secret", http, log: SILENT, pollMs, maxBytes });
const read = { rows: countRows, file: countBytes }[what === "rows" ? "rows" : "file"];
let most = 0;
look();
const before = most;
const count = await read();
look();
await http.close();
console.log(JSON.stringify({ count, megabytes: (most - before) / 1e6 }));

function look(): void {
  if (global.gc === undefined) throw new Error("run it with --expose-gc");
  global.gc();
  const { heapUsed, external } = process.memoryUsage();
  most = Math.max(most, heapUsed + external);
}

async function countRows(): Promise<number> {
  let cells = 0;
  for await (const row of client.queryRows("syn1", "SELECT id FROM syn1")) {
    cells += row.length;
    if ((cells / 3) % ROWS_PER_LOOK === 0) look();
  }
  return cells / 3;
}

async function countBytes(): Promise<number> {
  let next = BYTES_PER_LOOK;
  const onBytes = (received: number): void => {
    if (received < next) return;
    next += BYTES_PER_LOOK;
    look();
  };
  return (await client.download("syn111", null, path, undefined, onBytes)).bytes;
}
