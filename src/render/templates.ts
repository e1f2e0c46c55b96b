// Handlebars, kept strict: templates see only what their model has, escape everything, and know two helpers.

import Handlebars from "handlebars";

import { HdashError, messageOf } from "../error.ts";
import { HIDDEN } from "./svg.ts";

/** Turns a page's model into HTML by the template's name. */
export interface Templates {
  render(template: string, model: object): string;
}

/** Template sources by name; those under "partials/" are parts of others. E.g. {"site/list": "…", "partials/table": "…"}. */
export type TemplateSources = Readonly<Record<string, string>>;

const PARTIAL = "partials/";
/** Control characters that HTML has no use for. */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
const OPTIONS = {
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: { svg: true, dataBlock: true },
  // Indentation before a partial would be repeated inside <pre> and SVG text.
  preventIndent: true,
};

/** Compiles all templates once; a template that does not parse, or a model that lacks a value, is a permanent error that names it. */
export function makeTemplates(sources: TemplateSources): Templates {
  const bars = Handlebars.create();
  bars.registerHelper("svg", (markup: unknown) => new Handlebars.SafeString(checkedSvg(markup)));
  bars.registerHelper(
    "dataBlock",
    (value: unknown) => new Handlebars.SafeString(scriptJson(value)),
  );
  const pages = new Map<string, Handlebars.TemplateDelegate>();
  for (const [name, source] of Object.entries(sources)) {
    if (name.startsWith(PARTIAL)) {
      bars.registerPartial(name.slice(PARTIAL.length), bars.compile(source, OPTIONS));
    } else {
      pages.set(name, bars.compile(source, OPTIONS));
    }
  }
  return {
    render(template, model) {
      const page = pages.get(template);
      if (page === undefined) throw new HdashError("permanent", `there is no template ${template}`);
      try {
        // Data may hold characters that change the direction of the text around them: no page has any.
        return page(model).replace(CONTROLS, "").replace(HIDDEN, "");
      } catch (error) {
        throw new HdashError("permanent", `template ${template} could not be filled in`, {
          cause: error,
        });
      }
    },
  };
}

/** Templates that are none, or that ask for a partial there is not: name → what is wrong, with its line. */
export function problemsOf(sources: TemplateSources): Readonly<Record<string, string>> {
  const bars = Handlebars.create();
  const partials = Object.keys(sources)
    .filter((name) => name.startsWith(PARTIAL))
    .map((name) => name.slice(PARTIAL.length));
  const problems: Record<string, string> = {};
  for (const [name, source] of Object.entries(sources)) {
    try {
      bars.precompile(source, OPTIONS);
      const wanted = new WantedPartials();
      wanted.accept(bars.parse(source));
      const missing = wanted.found.find(({ partial }) => !partials.includes(partial));
      if (missing === undefined) continue;
      problems[name] =
        `there is no partial ${missing.partial}, which line ${missing.line} asks for`;
    } catch (error) {
      problems[name] = messageOf(error);
    }
  }
  return problems;
}

/** Handlebars looks for a partial only when a page is filled in, and only on the way that its model takes. */
class WantedPartials extends Handlebars.Visitor {
  readonly found: { readonly partial: string; readonly line: number }[] = [];
  override PartialStatement(node: hbs.AST.PartialStatement): void {
    const { name } = node;
    // A name that the page works out cannot be known here, and @partial-block is what stands in the block.
    if ("original" in name && name.original !== "@partial-block") {
      this.found.push({ partial: name.original, line: node.loc.start.line });
    }
    super.PartialStatement(node);
  }
}

/** A style within SVG; texts may hold the word, within the quotes of attributes and between tags. */
const STYLE = /<style|<\w+(?:\s+[^\s=<>"]+="[^"]*")*\s+style=/i;

/** Lets through what our own figures are: one SVG element without script, and without styles, which the pages' policy forbids. */
function checkedSvg(markup: unknown): string {
  if (markup === "") return "";
  const isOurs = typeof markup === "string" && /^<svg[\s>]/.test(markup);
  if (isOurs && !/<script/i.test(markup) && !STYLE.test(markup)) return markup;
  throw new HdashError("permanent", `a figure is no plain SVG: ${String(markup).slice(0, 60)}`);
}

/** Writes JSON for a data block: `<` could end the block, and the line separators are no JSON to old readers. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}
