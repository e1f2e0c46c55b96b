// What Postgres cannot hold: U+0000 in text and jsonb, and halves of surrogate pairs in jsonb. Data is hostile, the ledger is not.

/** Replaces what Postgres text cannot hold by U+FFFD, the replacement character. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** Writes a value as JSON that jsonb takes. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "string" ? storable(item) : item,
  );
}
