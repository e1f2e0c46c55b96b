// Run as a process of its own by synapseMemory.test.ts: reads something big, then prints how big and the most memory it took.

import { SILENT } from "../../src/log.ts";
import { makeHttp } from "../../src/sources/http.ts";
import { makeSynapse } from "../../src/sources/synapse.ts";

const [what, endpoint = "", path = ""] = process.argv.slice(2);
const http = makeHttp();
const pollMs = { first: 1, max: 10 };
const client = makeSynapse({ endpoint, token: "secret", http, log: SILENT, pollMs });
const read = { rows: countRows, file: countBytes }[what === "rows" ? "rows" : "file"];
const count = await read();
await http.close();
console.log(JSON.stringify({ count, maxRssMegabytes: process.resourceUsage().maxRSS / 1024 }));

async function countRows(): Promise<number> {
  let rows = 0;
  for await (const row of client.queryRows("syn1", "SELECT id FROM syn1")) rows += row.length / 3;
  return rows;
}

async function countBytes(): Promise<number> {
  return (await client.download("syn111", null, path)).bytes;
}
