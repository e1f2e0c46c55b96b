// A real browser for tests: Debian's Chromium, without a network, that reports whatever a page should not do.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";

import { realClock } from "./fakedClock.ts";

/** A page that is slow, since the machine has other things to do, is not to fail; its test's own limit ends what hangs. Milliseconds. */
const PATIENCE_MS = 300_000;

/** Starts the system's Chromium, whose clock is the machine's whatever that of the tests is: it does not begin with another. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    timeout: PATIENCE_MS,
    executablePath: "/usr/bin/chromium",
    env: realClock(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
    ],
  });
}

/** Opens an empty page that has the patience of tests. */
export async function newPage(context: BrowserContext): Promise<Page> {
  context.setDefaultTimeout(PATIENCE_MS);
  return context.newPage();
}

/** A page and what went wrong on it: errors, failed loads, breaches of its content security policy. */
export interface WatchedPage {
  readonly page: Page;
  readonly problems: string[];
}

/** Opens a page that is watched from its first script on. */
export async function openPage(context: BrowserContext, url: string): Promise<WatchedPage> {
  const page = await newPage(context);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
  page.on("request", (request) => {
    if (
      !/^(file|data|blob):/.test(request.url()) &&
      !request.url().startsWith(new URL(url).origin)
    ) {
      problems.push(`another host: ${request.url()}`);
    }
  });
  // As text: what runs in the page is not of this program, whose types know no document.
  await page.addInitScript(`document.addEventListener("securitypolicyviolation", (event) => {
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI);
  });`);
  await page.goto(url);
  return { page, problems };
}

/** Files of a site by their paths. */
export type SiteFiles = ReadonlyMap<string, string | Uint8Array>;

/** A site that lies in a folder. */
interface OpenSite {
  /** Opens a page in a context of its own, which is closed after the test; `path` may have an address part after #. */
  open(path: string, options?: BrowserContextOptions): Promise<WatchedPage>;
}

/** A site for all tests of a file, in a folder whose name has to be escaped in addresses, with a browser for it. */
export function useSite(makeFiles: () => SiteFiles | Promise<SiteFiles>): OpenSite {
  let browser: Browser;
  let folder = "";
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hdash pages & more-"));
    for (const [path, content] of await makeFiles()) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    browser = await startBrowser();
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    async open(path, options = {}) {
      const viewport = { width: 1440, height: 900 };
      const context = await browser.newContext({ viewport, ...options });
      contexts.push(context);
      const [file = "", hash = ""] = path.split(/(?=#)/);
      return openPage(context, pathToFileURL(join(folder, file)).href + hash);
    },
  };
}

const AXE = join(import.meta.dirname, "../../node_modules/axe-core/axe.min.js");

/** Loads axe-core into a page; the function that is returned gives what it finds, all that can be opened being open: what is folded is not checked. */
export async function loadAxe(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(await readFile(AXE, "utf8"));
  return () =>
    page.evaluate<string[]>(`(async () => {
      for (const fold of document.querySelectorAll("details")) fold.open = true;
      for (const button of document.querySelectorAll("button[aria-expanded=false]")) button.click();
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 200));
    })()`);
}

/** Types texts into a search field, one in the place of the other; gives the median of the milliseconds that the page's thread computed for each, however long the machine made it wait. */
export async function medianAnswerMs(
  page: Page,
  field: string,
  typed: readonly string[],
): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const computedMs = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    const seconds = metrics.find(({ name }) => name === "ScriptDuration")?.value;
    if (seconds === undefined) throw new Error("Chromium does not tell how long scripts took");
    return seconds * 1000;
  };
  const times: number[] = [];
  for (const text of typed) {
    const before = await computedMs();
    await page.evaluate(`(() => {
      const input = document.querySelector(${JSON.stringify(field)});
      input.value = ${JSON.stringify(text)};
      input.dispatchEvent(new Event("input"));
    })()`);
    times.push((await computedMs()) - before);
  }
  return times.sort((a, b) => a - b)[Math.floor((typed.length - 1) / 2)] ?? Infinity;
}

/** Gives the widths, of those asked for, at which a page is wider than its window. */
export async function widthsThatScroll(
  page: Page,
  widths: readonly number[],
): Promise<readonly number[]> {
  const found: number[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 844 });
    const over = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    if (over > 0) found.push(width);
  }
  return found;
}
