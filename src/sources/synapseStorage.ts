// Where Synapse keeps what folders hold: a bucket of one's own as a storage location, and the folder that leads to it. Credentials for it are
// asked for and never read: only which bucket they would be for.

import { HdashError } from "../error.ts";
import { fieldsOf, listField, optionalText, textField } from "./fields.ts";
import { HttpError } from "./http.ts";
import { contextOf, type SynapseOptions } from "./synapse.ts";
import { callSynapse, type SynapseContext } from "./synapseCalls.ts";

const MODEL = "org.sagebionetworks.repo.model";

/** A part of a bucket: what lies below the base key, which has no slash at either end. */
export interface BucketPlace {
  readonly bucket: string;
  readonly baseKey: string;
}

/** All methods throw permanent where Synapse refuses, with its reason. */
export interface SynapseStorage {
  /** Makes a folder and gives its id; that of the folder that is there where somebody was faster is for the caller to find (HttpError 409). */
  makeFolder(parentId: string, name: string, signal?: AbortSignal): Promise<string>;
  /** The storage locations that a folder itself is set to; null where nobody has set any. */
  uploadLocations(folderId: string, signal?: AbortSignal): Promise<readonly number[] | null>;
  /** Makes an STS-enabled location, or finds the same one again; gives its id. */
  makeLocation(place: BucketPlace, signal?: AbortSignal): Promise<number>;
  /** Sets a folder that is empty to a location. */
  setLocation(folderId: string, locationId: number, signal?: AbortSignal): Promise<void>;
  /** Which part of which bucket a folder's temporary credentials are for. */
  credentialsFor(folderId: string, signal?: AbortSignal): Promise<BucketPlace>;
}

/** Makes that part of the client. */
export function makeSynapseStorage(options: SynapseOptions): SynapseStorage {
  const context = contextOf(options);
  return {
    makeFolder: (parentId, name, signal) => makeFolder(context, parentId, name, signal),
    uploadLocations: (folderId, signal) => uploadLocations(context, folderId, signal),
    makeLocation: (place, signal) => makeLocation(context, place, signal),
    setLocation: (folderId, locationId, signal) =>
      setLocation(context, folderId, locationId, signal),
    credentialsFor: (folderId, signal) => credentialsFor(context, folderId, signal),
  };
}

async function makeFolder(
  context: SynapseContext,
  parentId: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { value } = await callSynapse(context, {
    subject: `Synapse folder in ${parentId}`,
    method: "POST",
    path: "/repo/v1/entity",
    json: { concreteType: `${MODEL}.Folder`, name, parentId },
    entityId: parentId,
    right: "to add to",
    signal,
  });
  return textField(fieldsOf(value, "Synapse's new folder"), "id");
}

async function uploadLocations(
  context: SynapseContext,
  folderId: string,
  signal: AbortSignal | undefined,
): Promise<readonly number[] | null> {
  const value = await readSetting(context, folderId, signal);
  if (value === null) return null;
  const at = `Synapse's upload setting of ${folderId}`;
  const setting = fieldsOf(value, at);
  // What a folder above has is none of its own.
  const owner = optionalText(setting, "projectId");
  if (owner !== null && owner.replace(/^syn/, "") !== folderId.replace(/^syn/, "")) return null;
  return listField(setting, "locations").map((id) => locationOf(id, `${at}.locations`));
}

/** Asks for a folder's setting. That it has none is said by null, by nothing at all, or by 404; which of them is written nowhere. */
async function readSetting(
  context: SynapseContext,
  folderId: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    const { value } = await callSynapse(context, {
      subject: `Synapse upload setting of ${folderId}`,
      method: "GET",
      path: `/repo/v1/projectSettings/${encodeURIComponent(folderId)}/type/upload`,
      mayBeEmpty: true,
      signal,
    });
    return value;
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return null;
    throw error;
  }
}

async function makeLocation(
  context: SynapseContext,
  { bucket, baseKey }: BucketPlace,
  signal: AbortSignal | undefined,
): Promise<number> {
  const subject = `Synapse storage location s3://${bucket}/${baseKey}`;
  try {
    const { value } = await callSynapse(context, {
      subject,
      method: "POST",
      path: "/repo/v1/storageLocation",
      json: {
        concreteType: `${MODEL}.project.ExternalS3StorageLocationSetting`,
        ...{ uploadType: "S3", bucket, baseKey, stsEnabled: true },
      },
      signal,
    });
    return locationOf(
      fieldsOf(value, subject).values["storageLocationId"],
      `${subject}: storageLocationId`,
    );
  } catch (error) {
    if (!(error instanceof HttpError) || error.kind === "transient") throw error;
    const message = `Synapse does not take s3://${bucket}/${baseKey} as a storage location: ${error.reason ?? error.status}`;
    throw new HdashError("permanent", message, {
      cause: error,
      hint: `${context.reader} has to be named in owner.txt there, and the bucket's policy has to let Synapse's account list and read it.`,
    });
  }
}

async function setLocation(
  context: SynapseContext,
  folderId: string,
  locationId: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await callSynapse(context, {
      subject: `Synapse upload setting of ${folderId}`,
      method: "POST",
      path: "/repo/v1/projectSettings",
      json: {
        concreteType: `${MODEL}.project.UploadDestinationListSetting`,
        ...{ projectId: folderId, settingsType: "upload", locations: [locationId] },
      },
      entityId: folderId,
      right: "to change",
      signal,
    });
  } catch (error) {
    if (!(error instanceof HttpError) || error.kind === "transient") throw error;
    // It may be its own work: an answer that is lost on its way lets the same be asked once more.
    const set = await uploadLocations(context, folderId, signal);
    if (set?.length === 1 && set[0] === locationId) return;
    const message = `Synapse does not set ${folderId} to the storage location ${locationId}: ${error.reason ?? error.status}`;
    throw new HdashError("permanent", message, { cause: error });
  }
}

async function credentialsFor(
  context: SynapseContext,
  folderId: string,
  signal: AbortSignal | undefined,
): Promise<BucketPlace> {
  const subject = `Synapse credentials for ${folderId}`;
  try {
    const { value } = await callSynapse(context, {
      subject,
      method: "GET",
      path: `/repo/v1/entity/${encodeURIComponent(folderId)}/sts?permission=read_only`,
      entityId: folderId,
      right: "to get credentials for",
      signal,
    });
    const answer = fieldsOf(value, subject);
    return {
      bucket: textField(answer, "bucket"),
      baseKey: (optionalText(answer, "baseKey") ?? "").replace(/^\/+|\/+$/g, ""),
    };
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 400) throw error;
    const message = `Synapse gives no credentials for ${folderId}: ${error.reason ?? error.status}`;
    throw new HdashError("permanent", message, { cause: error });
  }
}

function locationOf(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new HdashError("permanent", `${at} is no id of a storage location`);
}
