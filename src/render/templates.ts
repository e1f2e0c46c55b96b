// Handlebars, kept strict: templates see only what their model has, escape everything, and know two helpers.

import Handlebars from "handlebars";

import { HdashError } from "../error.ts";
import { HIDDEN } from "./svg.ts";

/** Turns a page's model into HTML by the template's name. */
export interface Templates {
  render(template: string, model: object): string;
}

/** Template sources by name; those under "partials/" are parts of others. E.g. {"atlas": "…", "partials/table": "…"}. */
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
        // Words are from data: none may turn its neighbours around, on whatever page and in whatever place it stands.
        return page(model).replace(CONTROLS, "").replace(HIDDEN, "");
      } catch (error) {
        throw new HdashError("permanent", `template ${template} could not be filled in`, {
          cause: error,
        });
      }
    },
  };
}

/** Throws where a text is no template; the message names its line. */
export function checkTemplate(source: string): void {
  Handlebars.create().precompile(source, OPTIONS);
}

/** Lets through what our own figures are: one SVG element without script. */
function checkedSvg(markup: unknown): string {
  if (markup === "") return "";
  if (typeof markup === "string" && /^<svg[\s>]/.test(markup) && !/<script/i.test(markup)) {
    return markup;
  }
  throw new HdashError("permanent", `a figure is no plain SVG: ${String(markup).slice(0, 60)}`);
}

/** Writes JSON for a data block: `<` could end the block, and the line separators are no JSON to old readers. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}
