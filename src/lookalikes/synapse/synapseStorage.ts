// Storage of one's own bucket in the look-alike Synapse: folders that were made, storage locations, which folder is set to which, and
// temporary credentials. Where the real service's rules are written nowhere, these are the stricter ones.

import { randomBytes } from "node:crypto";

import { type Answer, type Body, MODEL, Refusal } from "./synapseAnswers.ts";
import type { Route, SynapseFaults } from "./synapseFaults.ts";

/** What is in a bucket; null where there is no such object, or no such bucket. */
export type ReadObject = (bucket: string, key: string) => Promise<Uint8Array | null>;

/** Who asks: a name, and the principal's id. */
export interface Caller {
  readonly user: string;
  readonly ownerId: string;
}

export interface StorageContext {
  readonly readObject: ReadObject;
  readonly faults: () => SynapseFaults;
  readonly now: () => number;
}

/** A folder that somebody made through the API. */
export interface MadeFolder {
  readonly id: string;
  readonly name: string;
  readonly parentId: string;
  readonly createdAt: number;
}

/** What of the world the rules ask for. Throws Refusal where the caller may not see an entity. */
export interface WorldView {
  entity(entityId: string): Body;
  /** Names of everything in a folder or project. */
  childNames(parentId: string): readonly string[];
}

/** What is asked for. */
export interface StorageRequest {
  readonly entityId: string;
  readonly permission: string | null;
  readonly body: Body;
}

/** By whom, and of what. */
export interface StorageScene {
  readonly view: WorldView;
  readonly caller: Caller;
  readonly noSetting: SynapseFaults["noSetting"];
}

interface Location {
  readonly id: number;
  readonly owner: string;
  readonly bucket: string;
  readonly baseKey: string;
  readonly stsEnabled: boolean;
}

/** Every method throws Refusal where Synapse would answer with an error. */
export interface Storage {
  readonly folders: readonly MadeFolder[];
  /** How often anything was made or changed. */
  readonly changes: number;
  makeFolder(view: WorldView, body: Body, caller: Caller): Body;
  makeLocation(body: Body, caller: Caller): Promise<Body>;
  setLocation(view: WorldView, body: Body, caller: Caller): Body;
  /** A folder's own setting; null where it has none. */
  setting(view: WorldView, entityId: string): Body | null;
  credentials(view: WorldView, entityId: string, permission: string | null): Body;
}

/** Ids of what is made: behind those that worlds have. */
const FIRST_FOLDER = 9_900_001;
const FIRST_LOCATION = 41;
const HOURS_12_MS = 12 * 60 * 60_000;
const NAME = /^[\w +\-.()']{1,256}$/;

/** Makes that part of the server. */
export function makeStorage({ readObject, faults, now }: StorageContext): Storage {
  const folders: MadeFolder[] = [];
  const locations: Location[] = [];
  const settings = new Map<string, Location>();
  let changes = 0;

  const mayChange = (entityId: string, what: string): void => {
    if (!(faults().unwritable ?? []).includes(entityId)) return;
    const message = `You do not have ${what} permission for the requested entity, ${entityId}`;
    throw new Refusal(403, message);
  };

  return {
    folders,
    get changes() {
      return changes;
    },
    makeFolder(view, body, caller) {
      only(body, ["concreteType", "name", "parentId"]);
      is(body, "concreteType", `${MODEL}.Folder`);
      signedIn(caller);
      const { id: parentId } = container(view, body["parentId"]);
      mayChange(String(parentId), "CREATE");
      const name = text(body["name"], "name");
      if (!NAME.test(name) || name.trim() !== name) throw new Refusal(400, "Invalid entity name");
      if (view.childNames(String(parentId)).includes(name)) {
        throw new Refusal(409, `An entity with the name: ${name} already exists with a parentId`);
      }
      const id = `syn${FIRST_FOLDER + folders.length}`;
      folders.push({ id, name, parentId: String(parentId), createdAt: now() });
      changes++;
      return { id, name, parentId, concreteType: `${MODEL}.Folder`, etag: `etag-${id}` };
    },
    async makeLocation(body, caller) {
      only(body, ["concreteType", "uploadType", "bucket", "baseKey", "stsEnabled"]);
      is(body, "concreteType", `${MODEL}.project.ExternalS3StorageLocationSetting`);
      is(body, "uploadType", "S3");
      signedIn(caller);
      const { stsEnabled } = body;
      if (typeof stsEnabled !== "boolean") throw new Refusal(400, "stsEnabled is no boolean");
      const bucket = text(body["bucket"], "bucket");
      const baseKey = text(body["baseKey"] ?? "", "baseKey", true);
      if (/^\/|\/$|\/\//.test(baseKey)) throw new Refusal(400, `Invalid baseKey ${baseKey}`);
      await checkOwner(readObject, bucket, baseKey, caller);
      const own = { owner: caller.user, bucket, baseKey, stsEnabled };
      let found = locations.find((one) =>
        Object.entries(own).every(([name, value]) => one[name as keyof Location] === value),
      );
      if (found === undefined) {
        found = { id: FIRST_LOCATION + locations.length, ...own };
        locations.push(found);
        changes++;
      }
      return { ...body, storageLocationId: found.id, createdBy: Number(caller.ownerId) };
    },
    setLocation(view, body, caller) {
      only(body, ["concreteType", "projectId", "settingsType", "locations"]);
      is(body, "concreteType", `${MODEL}.project.UploadDestinationListSetting`);
      is(body, "settingsType", "upload");
      signedIn(caller);
      const id = String(container(view, body["projectId"])["id"]);
      mayChange(id, "UPDATE");
      const asked = body["locations"];
      if (!Array.isArray(asked) || asked.length !== 1) {
        throw new Refusal(400, "locations has to have one storage location");
      }
      const location = locations.find((one) => one.id === asked[0]);
      if (location === undefined) throw new Refusal(404, "There is no such storage location");
      if (location.owner !== caller.user) {
        throw new Refusal(403, "Only the owner of a storage location can use it");
      }
      if (settings.has(id)) {
        throw new Refusal(409, `A project setting of type 'upload' for ${id} already exists`);
      }
      if (location.stsEnabled && view.childNames(id).length > 0) {
        throw new Refusal(400, "Can't enable STS in a non-empty folder");
      }
      settings.set(id, location);
      changes++;
      return { ...body, id: String(settings.size), etag: `etag-${id}` };
    },
    setting(view, entityId) {
      view.entity(entityId);
      const location = settings.get(entityId);
      if (location === undefined) return null;
      return {
        concreteType: `${MODEL}.project.UploadDestinationListSetting`,
        ...{ projectId: entityId, settingsType: "upload", locations: [location.id] },
      };
    },
    credentials(view, entityId, permission) {
      if (permission !== "read_only" && permission !== "read_write") {
        throw new Refusal(400, "permission is neither read_only nor read_write");
      }
      view.entity(entityId);
      if (permission === "read_write") mayChange(entityId, "UPDATE");
      const location = settings.get(entityId);
      if (location?.stsEnabled !== true) {
        throw new Refusal(400, `Entity ${entityId} must have an STS-enabled storage location`);
      }
      return {
        ...{ bucket: location.bucket, baseKey: location.baseKey },
        accessKeyId: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString("base64"),
        sessionToken: randomBytes(90).toString("base64"),
        expiration: new Date(now() + HOURS_12_MS).toISOString(),
      };
    },
  };
}

function container(view: WorldView, entityId: unknown): Body {
  const entity = view.entity(text(entityId, "an entity's id"));
  if (isContainer(entity)) return entity;
  throw new Refusal(400, `${String(entityId)} is not a container`);
}

async function checkOwner(
  readObject: ReadObject,
  bucket: string,
  baseKey: string,
  { user, ownerId }: Caller,
): Promise<void> {
  const key = baseKey === "" ? "owner.txt" : `${baseKey}/owner.txt`;
  const bytes = await readObject(bucket, key);
  if (bytes === null) {
    throw new Refusal(
      400,
      `Did not find ${key} in the bucket ${bucket}: it has to name the caller`,
    );
  }
  const names = Buffer.from(bytes)
    .toString()
    .split(/[\n,]/)
    .map((name) => name.trim());
  if (names.includes(user) || names.includes(ownerId)) return;
  throw new Refusal(400, `${key} in the bucket ${bucket} does not name the caller`);
}

/** Answers what is about storage of one's own; null for every other route. */
export async function answerStorage(
  storage: Storage,
  route: Route,
  { entityId, permission, body }: StorageRequest,
  { view, caller, noSetting }: StorageScene,
): Promise<Answer | null> {
  if (route === "newFolder") return { status: 201, value: storage.makeFolder(view, body, caller) };
  if (route === "newLocation")
    return { status: 201, value: await storage.makeLocation(body, caller) };
  if (route === "newSetting")
    return { status: 201, value: storage.setLocation(view, body, caller) };
  if (route === "sts")
    return { status: 200, value: storage.credentials(view, entityId, permission) };
  if (route !== "setting") return null;
  const setting = storage.setting(view, entityId);
  if (setting === null && noSetting === "missing") {
    throw new Refusal(404, `There is no upload setting of ${entityId}`);
  }
  // Undefined is an answer without a body.
  return { status: 200, value: setting === null && noSetting === "empty" ? undefined : setting };
}

function isContainer(entity: Body): boolean {
  return /\.(Folder|Project)$/.test(String(entity["concreteType"]));
}

function signedIn({ user }: Caller): void {
  if (user === "anonymous") throw new Refusal(403, "Anonymous cannot do this");
}

/** Throws where a request has other fields than these. */
function only(body: Body, names: readonly string[]): void {
  const strange = Object.keys(body).find((name) => !names.includes(name));
  if (strange !== undefined) throw new Refusal(400, `There is no field ${strange}`);
}

function is(body: Body, name: string, wanted: string): void {
  if (body[name] !== wanted) throw new Refusal(400, `${name} has to be ${wanted}`);
}

function text(value: unknown, name: string, mayBeEmpty = false): string {
  if (typeof value === "string" && (mayBeEmpty || value !== "")) return value;
  throw new Refusal(400, `${name} is required`);
}
