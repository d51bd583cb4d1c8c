/**
 * `npx -y pnpm@12 check`: all checks of the sources that do not run them.
 *
 * The steps run side by side where one does not need another's output; what they print comes in their order, and the exit
 * code is 1 if one of them has failed.
 */
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"

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

interface Outcome {
  readonly name: string
  readonly isFine: boolean
  readonly output: string
}

const run = ({ command, name }: Step): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = ChildProcess.spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.once("error", (error) => resolve({ name, isFine: false, output: error.message }))
    child.once("close", (code) => resolve({ name, isFine: code === 0, output }))
  })

/** Without a declaration file there is nothing to compare: what follows a failure in its chain is left out. */
const runChain = async (steps: ReadonlyArray<Step>): Promise<ReadonlyArray<Outcome>> => {
  const [first, ...rest] = steps
  if (first === undefined) return []
  const outcome = await run(first)
  return outcome.isFine || first.name !== "types" ? [outcome, ...(await runChain(rest))] : [outcome]
}

const outcomes = (await Promise.all(chains.map(runChain))).flat()

for (const { isFine, name, output } of outcomes) {
  console.log(`${isFine ? "✓" : "✗"} ${name}`)
  if (!isFine) console.error(output.trimEnd())
}
process.exitCode = outcomes.every(({ isFine }) => isFine) ? 0 : 1
