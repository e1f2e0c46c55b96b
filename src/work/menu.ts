// The menu of a site: which jobs have pages there, and in which order every page names them.

import type { Effects } from "../effects.ts";
import { HdashError } from "../error.ts";
import { type Job, PIPELINES, PIPELINES_FOLDER, type ReadMenu } from "../job.ts";
import type { Menu } from "../render/page.ts";

/** What the menu is made from of a job. */
type MenuJob = Pick<Job, "name" | "pages">;

/** Sorts jobs as menus name them: the one whose page is the site's first, then the others in the order of the list. */
export function inMenuOrder<J extends MenuJob>(jobs: readonly J[]): readonly J[] {
  const isHome = ({ pages }: J): boolean => pages?.places[0].path === "index.html";
  return [...jobs.filter(isHome), ...jobs.filter((job) => !isHome(job))];
}

/**
 * Makes the menu that the pages of a job show.
 * @param jobs all that there are, in the order in which a run of everything does them. @param published names of those that have something on
 * the site: what a job had to show has been published before its turn is over. @param given names of those whose turn may still come: where
 * one stands after this job in the list, it is going to publish there. @param hasPipelines whether pages of users' pipelines are there: they
 * share one place, behind all others.
 */
export function makeMenu(
  own: MenuJob,
  jobs: readonly MenuJob[],
  { published, given, hasPipelines }: SiteContents,
): Menu {
  const turn = jobs.findIndex(({ name }) => name === own.name);
  const shown = inMenuOrder(
    jobs.filter(
      ({ name }, at) =>
        name === own.name || published.includes(name) || (at > turn && given.includes(name)),
    ),
  );
  const all = [...shown.flatMap(({ pages }) => pages ?? []), ...(hasPipelines ? [PIPELINES] : [])];
  const [first] = all;
  if (first === undefined) {
    throw new HdashError("permanent", `${own.name} has no pages, and asks for a menu`);
  }
  const { brand, places } = first;
  return {
    brand: { label: brand, path: places[0].path },
    places: all.flatMap((one) => one.places),
  };
}

interface SiteContents {
  readonly published: readonly string[];
  readonly given: readonly string[];
  readonly hasPipelines: boolean;
}

/** Opens what makes the menu of any site for a job. */
export function openMenu(effects: Effects, own: Job, jobs: readonly Job[]): ReadMenu {
  return async (site) => {
    const { listOwners, listUnder } = await import("../store/publications.ts");
    const { db } = await effects.database();
    const published = [...(await listOwners(db, site))];
    for (const { name, pages } of jobs) {
      if (pages?.isOfNoScope !== true) continue;
      if ((await listUnder(db, site, pages.places[0].path)).includes(name)) published.push(name);
    }
    const hasPipelines =
      own.isUsers === true || (await listUnder(db, site, PIPELINES_FOLDER)).length > 0;
    // A job that is configured publishes to the site of the settings; of another place nothing is known but what is there.
    const isConfigured = site === (await effects.publisher()).site;
    return makeMenu(own, jobs, {
      published,
      given: isConfigured ? effects.config.given : [],
      hasPipelines,
    });
  };
}
