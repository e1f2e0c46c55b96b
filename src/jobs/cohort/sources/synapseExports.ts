// A project or folder of Synapse as a source of exports: below it a folder named as the namespace, in it folders (cohorts) of files
// (exports). Bytes come from the signed address of a file's handle, in ranges.

import { HdashError } from "../../../error.ts";
import { oneLine } from "../../../format.ts";
import { type RangeSource, steadySource } from "../../../formats/rangeSource.ts";
import type { OnRetry, RetryPolicy } from "../../../retry.ts";
import { type Http, HttpError, type HttpStream } from "../../../sources/http.ts";
import { type Address, makeAddress, openAddress } from "../../../sources/redirects.ts";
import type { SynapseClient, SynapseFile } from "../../../sources/synapseClient.ts";
import type { FoundExport, ListedObject, Refusal } from "../data/catalog.ts";
import { type ExportSource, moved } from "./exports.ts";

export interface SynapseExportsOptions {
  readonly client: SynapseClient;
  /** For addresses that Synapse names; it asks only those that may be asked. */
  readonly http: Http;
  /** Where Synapse is: what of the addresses is not there gets no credentials, and has to be public. */
  readonly endpoint: string;
  /** The project or folder. */
  readonly rootId: string;
  readonly namespace: string;
  readonly policy: RetryPolicy;
  readonly onRetry?: OnRetry;
}

/** A file below the namespace, or what is listed with files and is none. */
interface Found {
  readonly key: string;
  readonly entityId: string;
  readonly refused?: Refusal;
}

/** The version of what cannot be had now: it is listed, so that it is read, which says what is wrong with it, and with it alone. */
const UNREADABLE = "unreadable";

/** A file that has another content than was listed. Trying again would not bring that back. */
class Replaced extends HdashError {
  constructor(key: string) {
    super("permanent", `export ${oneLine(key)} was replaced`);
    this.name = "Replaced";
  }
}

/** Opens the exports of a namespace in Synapse; nothing is asked yet. */
export function synapseExports(options: SynapseExportsOptions): ExportSource {
  const { client, rootId, namespace } = options;
  /** Key → entity, as it was listed last. */
  let known: ReadonlyMap<string, string> = new Map();

  async function find(signal: AbortSignal): Promise<readonly Found[]> {
    const folder = await folderNamed(client, rootId, namespace, signal);
    // A namespace that nobody has sent anything of is empty.
    const found = folder === null ? [] : await walk(client, folder, "", signal);
    known = new Map(found.map(({ key, entityId }) => [key, entityId]));
    return found;
  }

  return {
    label: `synapse:${rootId}/${namespace}`,
    async list(signal) {
      const found = await find(signal);
      const ids = found.flatMap(({ entityId, refused }) => (refused ? [] : [entityId]));
      const files = await client.files(ids, signal);
      const byId = new Map(ids.map((id, at) => [id, files[at]]));
      return found.map(({ key, entityId, refused }) => {
        if (refused !== undefined) return { key, bytes: 0, etag: "", refused };
        const file = byId.get(entityId);
        const isKnown = file !== undefined && !(file instanceof HdashError) && file.bytes !== null;
        return isKnown
          ? { key, bytes: file.bytes ?? 0, etag: versionOf(file) }
          : { key, bytes: 0, etag: UNREADABLE };
      });
    },
    async open(found, signal) {
      // Whoever opens need not be who listed.
      if (!known.has(found.key)) await find(signal);
      const entityId = known.get(found.key);
      if (entityId === undefined) throw moved(found.key);
      return openFile(options, entityId, found, signal);
    },
    close: () => Promise.resolve(),
  };
}

/** What tells contents apart: the MD5. Without one, the file handle, which another upload does not have. */
function versionOf({ md5, fileHandleId }: SynapseFile): string {
  return md5 ?? `file handle ${fileHandleId}`;
}

async function folderNamed(
  client: SynapseClient,
  parentId: string,
  wanted: string,
  signal: AbortSignal,
): Promise<string | null> {
  for await (const { id, name, type } of client.children(parentId, signal)) {
    if (name === wanted && type.endsWith(".Folder")) return id;
  }
  return null;
}

/** A link in the place of a file or folder would else go without a word. */
const WITH_LINKS = ["file", "folder", "link"] as const;
const SLASHED: Refusal = { outcome: "bad_name", why: "its name has a slash" };
const LINK: Refusal = { outcome: "no_file", why: "it is a link, which is not followed" };

/** All files below a folder, by their names as they are; where they lie decides later what they count as. */
async function walk(
  client: SynapseClient,
  folderId: string,
  below: string,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const files: Found[] = [];
  const folders: { readonly id: string; readonly below: string }[] = [];
  for await (const { id, name, type } of client.children(folderId, signal, WITH_LINKS)) {
    const key = `${below}${name.replaceAll("/", "\\x2f")}`;
    // Synapse has no such names; one with a slash would be taken for a folder's file.
    if (name.includes("/")) files.push({ key, entityId: id, refused: SLASHED });
    else if (type.endsWith(".Folder")) folders.push({ id, below: `${key}/` });
    else if (type.endsWith(".Link")) files.push({ key, entityId: id, refused: LINK });
    else files.push({ key, entityId: id });
  }
  const inFolders = await Promise.all(
    folders.map((folder) => walk(client, folder.id, folder.below, signal)),
  );
  return [...files, ...inFolders.flat()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Opens one export: asks at once where it is, so that what cannot be had is told before anything is read of it. */
async function openFile(
  options: SynapseExportsOptions,
  entityId: string,
  { key, bytes, etag }: Pick<FoundExport, keyof ListedObject>,
  signal: AbortSignal,
): Promise<RangeSource> {
  const { client, policy, onRetry } = options;
  const subject = `export ${oneLine(key)} (${entityId} in Synapse)`;

  async function locate(asking: AbortSignal): Promise<string> {
    const { url, ...file } = await client.locate(entityId, asking);
    if (file.bytes === null) {
      throw new HdashError("permanent", `${subject}: Synapse does not say how long it is`, {
        hint: "Its content is stored elsewhere. Upload it to Synapse itself, or to a bucket that belongs to it.",
        lacking: entityId,
      });
    }
    if (versionOf(file) !== etag || file.bytes !== bytes) throw new Replaced(key);
    if (url !== null) return url;
    throw new HdashError("permanent", `${subject}: Synapse gives no address for its content`, {
      lacking: entityId,
    });
  }

  /** Errors of this file's own, for whoever reads. */
  async function told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof Replaced ? moved(key) : error;
    }
  }

  const address = makeAddress(locate);
  address.origin = await told(() => locate(signal));
  const tried: RangeSource = {
    bytes,
    read: (from, to, reading) => readOnce({ options, address, subject, bytes }, from, to, reading),
  };
  const steady = steadySource(tried, {
    ...{ subject, policy },
    ...(onRetry === undefined ? {} : { onRetry }),
  });
  return {
    bytes,
    async *read(from, to, reading) {
      const pieces = steady.read(from, to, reading)[Symbol.asyncIterator]();
      try {
        for (;;) {
          const next = await told(() => pieces.next());
          if (next.done === true) return;
          yield next.value;
        }
      } finally {
        await pieces.return?.();
      }
    },
  };
}

/** A file on its way. */
interface Reading {
  readonly options: SynapseExportsOptions;
  readonly address: Address;
  readonly subject: string;
  readonly bytes: number;
}

/** Reads a range by one request; a signed address that has expired is asked for anew. */
async function* readOnce(
  reading: Reading,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { options, address, subject, bytes } = reading;
  const { http, policy, endpoint } = options;
  const headers = { range: `bytes=${from}-${to - 1}` };
  let answer: HttpStream;
  try {
    answer = await openAddress({ http, policy }, address, { subject, endpoint, headers, signal });
  } catch (error) {
    const isGone = error instanceof HttpError && (error.status === 404 || error.status === 410);
    if (!isGone) throw error;
    const refused = address.asked;
    address.forget();
    // Where the file has another content by now, that is why; where the same was uploaded anew, it lies elsewhere.
    address.origin = await address.locate(signal);
    if (placeOf(address.origin) === placeOf(refused ?? "")) throw error;
    throw new HdashError("transient", error.message, { cause: error });
  }
  const what = problemOf(answer, from, to, bytes);
  if (what === null) {
    yield* answer.body;
    return;
  }
  answer.discard();
  await address.locate(signal);
  throw new HdashError("permanent", `${subject}: ${what}`);
}

/** An address without its signature. */
function placeOf(address: string): string {
  return address.replace(/\?.*$/, "");
}

/** Says why an answer is not the range that was asked for; null where it is. */
function problemOf(answer: HttpStream, from: number, to: number, bytes: number): string | null {
  const { status } = answer;
  if (status === 416) return `the store has no bytes ${from}-${to - 1}, of ${bytes} that it should`;
  if (status === 206) {
    const range = answer.header("content-range") ?? "";
    const isIt = [`bytes ${from}-${to - 1}/${bytes}`, `bytes ${from}-${to - 1}/*`].includes(range);
    return isIt ? null : `the store sent other bytes than ${from}-${to - 1} of ${bytes}`;
  }
  const length = answer.header("content-length");
  const isWhole = from === 0 && to === bytes && (length === null || Number(length) === bytes);
  return isWhole ? null : "the store gives no part of it";
}
