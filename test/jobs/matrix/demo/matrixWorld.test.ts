import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { computeStatistics } from "../../../../src/jobs/matrix/counting/computeStatistics.ts";
import type { MatrixStatistics } from "../../../../src/jobs/matrix/counting/statistics.ts";
import { type CellCounts, makeCells } from "../../../../src/jobs/matrix/demo/matrixCells.ts";
import { demoGenes } from "../../../../src/jobs/matrix/demo/matrixGenes.ts";
import {
  BLOOD,
  BREAST,
  LUNG,
  type TissuePlan,
} from "../../../../src/jobs/matrix/demo/matrixPlans.ts";
import { demoMatrices, type DemoProject } from "../../../../src/jobs/matrix/demo/matrixWorld.ts";
import { embed } from "../../../../src/jobs/matrix/embed/embed.ts";
import type { MatrixReader } from "../../../../src/jobs/matrix/matrix.ts";
import { openMatrix } from "../../../../src/jobs/matrix/openMatrix.ts";

/** Writing the demo's matrices takes a few seconds, many times that on a machine that is busy with all other tests. */
const PATIENCE_MS = 120_000;

const scratch = mkdtempSync(join(tmpdir(), "hdash-matrix-world-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const filesOf = (project: DemoProject): DemoProject["matrices"] => [
  ...project.matrices,
  ...project.contributedAnalyses,
];

interface KindMeans {
  /** Mean of a gene's share of a cell's counts, in percent, over the healthy cells of each kind. */
  of(symbol: string): ReadonlyMap<string, number>;
  total(cell: number): number;
  genes(cell: number): number;
}

function meansOf({ genes, cells, starts, geneOf, counts }: CellCounts): KindMeans {
  const totals = cells.map((_, cell) =>
    counts.subarray(starts[cell], starts[cell + 1]).reduce((sum, count) => sum + count, 0),
  );
  return {
    total: (cell) => totals[cell] ?? 0,
    genes: (cell) => (starts[cell + 1] ?? 0) - (starts[cell] ?? 0),
    of(symbol) {
      const wanted = genes.findIndex((gene) => gene.symbol === symbol);
      const sums = new Map<string, { sum: number; cells: number }>();
      cells.forEach(({ kind, state }, cell) => {
        if (state !== "healthy") return;
        const entry = sums.get(kind) ?? { sum: 0, cells: 0 };
        sums.set(kind, entry);
        entry.cells++;
        for (let at = starts[cell] ?? 0; at < (starts[cell + 1] ?? 0); at++) {
          if (geneOf[at] === wanted) entry.sum += (100 * (counts[at] ?? 0)) / (totals[cell] ?? 1);
        }
      });
      return new Map([...sums].map(([kind, entry]) => [kind, entry.sum / entry.cells]));
    },
  };
}

function quartile(values: readonly number[], share: number): number {
  const ordered = [...values].sort((a, b) => a - b);
  return ordered[Math.floor(share * (ordered.length - 1))] ?? NaN;
}

function mitoOf(made: CellCounts, cell: number): number {
  const [from = 0, to = 0] = [made.starts[cell], made.starts[cell + 1]];
  let [mito, all] = [0, 0];
  for (let at = from; at < to; at++) {
    const count = made.counts[at] ?? 0;
    all += count;
    if (made.genes[made.geneOf[at] ?? -1]?.symbol.startsWith("MT-") === true) mito += count;
  }
  return mito / all;
}

describe("demoGenes()", () => {
  test("makes a few thousand genes with symbols and ids of their own, in the order of the ids", () => {
    const genes = demoGenes();
    expect(genes.length).toBeGreaterThan(2500);
    expect(new Set(genes.map(({ id }) => id)).size).toBe(genes.length);
    expect(new Set(genes.map(({ symbol }) => symbol)).size).toBe(genes.length);
    expect(genes.map(({ id }) => id)).toEqual(genes.map(({ id }) => id).sort());
    expect(genes.filter(({ symbol }) => symbol.startsWith("MT-"))).toHaveLength(13);
    const strange = genes.filter(({ id, symbol, level }) => {
      return !/^ENSG\d{11}$/.test(id) || !/^[A-Z][A-Za-z0-9.-]+$/.test(symbol) || !(level > 0);
    });
    expect(strange).toEqual([]);
    const [common] = [...genes].sort((a, b) => b.level - a.level);
    expect(common?.symbol).toBe("MALAT1");
  });
});

describe("makeCells(plan)", () => {
  const made = new Map<TissuePlan, CellCounts>();
  beforeAll(() => {
    for (const plan of [LUNG, BLOOD, BREAST]) made.set(plan, makeCells(plan));
  }, PATIENCE_MS);
  const of = (plan: TissuePlan): CellCounts => {
    const counts = made.get(plan);
    if (counts === undefined) throw new Error(`${plan.name} was not made`);
    return counts;
  };

  test("makes the same cells every time, on every machine", () => {
    const digest = ({ starts, geneOf, counts, cells }: CellCounts): string => {
      const hash = createHash("sha256");
      for (const array of [starts, geneOf, counts]) hash.update(array);
      return hash.update(JSON.stringify(cells)).digest("hex");
    };
    expect(digest(makeCells(BLOOD))).toBe(digest(of(BLOOD)));
    expect([LUNG, BLOOD, BREAST].map((plan) => digest(of(plan)).slice(0, 16))).toEqual([
      "8807ba55e4781d56",
      "62f032124e1a470c",
      "efa39f66423388f7",
    ]);
  });

  test("refuses a plan without kinds of cells", () => {
    expect(() => makeCells({ ...BLOOD, kinds: [] })).toThrow(
      "blood has no kinds of cells for 10x 3' v3",
    );
  });

  test.each([LUNG, BLOOD, BREAST])("makes sound counts of $name", (plan) => {
    const { genes, cells, starts, geneOf, counts } = of(plan);
    const planned = plan.samples.reduce((sum, sample) => sum + sample.cells, 0);
    expect([cells.length, starts.length, starts.at(-1)]).toEqual([
      planned,
      planned + 1,
      counts.length,
    ]);
    expect(new Set(cells.map(({ barcode }) => barcode)).size).toBe(planned);
    expect(new Set(cells.map(({ kind }) => kind)).size).toBe(plan.kinds.length);
    let wrong = 0;
    for (let cell = 0; cell < planned; cell++) {
      for (let at = starts[cell] ?? 0; at < (starts[cell + 1] ?? 0); at++) {
        const isFirst = at === starts[cell];
        const ascends = isFirst || (geneOf[at] ?? 0) > (geneOf[at - 1] ?? 0);
        if (!ascends || (geneOf[at] ?? 0) >= genes.length || (counts[at] ?? 0) < 1) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  const MARKERS: readonly (readonly [TissuePlan, Readonly<Record<string, readonly string[]>>])[] = [
    [
      LUNG,
      {
        SFTPA1: ["alveolar type 2"],
        AGER: ["alveolar type 1"],
        C20orf85: ["ciliated cell"],
        SCGB3A1: ["club cell"],
        CEACAM5: ["tumour cell"],
        LAMC2: ["late tumour cell"],
        C1QB: ["macrophage"],
        SPP1: ["tumour macrophage"],
        S100A8: ["monocyte"],
        IL7R: ["CD4 T cell"],
        GZMK: ["CD8 T cell", "exhausted T cell"],
        CXCL13: ["exhausted T cell"],
        GNLY: ["NK cell"],
        MS4A1: ["B cell"],
        MZB1: ["plasma cell"],
        TPSAB1: ["mast cell"],
        DCN: ["fibroblast", "activated fibroblast"],
        POSTN: ["activated fibroblast"],
        PECAM1: ["endothelial cell"],
      },
    ],
    [
      BLOOD,
      {
        CCR7: ["naive CD4 T cell"],
        IL7R: ["memory CD4 T cell"],
        CD8A: ["CD8 T cell"],
        GNLY: ["NK cell"],
        MS4A1: ["B cell"],
        S100A8: ["CD14 monocyte"],
        FCGR3A: ["FCGR3A monocyte"],
        FCER1A: ["dendritic cell"],
      },
    ],
    [
      BREAST,
      {
        ELF5: ["luminal progenitor"],
        ANKRD30A: ["mature luminal cell"],
        KRT14: ["myoepithelial cell"],
        ERBB2: ["HER2 tumour cell"],
        CCND1: ["luminal tumour cell"],
        KRT81: ["basal tumour cell"],
        COL1A1: ["fibroblast", "activated fibroblast"],
        COL11A1: ["activated fibroblast"],
        RGS5: ["pericyte"],
        VWF: ["endothelial cell", "arterial cell"],
        GJA5: ["arterial cell"],
        C1QA: ["macrophage", "inflamed macrophage"],
        SPP1: ["inflamed macrophage"],
        CD40LG: ["CD4 T cell", "regulatory T cell"],
        FOXP3: ["regulatory T cell"],
        CD8A: ["CD8 T cell"],
        CD79A: ["B cell"],
        JCHAIN: ["plasma cell"],
      },
    ],
  ];
  test.each(MARKERS)("gives every kind of $name its markers", (plan, markers) => {
    const means = meansOf(of(plan));
    const named = new Set(Object.values(markers).flat());
    expect(plan.kinds.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
    for (const [symbol, expected] of Object.entries(markers)) {
      const ordered = [...means.of(symbol)].sort((a, b) => b[1] - a[1]);
      const first = ordered.slice(0, expected.length).map(([kind]) => kind);
      expect([symbol, first.sort()]).toEqual([symbol, [...expected].sort()]);
      const [lowest, next] = [ordered[expected.length - 1], ordered[expected.length]];
      // Well above all others, apart from those on their way.
      const lead = (lowest?.[1] ?? 0) / (next?.[1] ?? 0);
      expect([symbol, next?.[0], lead > 1.25, lead]).toEqual([symbol, next?.[0], true, lead]);
    }
  });

  test.each([LUNG, BLOOD, BREAST])("lets cells of $name suffer as real ones do", (plan) => {
    const counts = of(plan);
    const means = meansOf(counts);
    const states = { healthy: [], doublet: [], dying: [], empty: [] } as Record<string, number[]>;
    counts.cells.forEach(({ state, approach }, cell) => {
      if (approach !== "Smart-seq2") states[state]?.push(cell);
    });
    const { healthy = [], doublet = [], dying = [], empty = [] } = states;
    const total = (list: readonly number[], share: number): number =>
      quartile(list.map(means.total), share);
    const mito = (list: readonly number[], share: number): number =>
      quartile(
        list.map((cell) => mitoOf(counts, cell)),
        share,
      );
    expect(total(healthy, 0.5)).toBeGreaterThan(900);
    expect(total(healthy, 0.98) / total(healthy, 0.02)).toBeGreaterThan(4);
    expect(total(doublet, 0.5)).toBeGreaterThan(1.3 * total(healthy, 0.5));
    expect(total(dying, 0.5)).toBeLessThan(0.5 * total(healthy, 0.5));
    expect(total(empty, 1)).toBeLessThan(400);
    expect(mito(healthy, 0.5)).toBeLessThan(0.09);
    expect(mito(dying, 0.5)).toBeGreaterThan(3 * mito(healthy, 0.5));
    expect(quartile(healthy.map(means.genes), 0.5)).toBeGreaterThan(400);
  });

  test("counts reads on plates: few cells, many genes, large counts", () => {
    const counts = of(LUNG);
    const means = meansOf(counts);
    const median = (approach: string, value: (cell: number) => number): number =>
      quartile(
        counts.cells.flatMap((cell, at) => (cell.approach === approach ? [value(at)] : [])),
        0.5,
      );
    const [droplets, plates] = ["10X v2 sequencing", "Smart-seq2"];
    if (droplets === undefined || plates === undefined) throw new Error("there are no names");
    expect(median(plates, means.total)).toBeGreaterThan(30 * median(droplets, means.total));
    expect(median(plates, means.genes)).toBeGreaterThan(1.5 * median(droplets, means.genes));
  });
});

describe("demoMatrices(dir)", () => {
  let projects: readonly DemoProject[] = [];
  beforeAll(async () => {
    projects = await demoMatrices(join(scratch, "a"));
  }, PATIENCE_MS);

  test("says of its five projects what is so", async () => {
    expect(
      projects.map((project) => [
        project.atlasId,
        project.title,
        project.approaches,
        project.cells,
        project.isBlacklisted,
        filesOf(project).map(({ name }) => name.replace(project.projectId, "<id>")),
      ]),
    ).toEqual([
      [
        "HTA3",
        "Lung adenocarcinoma, tumour and normal tissue",
        ["10X v2 sequencing", "Smart-seq2"],
        2800,
        false,
        ["<id>.homo_sapiens.mtx.zip"],
      ],
      [
        "HTA7",
        "Peripheral blood mononuclear cells",
        ["10x 3' v3"],
        2700,
        false,
        ["<id>.homo_sapiens.h5ad"],
      ],
      ["HTA1", "Breast carcinoma atlas", ["10x 3' v2"], 3000, false, ["<id>.homo_sapiens.loom"]],
      [
        "HTA5",
        "Melanoma before and after therapy",
        ["10x 3' v3"],
        9120,
        false,
        ["<id>.homo_sapiens.rds"],
      ],
      [
        "HTA8",
        "Ovarian pilot, superseded",
        ["10X v2 sequencing"],
        60,
        true,
        ["<id>.homo_sapiens.mtx.zip"],
      ],
    ]);
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    const files = projects.flatMap(filesOf);
    for (const file of files) {
      const content = readFileSync(file.path);
      expect([file.bytes, file.sha256]).toEqual([
        statSync(file.path).size,
        createHash("sha256").update(content).digest("hex"),
      ]);
      expect(file.uuid).toMatch(uuid);
    }
    for (const { projectId } of projects) expect(projectId).toMatch(uuid);
    expect((await readdir(join(scratch, "a"))).sort()).toEqual(
      files.map(({ name }) => name).sort(),
    );
    expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(15_000_000);
  });

  test(
    "writes the same bytes every time",
    async () => {
      const again = await demoMatrices(join(scratch, "b"));
      const shas = (all: readonly DemoProject[]): readonly string[] =>
        all.flatMap(filesOf).map(({ sha256 }) => sha256);
      expect(shas(again)).toEqual(shas(projects));
    },
    PATIENCE_MS,
  );

  /** Reads a project's matrix as the product does, and goes on with it as long as it is open. */
  async function read<T>(
    place: number,
    goOn: (found: MatrixStatistics, reader: MatrixReader) => T | Promise<T>,
  ): Promise<T> {
    const [file] = projects.slice(place, place + 1).flatMap(filesOf);
    if (file === undefined) throw new Error(`there is no project ${place}`);
    const { signal } = new AbortController();
    const reader = await openMatrix(file.path, { scratchDir: scratch, signal, approaches: [] });
    try {
      return await goOn(await computeStatistics(reader, { scratchDir: scratch, signal }), reader);
    } finally {
      await reader.close();
    }
  }

  test.each([
    [0, LUNG, "mtx", ["10X", "SS2"]],
    [1, BLOOD, "h5ad", ["10X"]],
    [2, BREAST, "loom", ["10X"]],
  ] as const)(
    "writes project %i so that its counts come back, and are worth looking at",
    async (place, plan, format, approaches) => {
      const made = makeCells(plan);
      const means = meansOf(made);
      const found = await read(place, (statistics) => statistics);
      expect([found.format, found.groups.map(({ approach }) => approach?.key)]).toEqual([
        format,
        approaches,
      ]);
      expect(found.genes.ids).toEqual(made.genes.map(({ id }) => id));
      expect(found.genes.symbols).toEqual(made.genes.map(({ symbol }) => symbol));
      expect(found.cells.nCounts).toEqual(
        Float64Array.from(made.cells, (_, cell) => means.total(cell)),
      );
      expect(found.cells.nGenes).toEqual(
        Uint32Array.from(made.cells, (_, cell) => means.genes(cell)),
      );
      for (const { genes, topGenes } of found.groups) {
        expect(topGenes[0]?.symbol).toBe("MALAT1");
        const variable = made.genes.filter((_, gene) => genes.isVariable[gene] === 1);
        // Enough at the reference cut-offs, so that nothing else need be taken for them; markers are among them.
        expect(variable.length).toBeGreaterThan(60);
        const symbols = variable.map(({ symbol }) => symbol);
        expect(symbols).toEqual(expect.arrayContaining(["LYZ", "CST3"]));
      }
    },
    PATIENCE_MS,
  );

  test(
    "writes blood whose kinds of cells the product tells apart",
    async () => {
      const { cells } = makeCells(BLOOD);
      const { signal } = new AbortController();
      const [group] = await read(1, (found, reader) =>
        embed(reader, found, { seed: 1, sampleCells: 50_000, signal }),
      );
      const umap = group?.umap;
      if (umap === null || umap === undefined) throw new Error("there is no UMAP");
      const most = umap.clusterSizes.map((_, cluster) => {
        const counts = new Map<string, number>();
        umap.cells.forEach((cell, at) => {
          const { kind = "", state } = cells[cell] ?? {};
          const name = state === "dying" ? "dying" : kind;
          if (umap.clusters[at] === cluster) counts.set(name, (counts.get(name) ?? 0) + 1);
        });
        const [[name = "", count = 0] = []] = [...counts].sort((a, b) => b[1] - a[1]);
        return { name, share: count / (umap.clusterSizes[cluster] ?? 1) };
      });
      const found = new Set(most.map(({ name }) => name));
      expect(BLOOD.kinds.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([]);
      // Naive cells are on their way to memory ones, so that the border between these two is nobody's fault.
      expect(most.filter(({ share }) => share < 0.5)).toEqual([]);
    },
    PATIENCE_MS,
  );

  test("writes one that is understood to be an R object", async () => {
    await expect(read(3, () => null)).rejects.toMatchObject({ rule: "M_FORMAT" });
  });
});
