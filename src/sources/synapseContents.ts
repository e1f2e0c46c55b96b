// What Synapse knows of the contents of files, without their bytes: an entity leads to its file handle, that to MD5, size and address.

import { HdashError, lackingOf } from "../error.ts";
import { count } from "../format.ts";
import { callSynapse, type SynapseContext } from "./synapseCalls.ts";
import type { SynapseEntity, SynapseFile } from "./synapseClient.ts";
import { type FileContent, readEntity, readFileContent } from "./synapseWire.ts";

/** So many file handles are asked for at a time at most. */
const MAX_BATCH = 100;

/** Which file handle, and of what. */
export interface HandleOf {
  readonly fileHandleId: string;
  readonly entityId: string;
  readonly kind: "FileEntity" | "TableEntity";
}

/** Asks for an entity. */
export async function getEntity(
  context: SynapseContext,
  entityId: string,
  signal: AbortSignal | undefined,
): Promise<SynapseEntity> {
  const { value } = await callSynapse(context, {
    subject: `Synapse entity ${entityId}`,
    method: "GET",
    path: `/repo/v1/entity/${encodeURIComponent(entityId)}`,
    entityId,
    signal,
  });
  return readEntity(value, entityId);
}

/** Asks which file handle a file entity has. Throws permanent where it is no file. */
export async function handleOf(
  context: SynapseContext,
  entityId: string,
  signal: AbortSignal | undefined,
): Promise<HandleOf> {
  const { dataFileHandleId, concreteType } = await getEntity(context, entityId, signal);
  if (dataFileHandleId !== null) {
    return { entityId, fileHandleId: dataFileHandleId, kind: "FileEntity" };
  }
  const type = concreteType.slice(concreteType.lastIndexOf(".") + 1);
  throw new HdashError("permanent", `${entityId} has no content to download: it is a ${type}`, {
    publicly: `${entityId} has no content in Synapse`,
    lacking: entityId,
  });
}

/** Asks what a file handle says, and where its content is now. */
export async function locateHandle(
  context: SynapseContext,
  handle: HandleOf,
  signal: AbortSignal | undefined,
): Promise<FileContent> {
  const { fileHandleId, entityId } = handle;
  const value = await askHandles(context, [handle], true, signal);
  return readFileContent(value, fileHandleId, entityId, context.reader);
}

/** Describes the contents of file entities, in their order; an error stands for one of which that could not be had, and it alone. */
export async function listContents(
  context: SynapseContext,
  entityIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly (SynapseFile | HdashError)[]> {
  const handles = await Promise.all(
    entityIds.map((entityId) => orLacking(() => handleOf(context, entityId, signal))),
  );
  const known = handles.filter((handle) => !(handle instanceof HdashError));
  const found = new Map<string, SynapseFile | HdashError>();
  for (let at = 0; at < known.length; at += MAX_BATCH) {
    const batch = known.slice(at, at + MAX_BATCH);
    const value = await askHandles(context, batch, false, signal);
    for (const { fileHandleId, entityId } of batch) {
      const file = await orLacking(async () => {
        const { md5, bytes } = readFileContent(value, fileHandleId, entityId, context.reader);
        return { entityId, fileHandleId, md5, bytes };
      });
      found.set(entityId, file);
    }
  }
  return handles.flatMap((handle) =>
    handle instanceof HdashError ? [handle] : (found.get(handle.entityId) ?? []),
  );
}

/** What was refused for the one thing that was asked about is a value; everything else says something of all the others, too. */
async function orLacking<T>(ask: () => Promise<T>): Promise<T | HdashError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HdashError && lackingOf(error) !== null) return error;
    throw error;
  }
}

async function askHandles(
  context: SynapseContext,
  handles: readonly HandleOf[],
  isWithUrls: boolean,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const [first] = handles;
  const isOne = handles.length === 1 && first !== undefined;
  const { value } = await callSynapse(context, {
    subject: isOne
      ? `Synapse file handle of ${first.entityId}`
      : `Synapse file handles of ${count(handles.length, "file")}`,
    method: "POST",
    path: "/file/v1/fileHandle/batch",
    json: {
      requestedFiles: handles.map(({ fileHandleId, entityId, kind }) => {
        return { fileHandleId, associateObjectId: entityId, associateObjectType: kind };
      }),
      includeFileHandles: true,
      includePreSignedURLs: isWithUrls,
    },
    ...(isOne ? { entityId: first.entityId } : {}),
    signal,
  });
  return value;
}
