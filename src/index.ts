// What a user's pipeline imports from "hdash".

export { data } from "./jobs/analysis/writing/data.ts";
export type { DeclaredStep, Resources, StepTools } from "./jobs/analysis/writing/declare.ts";
export { command, container, source, step } from "./jobs/analysis/writing/declare.ts";
export type { Handle } from "./jobs/analysis/writing/handle.ts";
export type { Kind } from "./jobs/analysis/writing/kinds.ts";
export {
  boolean,
  choice,
  file,
  folder,
  integer,
  json,
  list,
  number,
  optional,
  table,
  text,
} from "./jobs/analysis/writing/kinds.ts";
export type { DeclaredPipeline, PlanTools, ScopeResult } from "./jobs/analysis/writing/pipeline.ts";
export { pipeline } from "./jobs/analysis/writing/pipeline.ts";
export type { Script, StagedPath } from "./jobs/analysis/writing/script.ts";
export { sh } from "./jobs/analysis/writing/script.ts";
export type { InputFile, InputFolder } from "./jobs/analysis/writing/values.ts";
