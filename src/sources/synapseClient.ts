// What hdash asks of Synapse, as a type; synapse.ts is the implementation over HTTP.

import type { HdashError } from "../error.ts";

/** Who a token belongs to. */
export interface SynapseUser {
  readonly ownerId: string;
  readonly userName: string;
}

export interface SynapseEntity {
  readonly id: string;
  readonly name: string;
  readonly parentId: string | null;
  readonly concreteType: string;
  readonly etag: string;
  readonly dataFileHandleId: string | null;
  /** ISO 8601. */
  readonly modifiedOn: string;
}

/** What lies in a folder or project; `type` ends with ".Folder" or ".FileEntity". */
export interface SynapseChild {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

/** A file entity's content as its file handle describes it now. Nulls: Synapse does not know (files it does not store). */
export interface SynapseFile {
  readonly entityId: string;
  readonly fileHandleId: string;
  readonly md5: string | null;
  readonly bytes: number | null;
}

/** What tells cheaply whether a view (restricted to a WHERE clause) moved. Null: the server does not say. */
export interface ViewState {
  readonly etag: string | null;
  readonly count: number;
  readonly lastUpdatedOn: string | null;
}

export interface SynapseClient {
  /** Throws permanent "the token was not taken" on 401/403 and on an anonymous answer. */
  whoAmI(signal?: AbortSignal): Promise<SynapseUser>;
  /** Throws permanent, telling apart: no such entity (404), no right to read it (403), a wrong token (401). */
  entity(entityId: string, signal?: AbortSignal): Promise<SynapseEntity>;
  /** One small query (count and etag) on a view for one WHERE clause. */
  viewState(viewId: string, where: string, signal?: AbortSignal): Promise<ViewState>;
  /** Rows of a query, page by page (async job, nextPageToken). Values are text or null, in the order of the SELECT. */
  queryRows(
    viewId: string,
    sql: string,
    signal?: AbortSignal,
  ): AsyncIterable<readonly (string | null)[]>;
  /** Whole result of a query as a CSV file written to `path`; size and MD5 are checked. Returns bytes and the view's etag. */
  queryCsv(
    viewId: string,
    sql: string,
    path: string,
    signal?: AbortSignal,
    onBytes?: (bytes: number) => void,
  ): Promise<{ readonly bytes: number; readonly etag: string | null }>;
  /**
   * Downloads a file entity's content to `path`. `md5` is what the view says it is: content with another MD5 is a transient
   * error ("changed while it was read"). Returns its true md5 and size.
   */
  download(
    entityId: string,
    md5: string | null,
    path: string,
    signal?: AbortSignal,
    onBytes?: (bytes: number) => void,
  ): Promise<{ readonly md5: string; readonly bytes: number }>;
  /** All children of a folder or project that are of these types, paged to the end; files and folders, where nothing is said. */
  children(
    parentId: string,
    signal?: AbortSignal,
    types?: readonly ("file" | "folder" | "link")[],
  ): AsyncIterable<SynapseChild>;
  /** Describes the contents of file entities, in their order; an error stands for one of which that could not be had, and it alone. */
  files(
    entityIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (SynapseFile | HdashError)[]>;
  /**
   * Describes the content of one, and says where it is: an address that is good for minutes, or one that the file's owner wrote down, which
   * whyRefused() has to be asked about; null where Synapse gives none.
   */
  locate(
    entityId: string,
    signal?: AbortSignal,
  ): Promise<SynapseFile & { readonly url: string | null }>;
}

/** Quotes a value for Synapse SQL: single quotes, doubled inside. */
export function sqlString(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
