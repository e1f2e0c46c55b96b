// A finding: something that is wrong, or worth knowing, about the data. It is a result, never an exception.

export type Severity = "error" | "warning" | "info";

/** One thing found in the data, with all that a person needs to find it again and mend it. */
export interface Finding {
  /** The rule's code, e.g. "H_LINKS". */
  readonly rule: string;
  readonly severity: Severity;
  /** What to open to see it, by its id where it comes from; "" where there is nothing to open. */
  readonly subject: string;
  /** Row in the subject as a spreadsheet numbers it (the header is row 1), or null. */
  readonly row: number | null;
  /** One plain sentence that names the subject and the value. */
  readonly message: string;
  /** The rule's own fields, e.g. manifest, component, column, value. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Counts errors and warnings, under the names that a scope's numbers have. */
export function countSeverities(findings: readonly Finding[]) {
  const of = (severity: Severity): number =>
    findings.filter((found) => found.severity === severity).length;
  return { errors: of("error"), warnings: of("warning") };
}

/** How many findings of a scope appeared and disappeared since the last finished run that did the scope; null where there was none. */
export interface FindingDelta {
  readonly added: Readonly<Record<Severity, number>>;
  readonly removed: Readonly<Record<Severity, number>>;
}

/** A finding as a flat object: the form of the downloads. */
export type FlatFinding = Readonly<Record<string, string | number | null>>;

/** Spreads a finding into one flat object. */
export function flattenFinding(finding: Finding): FlatFinding {
  const { rule, severity, subject, row, message, fields } = finding;
  return { rule, severity, subject, ...fields, row, message };
}
