// The entities that the look-alike Synapse knows (the view, projects, folders, files), who may see them, and their file handles.

import { createHash } from "node:crypto";
import { join } from "node:path";

import { type Body, MODEL, Refusal } from "./synapseAnswers.ts";
import type { FaultState } from "./synapseFaults.ts";
import { makeMeasure, type ObjectSigner, type StoredObject } from "./synapseObjects.ts";
import type { MadeFolder } from "./synapseStorage.ts";
import { asUuid, type World } from "./worldFiles.ts";

/** What may be asked for as a child, and the class that Synapse says it is of. */
const CHILDREN: Readonly<Record<string, string>> = {
  file: "FileEntity",
  folder: "Folder",
  link: "Link",
};

export interface EntityContext {
  readonly viewId: string;
  readonly pageChildren: number;
  /** Files that queries wrote, by file handle. */
  readonly results: ReadonlyMap<string, StoredObject>;
  readonly signer: ObjectSigner;
  readonly now: () => number;
  readonly faults: () => FaultState;
  /** The server's own address. */
  readonly url: () => string;
  /** Folders that were made since the server started. */
  readonly made: () => readonly MadeFolder[];
}

/** Every method throws Refusal where Synapse would answer with an error. */
export interface Entities {
  entity(world: World, entityId: string, user: string): Body;
  children(world: World, request: Body, user: string): unknown;
  /** Names of everything in a folder or project. */
  childNames(world: World, parentId: string): readonly string[];
  fileHandles(world: World, request: Body, user: string): Promise<unknown>;
  /** The content of a file's handle, null where it has another by now; for files that the world names but does not hold, what its view says, with no path. */
  content(world: World, entityId: string, fileHandleId: string): Promise<StoredObject | null>;
}

const MAX_BATCH = 100;

/** Makes the part of the server that knows entities. */
export function makeEntities(context: EntityContext): Entities {
  const { viewId, pageChildren, results, signer, now } = context;
  const measure = makeMeasure();

  function entityOf(world: World, entityId: string, user: string): Body {
    const made = context.made().find(({ id }) => id === entityId);
    const entity =
      made === undefined
        ? findEntity(world, viewId, entityId)
        : madeBody(world, viewId, context.made(), made);
    if (entity === null) throw new Refusal(404, `Entity ${entityId} does not exist`);
    if (user === "anonymous" || isDenied(entity)) {
      throw new Refusal(
        403,
        `You do not have READ permission for the requested entity, ${entityId}`,
      );
    }
    return entity;
  }

  function isDenied(entity: Body): boolean {
    const denied = context.faults().faults.denied ?? [];
    return [entity["id"], entity["projectId"]].some((id) => denied.includes(String(id)));
  }

  function childrenOf(world: World, body: Body, user: string): unknown {
    const { parentId, nextPageToken, includeTypes } = body;
    if (!Array.isArray(includeTypes) || includeTypes.length === 0) {
      throw new Refusal(400, "EntityChildrenRequest.includeTypes must include at least one type");
    }
    const strange: unknown = includeTypes.find((type) => !Object.hasOwn(CHILDREN, String(type)));
    if (strange !== undefined)
      throw new Refusal(400, `There is no entity type ${JSON.stringify(strange)}`);
    if (entityOf(world, String(parentId), user)["dataFileHandleId"] !== undefined) {
      throw new Refusal(400, `${String(parentId)} is not a container`);
    }
    const all = rowsIn(world, context.made(), String(parentId)).filter((row) =>
      includeTypes.includes(row["type"]),
    );
    const offset = offsetOf(String(parentId), nextPageToken ?? null);
    const page = all.slice(offset, offset + pageChildren).map((row) => {
      return {
        id: row["id"],
        name: row["name"],
        type: `${MODEL}.${CHILDREN[String(row["type"])] ?? ""}`,
        versionNumber: versionOf(row),
        modifiedOn: isoOf(row["modifiedOn"]),
      };
    });
    const end = offset + pageChildren;
    return { page, nextPageToken: end < all.length ? pageToken(String(parentId), end) : null };
  }

  async function fileHandles(world: World, body: Body, user: string): Promise<unknown> {
    const asked = body["requestedFiles"];
    if (!Array.isArray(asked)) throw new Refusal(400, "requestedFiles is required");
    if (asked.length > MAX_BATCH)
      throw new Refusal(400, "At most 100 files can be asked for at once");
    if (user === "anonymous") throw new Refusal(403, "Anonymous cannot download files");
    return {
      requestedFiles: await Promise.all(
        asked.map((item: unknown) => fileHandle(world, item as Body, body)),
      ),
    };
  }

  async function fileHandle(world: World, item: Body, body: Body): Promise<unknown> {
    const fileHandleId = String(item["fileHandleId"]);
    const entityId = String(item["associateObjectId"]);
    const isResult = item["associateObjectType"] === "TableEntity" && entityId === viewId;
    const entity = isResult ? null : findEntity(world, viewId, entityId);
    const isKnown = isResult
      ? results.has(fileHandleId)
      : item["associateObjectType"] === "FileEntity" &&
        entity?.["dataFileHandleId"] === fileHandleId;
    if (!isKnown) return { fileHandleId, failureCode: "NOT_FOUND" };
    const { undownloadable = [] } = context.faults().faults;
    if (undownloadable.includes(entityId) || (entity !== null && isDenied(entity))) {
      return { fileHandleId, failureCode: "UNAUTHORIZED" };
    }
    const route = isResult ? "csvDownload" : "fileDownload";
    const path = isResult ? `/s3/results/${fileHandleId}` : `/s3/files/${entityId}/${fileHandleId}`;
    const external = isResult ? null : externalHandle(world, entityId, fileHandleId);
    if (external !== null) return answerFor(body, fileHandleId, external, external.externalURL);
    const content = isResult ? results.get(fileHandleId) : await contentOf(world, entityId);
    const extra = context.faults().strikes("wrongSize", route) ? 1 : 0;
    const signedAt = now() - (context.faults().strikes("expiredUrls", route) ? 60 * 60_000 : 0);
    const handle = {
      id: fileHandleId,
      concreteType: `${MODEL}.file.S3FileHandle`,
      contentType: "text/csv",
      contentMd5: content?.md5,
      contentSize: (content?.bytes ?? 0) + extra,
      fileName: isResult ? `Job-${fileHandleId}.csv` : entity?.["name"],
    };
    return answerFor(body, fileHandleId, handle, context.url() + signer.sign(path, signedAt));
  }

  /** A file's content; for files that the world names but does not hold, what its view says about it. */
  async function contentOf(world: World, entityId: string): Promise<StoredObject> {
    const path = join(world.dir, "files", `${entityId}.csv`);
    const row = rowOf(world, world.indexOf(entityId) ?? 0);
    const bytes = Number(row["dataFileSizeBytes"] || 0);
    return (await measure(path)) ?? { path: "", bytes, md5: row["dataFileMD5Hex"] ?? "" };
  }

  return {
    entity: entityOf,
    children: childrenOf,
    childNames: (world, parentId) =>
      rowsIn(world, context.made(), parentId).map((row) => row["name"] ?? ""),
    fileHandles,
    async content(world, entityId, fileHandleId) {
      const entity = findEntity(world, viewId, entityId);
      return entity?.["dataFileHandleId"] === fileHandleId ? contentOf(world, entityId) : null;
    },
  };
}

/** What is in a folder, of the world and since. */
function rowsIn(
  world: World,
  all: readonly MadeFolder[],
  parentId: string,
): readonly Readonly<Record<string, string>>[] {
  const made = all.filter((one) => one.parentId === parentId);
  return [
    ...world.childrenOf(parentId).map((index) => rowOf(world, index)),
    ...made.map(({ id, name, createdAt }) => ({
      ...{ id, name, type: "folder", modifiedOn: String(createdAt) },
    })),
  ];
}

/** A folder that was made is of its parent's project. */
function madeBody(
  world: World,
  viewId: string,
  all: readonly MadeFolder[],
  { id, name, parentId, createdAt }: MadeFolder,
): Body {
  const above = all.find((one) => one.id === parentId);
  const parent =
    above === undefined ? findEntity(world, viewId, parentId) : madeBody(world, viewId, all, above);
  return {
    ...entityBody(id, name, "Folder", parentId, `etag-${id}`, String(createdAt)),
    projectId: parent?.["projectId"] ?? parentId,
  };
}

/** A file's part of the answer, as far as it was asked for. */
function answerFor(body: Body, fileHandleId: string, fileHandle: Body, url: string): Body {
  return {
    fileHandleId,
    ...(body["includeFileHandles"] === true ? { fileHandle } : {}),
    ...(body["includePreSignedURLs"] === true ? { preSignedURL: url } : {}),
  };
}

/**
 * The handle of content that Synapse does not store (the world's column "externalURL"); null for what it does. Its address is what somebody
 * wrote down, and nobody signs it; size and MD5 need not be there.
 */
function externalHandle(
  world: World,
  entityId: string,
  id: string,
): (Body & { readonly externalURL: string }) | null {
  const index = world.indexOf(entityId);
  const row = index === null ? {} : rowOf(world, index);
  const { externalURL, name, dataFileMD5Hex: md5, dataFileSizeBytes: bytes } = row;
  if (!externalURL) return null;
  return {
    ...{ id, concreteType: `${MODEL}.file.ExternalFileHandle`, fileName: name, externalURL },
    ...(md5 ? { contentMd5: md5 } : {}),
    ...(bytes ? { contentSize: Number(bytes) } : {}),
  };
}

/** Page tokens mean nothing to clients, and are good for the folder that they were made for. */
function pageToken(parentId: string, offset: number): string {
  return Buffer.from(`${parentId}/${offset}`).toString("base64url");
}

function offsetOf(parentId: string, token: unknown): number {
  if (token === null) return 0;
  const text = typeof token === "string" ? Buffer.from(token, "base64url").toString() : "";
  const offset = Number(text.slice(text.lastIndexOf("/") + 1));
  if (token !== pageToken(parentId, offset)) throw new Refusal(400, "Unknown nextPageToken");
  return offset;
}

/** Worlds need not say how often a file was uploaded. */
function versionOf(row: Readonly<Record<string, string>>): number {
  return Number(row["versionNumber"] || 1);
}

/** Finds what the world holds under an id: its view, a project, a folder or a file. */
function findEntity(world: World, viewId: string, entityId: string): Body | null {
  if (entityId === viewId) {
    return entityBody(viewId, "Master file view", "table.EntityView", null, world.etag);
  }
  const project = world.projects.get(entityId);
  if (project !== undefined) {
    const etag = asUuid(createHash("md5").update(project).digest("hex"));
    return entityBody(entityId, project, "Project", "syn4489", etag);
  }
  const index = world.indexOf(entityId);
  if (index === null) return null;
  const row = rowOf(world, index);
  const etag = asUuid(createHash("md5").update(JSON.stringify(row)).digest("hex"));
  const isFile = row["type"] === "file";
  return {
    ...entityBody(
      entityId,
      row["name"] ?? "",
      isFile ? "FileEntity" : "Folder",
      row["parentId"] ?? null,
      etag,
      row["modifiedOn"],
    ),
    versionNumber: versionOf(row),
    projectId: row["projectId"],
    ...(isFile ? { dataFileHandleId: handleIdOf(row) } : {}),
  };
}

function rowOf(world: World, index: number): Readonly<Record<string, string>> {
  const cells = world.row(index);
  return Object.fromEntries(world.columns.map((column, at) => [column, cells[at] ?? ""]));
}

/** Worlds need not say which handle a file has: then it is told from the entity's own number. */
function handleIdOf(row: Readonly<Record<string, string>>): string {
  return row["dataFileHandleId"] || `9${(row["id"] ?? "").slice(3)}`;
}

function entityBody(
  id: string,
  name: string,
  type: string,
  parentId: string | null,
  etag: string,
  modifiedOn?: string,
): Body {
  const concreteType = `${MODEL}.${type}`;
  return {
    id,
    name,
    concreteType,
    parentId,
    etag,
    modifiedOn: isoOf(modifiedOn),
    versionNumber: 1,
  };
}

/** Entities carry ISO dates where the view carries milliseconds; no date at all is the epoch. */
function isoOf(milliseconds: string | undefined): string {
  const at = Number(milliseconds);
  return new Date(Number.isFinite(at) ? at : 0).toISOString();
}
