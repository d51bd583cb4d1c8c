/**
 * `npx -y pnpm@12 check`: all checks of the sources that do not run them.
 *
 * The steps run side by side where one does not need another's output; what they print comes in their order, and the exit
 * code is 1 if one of them has failed.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { capture } from "./steps.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Step {
  readonly name: string
  readonly command: ReadonlyArray<string>
}

/** The declarations that the API reports are compared with are the compiler's. */
const chains: ReadonlyArray<ReadonlyArray<Step>> = [
  [
    { name: "types", command: ["node_modules/typescript/bin/tsc", "-b", "tsconfig.json"] },
    { name: "API reports", command: ["scripts/apiReport.ts", "--check"] },
    { name: "bundle sizes", command: ["scripts/bundleSizes.ts", "--check"] }
  ],
  [
    { name: "lint", command: ["node_modules/oxlint/bin/oxlint", "--deny-warnings"] },
    { name: "format", command: ["node_modules/oxfmt/bin/oxfmt", "--check", "."] },
    { name: "prose", command: ["scripts/prose/main.ts", "--check"] },
    {
      name: "spelling (words that are right go into scripts/prose/words.txt)",
      command: [
        "node_modules/cspell/bin.mjs",
        ...["lint", "--no-progress", "--quiet", "--cache", "--cache-location", "node_modules/.cache/cspell"]
      ]
    }
  ]
]

const runStep = ({ command, name }: Step) =>
  Effect.map(capture(process.execPath, command, root), ({ code, printed }) => ({ name, isFine: code === 0, printed }))

/** Without a declaration file there is nothing to compare: what follows a failure in its chain is left out. */
const runChain = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>) {
  const outcomes: Array<Effect.Success<ReturnType<typeof runStep>>> = []
  for (const step of steps) {
    const outcome = yield* runStep(step)
    outcomes.push(outcome)
    if (step.name === "types" && !outcome.isFine) break
  }
  return outcomes
})

const program = Effect.gen(function* () {
  const outcomes = (yield* Effect.forEach(chains, runChain, { concurrency: "unbounded" })).flat()
  for (const { isFine, name, printed } of outcomes) {
    yield* Console.log(`${isFine ? "✓" : "✗"} ${name}`)
    if (!isFine) yield* Console.error(printed.trimEnd())
  }
  process.exitCode = outcomes.every(({ isFine }) => isFine) ? 0 : 1
})

NodeRuntime.runMain(program)
