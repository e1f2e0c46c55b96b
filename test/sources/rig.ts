// What the tests of this room share: a small world on disk, the look-alike that serves it, and a quick client.

import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import type { Log, LogFields } from "../../src/log.ts";
import {
  startSynapse,
  type SynapseServer,
  type SynapseServerOptions,
} from "../../src/lookalikes/synapse/synapseServer.ts";
import type { RetryPolicy } from "../../src/retry.ts";
import { type Http, type HttpRequest, makeHttp } from "../../src/sources/http.ts";
import { makeSynapse, type SynapseOptions } from "../../src/sources/synapse.ts";
import type { SynapseClient } from "../../src/sources/synapseClient.ts";
import { refusal } from "../support/refusal.ts";

export const VIEW = "syn20446927";
export const PROJECT = "syn100";
/** Tries five times within a few milliseconds. */
const QUICK: RetryPolicy = { attempts: 5, minDelayMs: 1, maxDelayMs: 4 };

export const COLUMNS =
  "id,name,type,parentId,projectId,modifiedOn,dataFileHandleId,Component,dataFileSizeBytes,dataFileMD5Hex";
/** Enough text that half of it is a good deal. */
export const MANIFEST = `Component,HTAN Participant ID\n${"Demographics,HTA1_1\n".repeat(500)}`;

export function md5Of(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** Makes a folder that is gone after the test. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-test-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes a world of two projects: a folder, two manifests, names that are hard on CSV, and a file without content. */
export async function makeWorld(extraRows: readonly string[] = []): Promise<string> {
  const dir = await tempDir();
  await mkdir(join(dir, "files"));
  const size = MANIFEST.length;
  const rows = [
    `syn110,clinical,folder,${PROJECT},${PROJECT},1600000000000,,,,`,
    `syn111,synapse_storage_manifest_a.csv,file,syn110,${PROJECT},1600000000001,9111,Demographics,${size},${md5Of(MANIFEST)}`,
    `syn112,"a ""b"", c\\d.csv",file,syn110,${PROJECT},1600000000002,9112,,5,${md5Of("hello")}`,
    `syn113,"two\nlines",file,syn110,${PROJECT},1600000000003,,Odd's,7,`,
    `syn114,ünï.bam,file,${PROJECT},${PROJECT},1600000000004,9114,,12,${md5Of("nowhere")}`,
    `syn210,other,folder,syn200,syn200,1600000000005,,,,`,
    ...extraRows,
  ];
  await Promise.all([
    writeFile(
      join(dir, "atlases.csv"),
      `\uFEFFid,atlas_id,name,liaison\r\n${PROJECT},HTA1,One,\r\nsyn200,HTA2,"Two, 2",Ada\r\n`,
    ),
    writeFile(join(dir, "master.csv"), `${COLUMNS}\n${rows.join("\n")}\n`),
    writeFile(join(dir, "files", "syn111.csv"), MANIFEST),
    writeFile(join(dir, "files", "syn112.csv"), "hello"),
  ]);
  return dir;
}

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export interface Rig {
  readonly server: SynapseServer;
  readonly client: SynapseClient;
  readonly http: Http;
  readonly world: string;
  readonly log: readonly Line[];
  /** A folder for downloads. */
  readonly dir: string;
}

/** Starts a server on a world (the small one if none is given) and makes a client for it. */
export async function makeRig(
  options: {
    readonly server?: Partial<SynapseServerOptions>;
    readonly client?: Partial<SynapseOptions>;
  } = {},
): Promise<Rig> {
  const world = options.server?.world ?? (await makeWorld());
  const server = await startSynapse({ tokens: { secret: "ada" }, ...options.server, world });
  onTestFinished(() => server.close());
  const http = openHttp();
  const { lines, log } = recordLog();
  const client = makeSynapse({
    endpoint: server.url,
    token: "secret",
    userName: "ada",
    http,
    log,
    policy: QUICK,
    pollMs: { first: 1, max: 10 },
    ...options.client,
  });
  return { server, client, http, world, log: lines, dir: await tempDir() };
}

/** Makes an HTTP client that is closed after the test. */
export function openHttp(options: Parameters<typeof makeHttp>[0] = {}): Http {
  const http = makeHttp(options);
  onTestFinished(() => http.close());
  return http;
}

/** Makes a client that is asked for its own, configured addresses only. */
export function openOwn(options: Parameters<typeof makeHttp>[0] = {}): {
  json(request: Omit<HttpRequest, "endpoint">): ReturnType<Http["json"]>;
  stream(request: Omit<HttpRequest, "endpoint">): ReturnType<Http["stream"]>;
  close(): Promise<void>;
} {
  const http = openHttp(options);
  return {
    json: (request) => http.json({ ...request, endpoint: request.url }),
    stream: (request) => http.stream({ ...request, endpoint: request.url }),
    close: () => http.close(),
  };
}

/** Serves a listener on loopback until the test ends, and returns its address. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function recordLog(): { readonly lines: readonly Line[]; readonly log: Log } {
  const lines: Line[] = [];
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  const [debug, info, warn, error] = ["debug", "info", "warn", "error"].map(write);
  if (!debug || !info || !warn || !error) throw new Error("four levels");
  return { lines, log: { debug, info, warn, error } };
}

/** Waits for a refusal and gives its parts. */
export async function failureOf(
  promise: Promise<unknown>,
): Promise<{ readonly kind: string; readonly message: string; readonly hint: string | null }> {
  const { kind, message, hint } = await refusal(promise);
  return { kind, message, hint };
}

/** Reads an async iterable to its end. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
