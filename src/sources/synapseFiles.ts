// Files out of Synapse: from a file handle to a signed address to bytes on disk, resumed when they stop and checked when
// they are all there. Memory stays at one piece of the body, whatever the size of the file.

import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

import { HdashError, messageOf } from "../error.ts";
import { bytes as inBytes } from "../format.ts";
import { retry } from "../retry.ts";
import { HttpError, type HttpStream, isExpiry } from "./http.ts";
import { RefusedAddress } from "./reach.ts";
import type { SynapseContext } from "./synapseCalls.ts";
import { type HandleOf, locateHandle } from "./synapseContents.ts";
import type { FileContent } from "./synapseWire.ts";

/** Signed addresses live for 15 minutes; three of them are more than any file that hdash reads should need. */
const MAX_RENEWALS = 3;

export interface FileRequest extends HandleOf {
  readonly subject: string;
  /** What the content's MD5 must be, or null. Another one is a transient error: the file changed, or the view is behind. */
  readonly md5: string | null;
  readonly path: string;
  /** What it may be long at most: whoever uploads a file chooses its length, and one that comes piece by piece need not say it. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** A download under way; what arrived is kept across attempts. */
interface Transfer {
  readonly file: FileHandle;
  hash: ReturnType<typeof createHash>;
  received: number;
  content: FileContent;
  renewals: number;
}

/** Downloads a file to `path`, which appears only when its size and MD5 are right. */
export async function downloadFile(
  context: SynapseContext,
  request: FileRequest,
): Promise<{ readonly md5: string; readonly bytes: number }> {
  return context.downloads(async () => {
    const content = await locate(context, request);
    const part = `${request.path}.part`;
    try {
      const result = await fetchTo(context, request, content, part);
      await onDisk(part, () => rename(part, request.path));
      return result;
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  });
}

/** Asks where the content is now, and compares what the handle says about it with what the view said. */
async function locate(context: SynapseContext, request: FileRequest): Promise<FileContent> {
  const { entityId, md5, signal } = request;
  const content = await locateHandle(context, request, signal);
  if (content.bytes !== null && content.bytes > request.maxBytes) {
    throw tooLong(request, `its file handle says ${content.bytes} bytes`);
  }
  if (md5 !== null && content.md5 !== null && content.md5 !== md5) {
    throw new HdashError(
      "transient",
      `the view says that ${entityId} has MD5 ${md5}, but its file has ${content.md5}`,
      {
        hint: "The file was replaced, and the view has not noticed yet. It usually does within minutes.",
        publicly: `its content is not what the file view says: ${entityId} was replaced, and the view is behind`,
        lacking: entityId,
      },
    );
  }
  return content;
}

async function fetchTo(
  context: SynapseContext,
  request: FileRequest,
  content: FileContent,
  part: string,
): Promise<{ readonly md5: string; readonly bytes: number }> {
  const file = await onDisk(part, () => open(part, "w"));
  const transfer: Transfer = { file, hash: createHash("md5"), received: 0, content, renewals: 0 };
  try {
    return await retry(
      request.subject,
      context.policy,
      async () => {
        if (transfer.received === 0 || transfer.received !== transfer.content.bytes) {
          await receive(context, request, transfer);
        }
        return check(request, transfer);
      },
      { signal: request.signal, onRetry: context.onRetry },
    );
  } finally {
    await file.close();
  }
}

/** Takes in what the server sends, from where the last attempt stopped if the server can do that. */
async function receive(
  context: SynapseContext,
  request: FileRequest,
  transfer: Transfer,
): Promise<void> {
  const answer = await openContent(context, request, transfer);
  if (answer.status === 206) {
    const start = /^bytes (\d+)-/.exec(answer.header("content-range") ?? "")?.[1];
    if (Number(start) !== transfer.received) {
      answer.discard();
      startOver(transfer);
      throw new HdashError("transient", `${request.subject}: the server sent another range`);
    }
  } else {
    startOver(transfer);
  }
  for await (const piece of answer.body) {
    // Leaving the loop ends the answer.
    if (transfer.received + piece.length > request.maxBytes) {
      throw tooLong(request, `the content goes on after ${transfer.received} bytes`);
    }
    await onDisk(request.path, () => writeAll(transfer.file, piece, transfer.received));
    transfer.hash.update(piece);
    transfer.received += piece.length;
    request.onBytes?.(transfer.received);
    const size = transfer.content.bytes;
    if (size !== null && transfer.received > size) break;
  }
}

/** Opens the signed address, without our token; where it has expired, asks for a new one. */
async function openContent(
  context: SynapseContext,
  request: FileRequest,
  transfer: Transfer,
): Promise<HttpStream> {
  for (;;) {
    const { url, bytes } = transfer.content;
    if (url === null) {
      throw new HdashError(
        "permanent",
        `Synapse gives no address for the file of ${request.entityId}: it may be stored elsewhere`,
        {
          publicly: `the content of ${request.entityId} is not stored where Synapse can give it out`,
          lacking: request.entityId,
        },
      );
    }
    // Only a file whose size is known can be resumed: else nobody could tell "all of it" from "more to come".
    const isResumed = bytes !== null && transfer.received > 0;
    const headers: Record<string, string> = isResumed
      ? { range: `bytes=${transfer.received}-` }
      : {};
    try {
      return await context.http.stream({
        subject: request.subject,
        url,
        endpoint: context.endpoint,
        headers,
        signal: request.signal,
      });
    } catch (error) {
      if (error instanceof RefusedAddress) throw notAsked(request, error);
      if (!(error instanceof HttpError)) throw error;
      if (error.status === 416 && isResumed) {
        // The server has no more than what we have: the file handle and the content disagree, so nothing here is certain.
        const had = transfer.received;
        startOver(transfer);
        const message = `${request.subject}: the content ends at ${had} of ${bytes} bytes`;
        throw new HdashError("transient", message, {
          cause: error,
          ...shorter(request, had, bytes),
        });
      }
      if (!isExpiry(error)) throw notThere(request, error);
      if (transfer.renewals >= MAX_RENEWALS) {
        throw new HdashError(
          "permanent",
          `${request.subject}: ${MAX_RENEWALS + 1} signed addresses in a row were refused (${error.reason ?? error.status})`,
          {
            cause: error,
            publicly: `the store does not give out the content of ${request.entityId}`,
            lacking: request.entityId,
          },
        );
      }
      transfer.renewals++;
      transfer.content = await locate(context, request);
    }
  }
}

/** Says of an address that is not asked whose it is: whoever may edit a project can have Synapse hand out any. */
function notAsked({ entityId }: FileRequest, error: RefusedAddress): HdashError {
  return new HdashError("permanent", error.message, {
    cause: error,
    publicly: `the content of ${entityId} is stored elsewhere, at an address that is not asked: ${error.why}`,
    lacking: entityId,
  });
}

function tooLong({ subject, entityId, maxBytes }: FileRequest, says: string): HdashError {
  const most = `${inBytes(maxBytes)} are read at most`;
  return new HdashError("permanent", `${subject}: ${says}, of which ${most}`, {
    publicly: `the content of ${entityId} is too long: ${most}`,
    lacking: entityId,
  });
}

/** Says of an answer that will stay the same that it is about this content; everything else may be about the store. */
function notThere({ entityId }: FileRequest, error: HttpError): HdashError {
  if (error.kind === "transient") return error;
  const isGone = error.status === 404 || error.status === 410;
  return new HdashError("permanent", error.message, {
    cause: error,
    publicly: isGone
      ? `the content of ${entityId} is gone from Synapse`
      : `the store does not give out the content of ${entityId}`,
    lacking: entityId,
  });
}

/** Says of content that ends early what may be published: it is this manifest's trouble, and not the service's. */
function shorter({ entityId }: FileRequest, received: number, bytes: number | null) {
  return {
    publicly: `its content is shorter than Synapse says: ${entityId} came with ${received} of ${bytes} bytes`,
    lacking: entityId,
  };
}

async function check(
  request: FileRequest,
  transfer: Transfer,
): Promise<{ readonly md5: string; readonly bytes: number }> {
  const { subject, entityId } = request;
  const { content, received } = transfer;
  if (content.bytes !== null && received < content.bytes) {
    throw new HdashError(
      "transient",
      `${subject}: the body ended after ${received} of ${content.bytes} bytes`,
      {
        ...shorter(request, received, content.bytes),
      },
    );
  }
  const md5 = transfer.hash.copy().digest("hex");
  const expected = content.md5 ?? request.md5;
  const isTooLong = content.bytes !== null && received > content.bytes;
  if (isTooLong || (expected !== null && md5 !== expected)) {
    startOver(transfer);
    const what = isTooLong
      ? `more than the ${content.bytes} bytes that its file handle says`
      : `content with MD5 ${md5} instead of ${expected}`;
    throw new HdashError("transient", `${subject}: the server sent ${what} for ${entityId}`, {
      publicly: `its content is not what Synapse says: ${entityId} came with another MD5 or size`,
      lacking: entityId,
    });
  }
  await onDisk(request.path, () => transfer.file.truncate(received));
  return { md5, bytes: received };
}

function startOver(transfer: Transfer): void {
  transfer.received = 0;
  transfer.hash = createHash("md5");
}

async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, position + done);
    done += bytesWritten;
  }
}

/** Does something on disk; what fails there (no space, no right) will not pass by itself. */
async function onDisk<T>(path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw new HdashError("permanent", `cannot write ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
