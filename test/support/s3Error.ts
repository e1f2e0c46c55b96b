// S3's errors and its XML: what the look-alike answers with, and the little of XML that it reads.

/** An answer that is not a success, worded as S3 words it. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, string>>;
  constructor(
    status: number,
    code: string,
    message: string,
    details: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "S3Error";
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** A tree that can be written as XML: text, or elements in order; an array repeats its element. */
export type Xml = string | number | boolean | { readonly [name: string]: Xml | readonly Xml[] };

/** Writes a whole document with S3's namespace on its root. */
export function xmlDocument(root: string, content: Xml): string {
  const namespace = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${xmlOf(content)}</${root}>`;
}

/** Writes an error's document; S3 puts no namespace on it. */
export function errorDocument(error: S3Error, resource: string, requestId: string): string {
  const content = {
    Code: error.code,
    Message: error.message,
    ...error.details,
    Resource: resource,
    RequestId: requestId,
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${xmlOf(content)}</Error>`;
}

function xmlOf(content: Xml): string {
  if (typeof content !== "object") return escapeXml(String(content));
  return Object.entries(content)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? (value as readonly Xml[]) : [value as Xml]).map(
        (one) => `<${name}>${xmlOf(one)}</${name}>`,
      ),
    )
    .join("");
}

/** Control characters that XML 1.0 cannot hold go out as references, as S3 does it; strict parsers refuse them. */
function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")

    .replace(/[\u0000-\u001f]/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`);
}

/** An element that was read: its children in order and its text. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Reads a document without comments, CDATA or processing instructions; throws MalformedXML for anything else. */
export function readXml(source: string): XmlElement {
  const malformed = (): S3Error =>
    new S3Error(400, "MalformedXML", "The XML you provided was not well-formed.");
  const body = source.replace(/^\uFEFF?\s*<\?xml[^>]*\?>/, "").trim();
  const open: { name: string; children: XmlElement[]; text: string }[] = [];
  let root: XmlElement | null = null;
  let at = 0;
  while (at < body.length) {
    if (body[at] !== "<") {
      const end = body.indexOf("<", at);
      const top = open.at(-1);
      if (top === undefined || end < 0) throw malformed();
      top.text += unescapeXml(body.slice(at, end));
      at = end;
      continue;
    }
    const tag = /^<(\/?)([A-Za-z][\w.:-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/.exec(
      body.slice(at, at + 4096),
    );
    const name = tag?.[2];
    if (tag === null || name === undefined || root !== null) throw malformed();
    at += tag[0].length;
    if (tag[1] === "") open.push({ name, children: [], text: "" });
    if (tag[1] === "/" || tag[4] === "/") {
      const closed = open.pop();
      if (closed === undefined || closed.name !== name) throw malformed();
      const parent = open.at(-1);
      if (parent === undefined) root = closed;
      else parent.children.push(closed);
    }
  }
  if (root === null) throw malformed();
  return root;
}

/** Returns an element's child texts of one name. */
export function textsOf(element: XmlElement, name: string): readonly string[] {
  return element.children.filter((child) => child.name === name).map((child) => child.text);
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
  };
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (typeof hex === "string") return String.fromCodePoint(Number.parseInt(hex, 16));
    if (typeof decimal === "string") return String.fromCodePoint(Number(decimal));
    return named[String(name)] ?? String(whole);
  });
}
