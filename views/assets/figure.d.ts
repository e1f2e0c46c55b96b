// What the scripts of the interactive figures share: their data as data scripts write them, and the libraries they load.

type HdashFigureKind = "timeline" | "network";

/** Starts a figure in its host, once its data and libraries are there. */
interface HdashFigureMaker {
  /** The data script's kind. */
  readonly data: "timeline" | "graph";
  readonly libraries: readonly string[];
  start(host: HTMLElement, payload: unknown): void | Promise<void>;
}

interface HdashFigures {
  /** Called by data scripts. */
  load(atlas: string, kind: string, payload: unknown): void;
  register(kind: HdashFigureKind, maker: HdashFigureMaker): void;
  /** Makes an element; children that are text stay text. */
  make<Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    attributes?: Readonly<Record<string, string>>,
    children?: readonly (Node | string)[],
  ): HTMLElementTagNameMap[Tag];
  button(label: string, onPress: () => void): HTMLButtonElement;
  /** A colour of the page's theme. */
  color(name: string, fallback: string): string;
  onTheme(listener: () => void): void;
  save(name: string, url: string): void;
}

/** [kind, start day, finish day, what else is known] */
type HdashTimelineEvent = readonly [number, number, number, string];
interface HdashTimeline {
  readonly spec: object;
  readonly kinds: readonly string[];
  readonly rows: readonly (readonly [
    participant: string,
    label: string,
    events: readonly HdashTimelineEvent[],
  ])[];
  readonly cssVariables: Readonly<Record<string, string>>;
}

interface HdashGraph {
  readonly components: readonly string[];
  readonly ids: readonly string[];
  readonly componentOf: readonly number[];
  readonly links: readonly number[];
  readonly broken: readonly {
    readonly record: string;
    readonly component: string;
    readonly value: string;
    readonly link: string;
  }[];
}

interface HdashNetwork {
  readonly graph: HdashGraph;
  readonly parents: readonly (readonly number[])[];
  readonly children: readonly (readonly number[])[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly brokenOf: ReadonlyMap<string, HdashGraph["broken"]>;
}

interface HdashLineageNode {
  readonly id: string;
  readonly component: string;
  readonly isMissing: boolean;
  readonly isCenter: boolean;
}

/** The records around one record, with a place for each. */
interface HdashLineage {
  readonly nodes: readonly HdashLineageNode[];
  readonly links: readonly (readonly [number, number])[];
  /** Records in the whole lineage; `nodes` may be fewer. */
  readonly total: number;
  readonly column: readonly number[];
  readonly row: readonly number[];
  /** For each link the row on which it passes the columns between its ends; null where there are none. */
  readonly lane: readonly (number | null)[];
  readonly below: readonly (readonly number[])[];
  readonly tops: readonly number[];
}

interface HdashVegaView {
  signal(name: string): unknown;
  signal(name: string, value: unknown): HdashVegaView;
  addSignalListener(name: string, listener: (name: string, value: unknown) => void): void;
  scale(name: string): { domain(): readonly number[] };
  runAsync(): Promise<unknown>;
  toImageURL(type: "png" | "svg", scale?: number): Promise<string>;
  finalize(): void;
}

interface Window {
  hdash: HdashFigures;
  hdashLineage: {
    readNetwork(graph: HdashGraph): HdashNetwork;
    findLineage(network: HdashNetwork, id: string): HdashLineage;
  };
  vegaEmbed(
    host: HTMLElement,
    spec: object,
    options: object,
  ): Promise<{ readonly view: HdashVegaView; finalize(): void }>;
  // eslint-disable-next-line @typescript-eslint/consistent-type-imports -- an import would make this file a module, not globals.
  cytoscape: typeof import("cytoscape");
}
