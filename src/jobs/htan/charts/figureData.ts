// What charts are drawn from: plain data, already counted and sorted. The domain rooms make it; the charts only draw it.

/** Wide: for pages, paper and pictures. Compact: for a narrow screen. */
export type FigureSize = "wide" | "compact";

/** Which rows (participants, biospecimens) have data of which column (component). */
export interface CompletenessData {
  readonly kind: "completeness";
  /** What a row is, in the singular, e.g. "participant". */
  readonly noun: string;
  readonly rowIds: readonly string[];
  readonly columns: readonly {
    readonly name: string;
    /** Indexes into rowIds, ascending. */
    readonly rows: readonly number[];
  }[];
}

/** Named amounts, compared as bars. */
export interface BarsData {
  readonly kind: "bars";
  readonly unit: string;
  readonly bars: readonly {
    readonly label: string;
    readonly value: number;
    /** Said instead of the number where it is not null, e.g. "passed". */
    readonly note: string | null;
    readonly tone: "plain" | "strong" | "quiet";
  }[];
}

/** Events in days from the first event of their row. */
export interface TimelineData {
  readonly kind: "timeline";
  readonly rows: readonly {
    readonly participant: string;
    /** What the row is, e.g. "Therapy" or a site of biopsy. */
    readonly label: string;
    readonly events: readonly {
      /** Index into kinds. */
      readonly kind: number;
      readonly start: number;
      readonly finish: number;
      /** Written beside it instead of its kind's name, e.g. with a number of specimens. */
      readonly label?: string;
      readonly hover: string;
    }[];
  }[];
  /** Kinds of event, the most frequent first, and how often each occurs in the atlas. */
  readonly kinds: readonly { readonly name: string; readonly count: number }[];
  /** Participants in the atlas that have events; the rows may be of fewer. */
  readonly participants: number;
}

/** Components, and how many links lead from one to another. */
export interface NetworkData {
  readonly kind: "network";
  readonly nodes: readonly {
    readonly name: string;
    /** Records of this component that have a link. */
    readonly records: number;
    /** Links between two records of this component. */
    readonly inner: number;
    /** Distance from the left. */
    readonly layer: number;
  }[];
  /** Indexes into nodes. */
  readonly edges: readonly {
    readonly from: number;
    readonly to: number;
    readonly links: number;
  }[];
  /** Links of a component's records that lead nowhere. */
  readonly broken: readonly { readonly to: number; readonly links: number }[];
}

export type FigureData = CompletenessData | BarsData | TimelineData | NetworkData;
