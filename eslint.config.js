// The house rules that a machine can check. Every rule written here by hand has a snippet in test/fixtures/lint that it refuses.

import simpleImportSort from "eslint-plugin-simple-import-sort";
import tseslint from "typescript-eslint";

/** Rules of syntax: a selector, and the sentence that says what to do instead. */
const EVERYWHERE = [
  ["TSEnumDeclaration", "Use a union of literals: Node runs TypeScript without enums."],
  ["ExportDefaultDeclaration", "Use a named export."],
];
const ENVIRONMENT = [
  "MemberExpression[object.name='process'][property.name='env']",
  "Only shell.ts reads the environment.",
];
const EXIT = [
  "MemberExpression[object.name='process'][property.name=/^(exit|exitCode|abort)$/]",
  "Only main.ts and util.ts end the process.",
];
const CLOCK = [
  ["MemberExpression[object.name='Date'][property.name='now']", "The clock is an argument."],
  ["NewExpression[callee.name='Date'][arguments.length=0]", "The clock is an argument."],
];
const DICE = [
  "MemberExpression[object.name='Math'][property.name='random']",
  "Randomness comes from a seed that is a parameter.",
];
const FETCH = [
  ":matches(CallExpression[callee.name='fetch'], MemberExpression[property.name='fetch'])",
  "Only sources/ talks HTTP.",
];
const TIMER = [
  "CallExpression[callee.name=/^(setTimeout|setInterval)$/]",
  "Waiting between attempts is retry.ts's; name the owner of any other timer in eslint.config.js.",
];

const syntax = (...rules) => [
  "error",
  ...rules.map(([selector, message]) => ({ selector, message })),
];

/** What each owner may do that the rest of src may not. */
const OWNERS = [
  { files: ["src/shell.ts"], owns: [ENVIRONMENT, ...CLOCK] },
  { files: ["src/main.ts", "src/util.ts"], owns: [EXIT] },
  // fontconfig, a C library, is configured by environment variables and by nothing else.
  { files: ["src/effects.ts"], owns: [ENVIRONMENT, ...CLOCK] },
  { files: ["src/retry.ts"], owns: [DICE, TIMER] },
  { files: ["src/progress/view.ts"], owns: [...CLOCK, TIMER] },
  { files: ["src/engine/**"], owns: [TIMER] },
  { files: ["src/sources/**", "src/jobs/*/sources/**"], owns: [FETCH, TIMER] },
  { files: ["src/store/**"], owns: [TIMER] },
  // Programs are looked at while they run, and ended when their time is over.
  { files: ["src/runners/**"], owns: [TIMER] },
  // Its clock stands still.
  { files: ["src/store/templateProcess.ts"], owns: [...CLOCK] },
  // The process of an analysis: its parent ends it when it hangs, and it ends with its parent.
  { files: ["src/jobs/matrix/forkAnalysis.ts"], owns: [TIMER] },
  { files: ["src/jobs/matrix/analysisProcess.ts"], owns: [EXIT] },
  // Slack's client is given a fetch that can be stopped.
  { files: ["src/publish/slack.ts"], owns: [FETCH] },
  // The look-alikes are the outside world: they have clocks and timers of their own.
  {
    files: ["src/lookalikes/**", "src/jobs/*/demo/**", "src/commands/demo.ts"],
    owns: [...CLOCK, DICE, TIMER],
  },
];
const OWNED = [ENVIRONMENT, EXIT, ...CLOCK, DICE, FETCH, TIMER];

export default tseslint.config(
  {
    ignores: [
      "dist",
      "site",
      ".hdash",
      ".node",
      "bench/worlds",
      // Projects of their own, by the settings that they bring along: a test checks and runs each.
      "starters",
      "**/*-changed",
      "infra/cdk.out",
      "coverage",
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { "simple-import-sort": simpleImportSort },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "simple-import-sort/imports": "error",
      "simple-import-sort/exports": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/ban-ts-comment": [
        "error",
        { "ts-expect-error": "allow-with-description" },
      ],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      // An async function without await is how an interface of promises is met.
      "@typescript-eslint/require-await": "off",
      // Our interfaces are objects of functions that do not use `this`; there are hardly any classes.
      "@typescript-eslint/unbound-method": "off",
      "no-empty": ["error", { allowEmptyCatch: false }],
      eqeqeq: "error",
      "no-restricted-syntax": syntax(...EVERYWHERE),
    },
  },
  {
    // A pipeline is its module's default export.
    files: ["test/jobs/analysis/pipelines/*.ts", "examples/*/*.ts", "bench/engine/pipeline.ts"],
    rules: { "no-restricted-syntax": syntax(...EVERYWHERE.slice(0, 1)) },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-syntax": syntax(...EVERYWHERE, ...OWNED),
    },
  },
  ...OWNERS.map(({ files, owns }) => ({
    files,
    rules: {
      "no-restricted-syntax": syntax(
        ...EVERYWHERE,
        ...OWNED.filter((rule) => !owns.includes(rule)),
      ),
    },
  })),
  { files: ["src/main.ts", "src/util.ts"], rules: { "no-console": "off" } },
  {
    // Comments and blank lines count: who reads a function reads them too.
    files: ["src/**/*.ts", "infra/*.ts"],
    rules: {
      "max-lines": ["error", 400],
      "max-lines-per-function": [
        "error",
        { max: 120, skipComments: false, skipBlankLines: false, IIFEs: true },
      ],
    },
  },
  // Vitest and this linter read their settings from a default export.
  { files: ["vitest.config.ts"], rules: { "no-restricted-syntax": "off" } },
  {
    // Vitest awaits the async callbacks it is given; the type of a server's handler does not say who does.
    files: ["test/**/*.ts", "infra/test/**/*.ts", "bench/**/*.ts"],
    rules: { "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }] },
  },
  {
    // A script of the browser has no imports; what a global is, the type checker knows (views/assets/tsconfig.json).
    files: ["views/assets/**/*.js"],
    languageOptions: { sourceType: "script" },
    rules: {
      "no-unused-vars": ["error", { caughtErrors: "none" }],
      "no-var": "error",
      "prefer-const": "error",
      "no-console": "error",
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
    },
  },
);
