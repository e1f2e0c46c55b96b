// A look-alike Synapse: serves a world on disk over the real wire format, with auth, jobs, signed addresses and faults on
// demand. The demo and the tests run the real client against it.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { listen } from "../listen.ts";
import {
  type Answer,
  type Body,
  errorBody,
  jsonHeaders,
  readBody,
  Refusal,
  sendJson,
} from "./synapseAnswers.ts";
import { type Entities, makeEntities } from "./synapseEntities.ts";
import {
  type FaultState,
  makeFaults,
  type Route,
  ROUTES,
  type SynapseFaults,
} from "./synapseFaults.ts";
import { makeJobBoard } from "./synapseJobBoard.ts";
import {
  breakOff,
  makeSigner,
  type ObjectSigner,
  sendObject,
  sendXml,
  type StoredObject,
} from "./synapseObjects.ts";
import { SqlError } from "./synapseSql.ts";
import {
  answerStorage,
  type Caller,
  makeStorage,
  type ReadObject,
  type StorageScene,
} from "./synapseStorage.ts";
import { watchWorld, type World } from "./worldFiles.ts";

export interface SynapseServerOptions {
  /** A folder like the bundled world: atlases.csv, master.csv, files/<entity id>.csv. */
  readonly world: string;
  /** 0 or none: any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Token → user name. Without it, the token "demo" belongs to the user "demo". */
  readonly tokens?: Readonly<Record<string, string>>;
  readonly viewId?: string;
  readonly faults?: SynapseFaults;
  /** How often a job is "PROCESSING" before it is done, and how long it takes at least. */
  readonly jobPolls?: number;
  readonly jobMs?: number;
  /** Rows on a page of a query's result, and children on a page of a folder's. */
  readonly pageRows?: number;
  readonly pageChildren?: number;
  /** Reads what buckets hold that are storage locations; without it there are none. */
  readonly readObject?: ReadObject;
  /** The clock by which signed addresses expire: milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface SynapseServer {
  /** The endpoint, without a slash at the end. */
  readonly url: string;
  /** Requests so far, by route; downloads of entities and of query results apart. */
  readonly requests: Readonly<Record<Route, number>>;
  /** How often a folder, a storage location or a setting was made. */
  readonly changes: number;
  /** The most requests that were under way at one time. */
  readonly peak: number;
  /** Replaces all faults, and counts their occasions from the start. */
  setFaults(faults: SynapseFaults): void;
  /** Serves another folder. Throws usage where it does not hold a world. */
  setWorld(dir: string): Promise<void>;
  close(): Promise<void>;
}

/** Address patterns; the first group is an entity, the second a job's token, or a file handle. */
const PATTERNS: readonly (readonly [Route, "GET" | "POST", RegExp])[] = [
  ["userProfile", "GET", /^\/repo\/v1\/userProfile$/],
  ["children", "POST", /^\/repo\/v1\/entity\/children$/],
  ["entity", "GET", /^\/repo\/v1\/entity\/([^/]+)$/],
  ["queryStart", "POST", /^\/repo\/v1\/entity\/([^/]+)\/table\/query\/async\/start$/],
  ["queryGet", "GET", /^\/repo\/v1\/entity\/([^/]+)\/table\/query\/async\/get\/([^/]+)$/],
  ["nextStart", "POST", /^\/repo\/v1\/entity\/([^/]+)\/table\/query\/nextPage\/async\/start$/],
  ["nextGet", "GET", /^\/repo\/v1\/entity\/([^/]+)\/table\/query\/nextPage\/async\/get\/([^/]+)$/],
  ["csvStart", "POST", /^\/repo\/v1\/entity\/([^/]+)\/table\/download\/csv\/async\/start$/],
  ["csvGet", "GET", /^\/repo\/v1\/entity\/([^/]+)\/table\/download\/csv\/async\/get\/([^/]+)$/],
  ["newFolder", "POST", /^\/repo\/v1\/entity$/],
  ["newLocation", "POST", /^\/repo\/v1\/storageLocation$/],
  ["newSetting", "POST", /^\/repo\/v1\/projectSettings$/],
  ["setting", "GET", /^\/repo\/v1\/projectSettings\/([^/]+)\/type\/upload$/],
  ["sts", "GET", /^\/repo\/v1\/entity\/([^/]+)\/sts$/],
  ["fileHandles", "POST", /^\/file\/v1\/fileHandle\/batch$/],
  ["fileDownload", "GET", /^\/s3\/files\/([^/]+)\/([^/]+)$/],
  ["csvDownload", "GET", /^\/s3\/results\/([^/]+)$/],
];

const FIRST_PRINCIPAL = 3_400_001;

/** Starts the server on loopback. Throws usage where the folder does not hold a world. */
export async function startSynapse(options: SynapseServerOptions): Promise<SynapseServer> {
  const { tokens = { demo: "demo" }, viewId = "syn20446927", host = "127.0.0.1" } = options;
  const { jobPolls = 1, jobMs = 0, pageRows = 5_000, pageChildren = 50, now = Date.now } = options;
  const requests = Object.fromEntries(ROUTES.map((route) => [route, 0])) as Record<Route, number>;
  const results = new Map<string, StoredObject>();
  const signer = makeSigner();
  let watched = watchWorld(options.world);
  await watched.current();
  const scratch = await mkdtemp(join(tmpdir(), "hdash-synapse-"));
  let faultState: FaultState = makeFaults(options.faults ?? {});
  let [underWay, peak] = [0, 0];
  let url = "";
  const shared = { viewId, results, now, faults: () => faultState };
  const { readObject = () => Promise.resolve(null) } = options;
  const storage = makeStorage({ readObject, faults: () => faultState.faults, now });
  const entities = makeEntities({
    ...shared,
    pageChildren,
    signer,
    url: () => url,
    made: () => storage.folders,
  });
  const board = makeJobBoard({ ...shared, pageRows, jobPolls, jobMs, scratch });

  const server = createServer((request, response) => {
    underWay++;
    peak = Math.max(peak, underWay);
    response.on("close", () => underWay--);
    handle(request, response).catch((error: unknown) => sendFailure(response, error));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? "/", url);
    const { route, entityId, token } = routeOf(request.method ?? "", at.pathname);
    requests[route]++;
    if (await meetsTrouble(request, response, faultState, route)) return;
    if (route === "fileDownload" || route === "csvDownload") {
      const strikes = (name: "truncate" | "corrupt") => faultState.strikes(name, route);
      await sendContent(request, response, {
        refusal: () => signer.refusal(at, now()),
        content: () => contentOf(route, entityId, token),
        faults: () => ({ isTruncated: strikes("truncate"), isCorrupt: strikes("corrupt") }),
      });
      return;
    }
    const user = userOf(request, tokens);
    const body = request.method === "POST" ? await readBody(request) : {};
    const permission = at.searchParams.get("permission");
    const caller = { user, ownerId: ownerIdOf(tokens, user) };
    const scene = sceneOf(entities, await watched.current(), caller, faultState.faults);
    const answered =
      (await answerStorage(storage, route, { entityId, permission, body }, scene)) ??
      (await answer(route, user, entityId, token, body));
    await sendAnswer(response, faultState, route, answered);
  }

  async function answer(
    route: Route,
    user: string,
    entityId: string,
    token: string,
    body: Body,
  ): Promise<Answer> {
    const ok = (value: unknown): Answer => ({ status: 200, value });
    if (route === "userProfile") {
      return ok({ ownerId: ownerIdOf(tokens, user), userName: user });
    }
    if (route === "unknown") throw new Refusal(404, "There is nothing at this address");
    const world = await watched.current();
    if (route === "entity") return ok(entities.entity(world, entityId, user));
    if (route === "children") return ok(entities.children(world, body, user));
    if (route === "fileHandles") return ok(await entities.fileHandles(world, body, user));
    if (token !== "") return board.poll(route, entityId, token, user);
    entities.entity(world, entityId, user);
    if (entityId !== viewId) throw new Refusal(400, `${entityId} is not a table or view`);
    return { status: 201, value: { token: board.start(world, route, user, body) } };
  }

  async function contentOf(
    route: Route,
    key: string,
    fileHandleId: string,
  ): Promise<StoredObject | null> {
    if (route === "csvDownload") return results.get(key) ?? null;
    return entities.content(await watched.current(), key, fileHandleId);
  }

  try {
    url = await listen(server, host, options.port ?? 0);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }

  return {
    url,
    requests,
    get changes() {
      return storage.changes;
    },
    get peak() {
      return peak;
    },
    setFaults(faults) {
      faultState = makeFaults(faults);
    },
    async setWorld(dir) {
      const next = watchWorld(dir);
      await next.current();
      watched = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

function routeOf(
  method: string,
  path: string,
): { readonly route: Route; readonly entityId: string; readonly token: string } {
  for (const [route, wanted, pattern] of PATTERNS) {
    const match = method === wanted ? pattern.exec(path) : null;
    if (match === null) continue;
    return { route, entityId: match[1] ?? "", token: decodeURIComponent(match[2] ?? "") };
  }
  return { route: "unknown", entityId: "", token: "" };
}

/** Sends the content of a signed address. */
async function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  of: {
    refusal(): ReturnType<ObjectSigner["refusal"]>;
    content(): Promise<StoredObject | null>;
    faults(): Parameters<typeof sendObject>[3];
  },
): Promise<void> {
  if (request.headers.authorization !== undefined) {
    const message =
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header";
    sendXml(response, 400, "InvalidArgument", message);
    return;
  }
  const refusal = of.refusal();
  if (refusal !== null) {
    sendXml(response, 403, ...refusal);
    return;
  }
  const content = await of.content();
  if (content === null || content.path === "") {
    sendXml(response, 404, "NoSuchKey", "The specified key does not exist.");
    return;
  }
  await sendObject(request, response, content, of.faults());
}

/** Lets a request meet the faults that come before any answer; true where it has had its answer, or never gets one. */
async function meetsTrouble(
  request: IncomingMessage,
  response: ServerResponse,
  state: FaultState,
  route: Route,
): Promise<boolean> {
  const { faults } = state;
  if (state.strikes("slow", route)) await sleep(faults.slow?.delayMs);
  if (state.strikes("reset", route)) {
    request.socket.resetAndDestroy();
    return true;
  }
  if (state.strikes("throttle", route)) {
    const retryAfter = faults.throttle?.retryAfter;
    const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
    sendJson(response, 429, errorBody("Requests are too frequent"), headers);
    return true;
  }
  if (state.strikes("unavailable", route)) {
    sendJson(response, faults.unavailable?.status ?? 503, errorBody("Synapse is down"));
    return true;
  }
  return false;
}

/** Sends an answer, or what faults make of it on its way. */
async function sendAnswer(
  response: ServerResponse,
  state: FaultState,
  route: Route,
  { status, value }: Answer,
): Promise<void> {
  if (state.strikes("garble", route)) {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html><body>We will be back soon</body></html>");
  } else if (state.strikes("truncate", route)) {
    const text = JSON.stringify(value);
    response.writeHead(status, jsonHeaders(text));
    response.write(text.slice(0, text.length / 2));
    await breakOff(response);
  } else if (value === undefined) {
    response.writeHead(status).end();
  } else {
    sendJson(response, status, value);
  }
}

function sendFailure(response: ServerResponse, error: unknown): void {
  if (error instanceof Refusal) sendJson(response, error.status, errorBody(error.message));
  else if (error instanceof SqlError) sendJson(response, 400, errorBody(error.message));
  else if (response.headersSent) response.destroy();
  else sendJson(response, 500, errorBody(String(error)));
}

function sceneOf(
  entities: Entities,
  world: World,
  caller: Caller,
  { noSetting }: SynapseFaults,
): StorageScene {
  const view = {
    entity: (id: string) => entities.entity(world, id, caller.user),
    childNames: (id: string) => entities.childNames(world, id),
  };
  return { view, caller, noSetting };
}

/** Principals are numbered in the order of their tokens. */
function ownerIdOf(tokens: Readonly<Record<string, string>>, user: string): string {
  const users = [...new Set(Object.values(tokens))];
  return user === "anonymous" ? "273950" : String(FIRST_PRINCIPAL + users.indexOf(user));
}

/** Tells who asks. Throws Refusal for a token that nobody has. */
function userOf(request: IncomingMessage, tokens: Readonly<Record<string, string>>): string {
  const header = request.headers.authorization;
  if (header === undefined) return "anonymous";
  const token = /^Bearer (.+)$/.exec(header)?.[1];
  const user = token === undefined || !Object.hasOwn(tokens, token) ? undefined : tokens[token];
  if (user === undefined) throw new Refusal(401, "Invalid access token");
  return user;
}
