// What every request to a bucket of S3 shares: the client, patience, and how keys and etags are written.

import type { S3Client } from "@aws-sdk/client-s3";

import type { Log } from "../log.ts";

/** A bucket and how it is talked to. */
export interface OpenedS3 {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly uri: string;
  readonly log: Log;
  /** Does one operation with patience; `what` names it and its object. */
  call<T>(what: string, signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T>;
}

export function sending(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** ETags come in quotes, except where a store forgets them. */
export function unquote(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}

export function decodeKey(key: string, encoding: string | undefined): string {
  return encoding === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key;
}
