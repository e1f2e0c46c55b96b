// What Synapse's answers look like on the wire: each parser takes unknown and gives the part that hdash uses.

import { HdashError } from "../error.ts";
import {
  fieldsOf,
  listField,
  objectField,
  optionalCount,
  optionalText,
  textField,
} from "./fields.ts";
import type { SynapseEntity, SynapseUser } from "./synapseClient.ts";

const MODEL = "org.sagebionetworks.repo.model.table";
export const QUERY_REQUEST = `${MODEL}.QueryBundleRequest`;
export const CSV_REQUEST = `${MODEL}.DownloadFromTableRequest`;
export const NEXT_PAGE = `${MODEL}.QueryNextPageToken`;

/** Parts of a query's answer, to be added up into a partMask. */
export const PART = { rows: 0x1, count: 0x2, lastUpdatedOn: 0x80 } as const;

export type SynapseRow = readonly (string | null)[];

/** One page of a query's rows. `next` is what to ask the page after with; null on the last one. */
export interface QueryPage {
  readonly etag: string | null;
  readonly rows: readonly SynapseRow[];
  readonly next: { readonly entityId: string; readonly token: string } | null;
}

/** A file's content as its handle describes it. Nulls: Synapse does not know (files it does not store). */
export interface FileContent {
  readonly md5: string | null;
  readonly bytes: number | null;
  readonly url: string | null;
}

export interface ChildPage {
  readonly page: readonly { readonly id: string; readonly name: string; readonly type: string }[];
  readonly nextPageToken: string | null;
}

/** Reads who the token belongs to. */
export function readProfile(value: unknown): SynapseUser {
  const profile = fieldsOf(value, "Synapse's user profile");
  return { ownerId: textField(profile, "ownerId"), userName: textField(profile, "userName") };
}

export function readEntity(value: unknown, entityId: string): SynapseEntity {
  const entity = fieldsOf(value, `Synapse's entity ${entityId}`);
  return {
    id: textField(entity, "id"),
    name: textField(entity, "name"),
    parentId: optionalText(entity, "parentId"),
    concreteType: textField(entity, "concreteType"),
    etag: textField(entity, "etag"),
    dataFileHandleId: optionalText(entity, "dataFileHandleId"),
    modifiedOn: textField(entity, "modifiedOn"),
  };
}

/** Reads the token of a job that was started. */
export function readJobToken(value: unknown, subject: string): string {
  return textField(fieldsOf(value, `${subject}'s job`), "token");
}

/** Reads a QueryResultBundle: the first page, and the parts that were asked for beside it. */
export function readQueryBundle(
  value: unknown,
  subject: string,
): QueryPage & { readonly count: number | null; readonly lastUpdatedOn: string | null } {
  const bundle = fieldsOf(value, `${subject}'s answer`);
  return {
    ...readQueryPage(bundle.values["queryResult"], subject),
    count: optionalCount(bundle, "queryCount"),
    lastUpdatedOn: optionalText(bundle, "lastUpdatedOn"),
  };
}

/** Reads a QueryResult: a page after the first, or the one inside a bundle. */
export function readQueryPage(value: unknown, subject: string): QueryPage {
  const result = fieldsOf(value, `${subject}'s page`);
  const set = objectField(result, "queryResults");
  const next = result.values["nextPageToken"] ?? null;
  return {
    etag: optionalText(set, "etag"),
    rows: listField(set, "rows").map((row) => readRow(row, subject)),
    next: next === null ? null : readNextPage(next, subject),
  };
}

function readNextPage(value: unknown, subject: string): NonNullable<QueryPage["next"]> {
  const next = fieldsOf(value, `${subject}'s nextPageToken`);
  return { entityId: textField(next, "entityId"), token: textField(next, "token") };
}

function readRow(value: unknown, subject: string): SynapseRow {
  const row = fieldsOf(value, `${subject}'s row`);
  const values = listField(row, "values");
  if (values.every((item) => item === null || typeof item === "string")) return values;
  throw new HdashError("permanent", `${subject}'s row has a value that is neither text nor null`);
}

/** Reads a DownloadFromTableResult: which file holds the CSV, and the view's etag when it was written. */
export function readCsvResult(
  value: unknown,
  subject: string,
): { readonly etag: string | null; readonly fileHandleId: string } {
  const result = fieldsOf(value, `${subject}'s answer`);
  return {
    etag: optionalText(result, "etag"),
    fileHandleId: textField(result, "resultsFileHandleId"),
  };
}

/** Reads the answer for one file out of a batch. Throws permanent where Synapse says that there is none or that we may not. */
export function readFileContent(
  value: unknown,
  fileHandleId: string,
  entityId: string,
  reader: string,
): FileContent {
  const batch = fieldsOf(value, `the file handles of ${entityId}`);
  const files = listField(batch, "requestedFiles").map((item) =>
    fieldsOf(item, `the file handle of ${entityId}`),
  );
  const file = files.find((item) => item.values["fileHandleId"] === fileHandleId);
  if (file === undefined) {
    throw new HdashError(
      "permanent",
      `Synapse did not answer for file ${fileHandleId} of ${entityId}`,
      { publicly: `Synapse does not say where the content of ${entityId} is`, lacking: entityId },
    );
  }
  const failure = optionalText(file, "failureCode");
  if (failure === "UNAUTHORIZED") {
    throw new HdashError("permanent", `${reader} has no right to download ${entityId}`, {
      hint: `Ask whoever owns ${entityId} to share it with download rights, and check the token's scopes.`,
      publicly: `Synapse does not let hdash download ${entityId}`,
      lacking: entityId,
    });
  }
  if (failure === "NOT_FOUND") {
    throw new HdashError(
      "permanent",
      `${entityId} has no file ${fileHandleId} in Synapse any more`,
      { publicly: `the content of ${entityId} is gone from Synapse`, lacking: entityId },
    );
  }
  if (failure !== null) {
    throw new HdashError("permanent", `Synapse gives no download of ${entityId}: ${failure}`, {
      publicly: `Synapse gives no download of ${entityId}`,
      lacking: entityId,
    });
  }
  const handle = objectField(file, "fileHandle");
  return {
    md5: optionalText(handle, "contentMd5")?.toLowerCase() ?? null,
    bytes: optionalCount(handle, "contentSize"),
    url: optionalText(file, "preSignedURL"),
  };
}

export function readChildPage(value: unknown, parentId: string): ChildPage {
  const answer = fieldsOf(value, `the children of ${parentId}`);
  return {
    page: listField(answer, "page").map((item) => {
      const child = fieldsOf(item, `a child of ${parentId}`);
      return {
        id: textField(child, "id"),
        name: textField(child, "name"),
        type: textField(child, "type"),
      };
    }),
    nextPageToken: optionalText(answer, "nextPageToken"),
  };
}
