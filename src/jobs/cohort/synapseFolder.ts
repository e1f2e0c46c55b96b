// A folder of Synapse that leads to one of the places: owner.txt there, the storage location, and the folder that is set to it. What is there
// already as it should be stays as it is.

import { HdashError } from "../../error.ts";
import { count, list, quoted } from "../../format.ts";
import { HttpError } from "../../sources/http.ts";
import type { SynapseClient, SynapseUser } from "../../sources/synapseClient.ts";
import type { BucketPlace, SynapseStorage } from "../../sources/synapseStorage.ts";
import type { Bucket } from "../../store/bucket.ts";

/** Which folder is meant: one that is there, or one by its name, which is made where it is not there. */
export type WantedFolder =
  { readonly id: string } | { readonly parentId: string; readonly name: string };

export interface FolderRequest {
  readonly folder: WantedFolder;
  /** What it is to lead to. */
  readonly place: BucketPlace;
  /** Where owner.txt of that is: a bucket, and the key in it. */
  readonly owner: { readonly bucket: Bucket; readonly key: string };
  /** Ids or names of principals that owner.txt names besides the one that asks. */
  readonly owners: readonly string[];
}

export interface FolderOutcome {
  readonly folderId: string;
  readonly locationId: number;
  /** Principals that were added to owner.txt. */
  readonly added: readonly string[];
  readonly isMade: boolean;
  readonly isSet: boolean;
}

type Client = Pick<SynapseClient, "whoAmI" | "entity" | "children">;

const TEXT_OBJECT = { contentType: "text/plain; charset=utf-8", cacheControl: "no-cache" } as const;
/** A longer one is no list of owners. */
const MOST_OWNER_BYTES = 65_536;

/**
 * Sees to it that a folder leads to a place. Everything that can be wrong with the folder is looked at before anything is written; each step
 * is left out where it is done. Throws usage where the folder cannot be used, permanent where Synapse or the bucket refuses.
 */
export async function leadFolder(
  client: Client,
  storage: SynapseStorage,
  request: FolderRequest,
  signal: AbortSignal,
): Promise<FolderOutcome> {
  const { place, owner } = request;
  const me = await client.whoAmI(signal);
  const found = await findFolder(client, request.folder, signal);
  const set = found === null ? null : await checkFolder(client, storage, found, place, signal);
  const added = await nameOwners(owner, me, request.owners, signal);
  // Somebody else's location for the same place is as good.
  const locationId = set?.[0] ?? (await storage.makeLocation(place, signal));
  const folderId = found ?? (await makeFolder(client, storage, request.folder, signal));
  if (set === null) await storage.setLocation(folderId, locationId, signal);
  await checkCredentials(storage, folderId, place, signal);
  return { folderId, locationId, added, isMade: found === null, isSet: set === null };
}

/** Finds the folder; null where it has to be made. */
async function findFolder(
  client: Client,
  wanted: WantedFolder,
  signal: AbortSignal,
): Promise<string | null> {
  if ("id" in wanted) {
    const kind = kindOf((await client.entity(wanted.id, signal)).concreteType);
    if (kind === "Folder") return wanted.id;
    throw new HdashError("usage", `--folder is ${wanted.id}, which is no folder: it is a ${kind}`);
  }
  const { parentId, name } = wanted;
  const kind = kindOf((await client.entity(parentId, signal)).concreteType);
  if (kind !== "Folder" && kind !== "Project") {
    throw new HdashError(
      "usage",
      `--parent is ${parentId}, which is neither a project nor a folder: it is a ${kind}`,
    );
  }
  for await (const child of client.children(parentId, signal, ["file", "folder", "link"])) {
    if (child.name !== name) continue;
    if (kindOf(child.type) === "Folder") return child.id;
    throw new HdashError(
      "usage",
      `--name is ${quoted(name)}, and ${parentId} has something else of that name: ${child.id}, a ${kindOf(child.type)}`,
    );
  }
  return null;
}

/** Looks whether a folder can lead to the place; gives the locations that it is set to already, null where it is set to none. */
async function checkFolder(
  client: Client,
  storage: SynapseStorage,
  folderId: string,
  place: BucketPlace,
  signal: AbortSignal,
): Promise<readonly number[] | null> {
  const set = await storage.uploadLocations(folderId, signal);
  if (set !== null && set.length > 0) {
    await checkCredentials(storage, folderId, place, signal);
    return set;
  }
  let held = 0;
  for await (const _child of client.children(folderId, signal, ["file", "folder", "link"])) held++;
  if (held === 0) return null;
  const things = count(held, "thing");
  throw new HdashError(
    "usage",
    `${folderId} is not empty: it has ${things} in it, and Synapse sets only an empty folder to a bucket`,
    { hint: "Name an empty folder, or have one made by --parent and --name." },
  );
}

/** Looks whether a folder leads to the place and to no other. */
async function checkCredentials(
  storage: SynapseStorage,
  folderId: string,
  place: BucketPlace,
  signal: AbortSignal,
): Promise<void> {
  const to = await storage.credentialsFor(folderId, signal);
  if (to.bucket === place.bucket && to.baseKey === place.baseKey) return;
  throw new HdashError(
    "usage",
    `${folderId} leads to ${addressOf(to)} already, and not to ${addressOf(place)}`,
    { hint: "A folder that is set stays so: name another one, or have one made." },
  );
}

/** Sees to it that owner.txt names whoever asks, and the others; gives those that it did not name before. */
async function nameOwners(
  { bucket, key }: FolderRequest["owner"],
  { ownerId, userName }: SynapseUser,
  others: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const what = `${bucket.uri}/${key}`;
  const head = await bucket.head(key, signal);
  if (head !== null && head.bytes > MOST_OWNER_BYTES) {
    throw new HdashError(
      "usage",
      `${what} is no list of owners: it has ${count(head.bytes, "byte")}`,
      {
        hint: "Look at what lies there, and remove it if nobody needs it.",
      },
    );
  }
  const bytes = head === null ? null : await bucket.get(key, signal);
  const named = Buffer.from(bytes ?? "")
    .toString()
    .split(/[\n,]/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const isNamed = named.includes(ownerId) || named.includes(userName);
  const wanted = [...(isNamed ? [] : [ownerId]), ...others];
  const added = [...new Set(wanted)].filter((name) => !named.includes(name));
  if (added.length === 0) return [];
  try {
    await bucket.put(key, Buffer.from([...named, ...added].join(",")), TEXT_OBJECT, signal);
  } catch (error) {
    if (!(error instanceof HdashError) || error.kind === "aborted") throw error;
    throw new HdashError(error.kind, `${what} cannot be written: ${error.message}`, {
      cause: error,
      hint: `It has to name ${list(added)}; whoever may write there can put it: one line, names separated by commas.`,
    });
  }
  return added;
}

/** Makes the folder, or finds the one that somebody has made meanwhile. */
async function makeFolder(
  client: Client,
  storage: SynapseStorage,
  wanted: WantedFolder,
  signal: AbortSignal,
): Promise<string> {
  if ("id" in wanted) return wanted.id;
  try {
    return await storage.makeFolder(wanted.parentId, wanted.name, signal);
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 409) throw error;
    const found = await findFolder(client, wanted, signal);
    if (found === null) throw error;
    return found;
  }
}

function kindOf(concreteType: string): string {
  return concreteType.slice(concreteType.lastIndexOf(".") + 1);
}

function addressOf({ bucket, baseKey }: BucketPlace): string {
  return `s3://${bucket}/${baseKey}`;
}
