// Slack's rules for a message's payload, as far as a webhook refuses what breaks them.

/** Why a payload is refused: Slack's word for it, and the rule in ours. */
export interface PayloadProblem {
  readonly code: string;
  readonly why: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Slack's limits; lengths are characters. */
const LIMIT = {
  text: 40_000,
  blocks: 50,
  header: 150,
  section: 3_000,
  fields: 10,
  field: 2_000,
  elements: 10,
  actions: 25,
  button: 75,
  alt: 2_000,
  blockId: 255,
} as const;

/** Judges a payload as Slack's webhook does; null where it is taken. */
export function payloadProblem(payload: unknown): PayloadProblem | null {
  if (!isFields(payload)) return { code: "invalid_payload", why: "the payload is not an object" };
  const { text, blocks } = payload;
  const refuse = (why: string): PayloadProblem => ({ code: "invalid_payload", why });
  if (text !== undefined && typeof text !== "string") return refuse("text is not text");
  if (typeof text === "string" && text.length > LIMIT.text) {
    return { code: "msg_too_long", why: `text is longer than ${LIMIT.text}` };
  }
  if (blocks === undefined) return text ? null : { code: "no_text", why: "there is no text" };
  if (!Array.isArray(blocks)) return refuse("blocks is not a list");
  if (blocks.length > LIMIT.blocks) {
    return { code: "invalid_blocks", why: `there are more than ${LIMIT.blocks} blocks` };
  }
  const ids = new Set<unknown>();
  for (const [index, block] of blocks.entries()) {
    const why = isFields(block) ? (blockProblem(block) ?? idProblem(block, ids)) : "not an object";
    if (why !== null) return { code: "invalid_blocks", why: `block ${index}: ${why}` };
  }
  return null;
}

function blockProblem(block: Fields): string | null {
  switch (block["type"]) {
    case "header":
      return textProblem(block["text"], LIMIT.header, ["plain_text"]);
    case "section":
      return sectionProblem(block);
    case "context":
      return listProblem(block["elements"], LIMIT.elements, contextProblem);
    case "actions":
      return listProblem(block["elements"], LIMIT.actions, buttonProblem);
    case "image":
      return imageProblem(block);
    case "divider":
      return null;
    default:
      return `the type ${String(block["type"])} is unknown`;
  }
}

function idProblem(block: Fields, ids: Set<unknown>): string | null {
  const id = block["block_id"];
  if (id === undefined) return null;
  if (typeof id !== "string" || id.length > LIMIT.blockId) return "block_id is not a short text";
  if (ids.has(id)) return `block_id ${id} is used twice`;
  ids.add(id);
  return null;
}

function sectionProblem(block: Fields): string | null {
  const { text, fields, accessory } = block;
  if (text === undefined && fields === undefined) return "a section needs text or fields";
  const kinds = ["plain_text", "mrkdwn"];
  return (
    (text === undefined ? null : textProblem(text, LIMIT.section, kinds)) ??
    (fields === undefined
      ? null
      : listProblem(fields, LIMIT.fields, (item) => textProblem(item, LIMIT.field, kinds))) ??
    (accessory === undefined ? null : accessoryProblem(accessory))
  );
}

function accessoryProblem(accessory: unknown): string | null {
  if (!isFields(accessory)) return "the accessory is not an object";
  return accessory["type"] === "image" ? imageProblem(accessory) : buttonProblem(accessory);
}

function contextProblem(element: unknown): string | null {
  if (isFields(element) && element["type"] === "image") return imageProblem(element);
  return textProblem(element, LIMIT.section, ["plain_text", "mrkdwn"]);
}

function buttonProblem(element: unknown): string | null {
  if (!isFields(element) || element["type"] !== "button") return "an element is not a button";
  const { url } = element;
  if (url !== undefined && (typeof url !== "string" || !/^https?:\/\//.test(url))) {
    return "a button's url is not an address";
  }
  return textProblem(element["text"], LIMIT.button, ["plain_text"]);
}

function imageProblem(image: Fields): string | null {
  const { image_url: url, alt_text: alt } = image;
  if (typeof url !== "string" || !/^https?:\/\//.test(url)) return "image_url is not an address";
  const isFit = typeof alt === "string" && alt !== "" && alt.length <= LIMIT.alt;
  return isFit ? null : "alt_text is missing or too long";
}

function textProblem(value: unknown, limit: number, kinds: readonly string[]): string | null {
  if (!isFields(value) || typeof value["text"] !== "string") return "a text object is missing";
  if (!kinds.includes(String(value["type"]))) return `a text must be ${kinds.join(" or ")}`;
  if (value["text"] === "") return "a text is empty";
  return value["text"].length > limit ? `a text is longer than ${limit}` : null;
}

function listProblem(
  value: unknown,
  limit: number,
  problemOf: (item: unknown) => string | null,
): string | null {
  if (!Array.isArray(value) || value.length === 0) return "a list is missing or empty";
  if (value.length > limit) return `a list has more than ${limit} items`;
  for (const item of value) {
    const problem = problemOf(item);
    if (problem !== null) return problem;
  }
  return null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
