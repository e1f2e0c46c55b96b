// A real browser for tests: Debian's Chromium, without a network, that reports whatever a page should not do.

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Starts the system's Chromium. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
    ],
  });
}

/** A page and what went wrong on it: errors, failed loads, breaches of its content security policy. */
export interface WatchedPage {
  readonly page: Page;
  readonly problems: string[];
}

/** Opens a page that is watched from its first script on. */
export async function openPage(context: BrowserContext, url: string): Promise<WatchedPage> {
  const page = await context.newPage();
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
