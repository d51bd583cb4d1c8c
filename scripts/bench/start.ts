/**
 * The cost of a start: the import of the client, and the size of what an application bundles. Of the built packages, as
 * they are published.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import { build } from "rolldown"
import type { Figure } from "./figures.ts"
import { makePublished } from "./published.ts"
import { digits, markdown, median } from "./tables.ts"

export interface Start {
  readonly table: string
  readonly figures: ReadonlyArray<Figure>
}

/** The imports, as the statements of a module. */
const imports = {
  "effect/Effect and effect/Schema": 'import "effect/Effect"; import "effect/Schema"',
  "the client's index": 'import "@effect-zookeeper/client"'
} as const

/** The modules that an application may write. */
const applications = {
  "Effect API": 'export { ZooKeeper } from "@effect-zookeeper/client"',
  "Promise facade": 'export { PromiseClient } from "@effect-zookeeper/client"',
  "effect/Effect, Layer and Schema alone":
    'export * as Effect from "effect/Effect"; export * as Layer from "effect/Layer"; export * as Schema from "effect/Schema"'
} as const

export const startRuns = async (rounds: number): Promise<Start> => {
  const folder = await makePublished()
  try {
    const times = importTimes(folder, Math.max(rounds, 9))
    const [base = Number.NaN, ours = Number.NaN] = Object.keys(imports).map((name) => times.get(name) ?? Number.NaN)
    const sizes = await bundleSizes(folder)
    return {
      figures: [
        {
          title: "import of the client's index: time",
          bound: "at most 1.5 × that of effect/Effect and effect/Schema",
          measured: (ours / base).toFixed(2),
          met: ours / base <= 1.5 ? "yes" : "no"
        }
      ],
      table: [
        markdown(
          ["import", "ms"],
          [...times].map(([name, time]) => [name, digits(time)])
        ),
        "",
        markdown(["bundle, minified", "KiB", "gzipped"], sizes)
      ].join("\n")
    }
  } finally {
    Fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** Milliseconds of processor time beyond what an empty module takes, each a process of its own, in turn. */
const importTimes = (folder: string, rounds: number): ReadonlyMap<string, number> => {
  const sources = Object.entries({ nothing: "", ...imports })
  const taken = new Map(sources.map(([name]): [string, Array<number>] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, source] of sources) {
      const file = Path.join(folder, "import.mjs")
      const report = "const { user, system } = process.cpuUsage(); console.log(user + system)"
      Fs.writeFileSync(file, `${source}\n${report}\n`)
      const run = ChildProcess.spawnSync(process.execPath, [file], { encoding: "utf8" })
      if (run.status !== 0) throw new Error(run.stderr)
      taken.get(name)?.push(Number(run.stdout) / 1000)
    }
  }
  const nothing = median(taken.get("nothing") ?? [])
  return new Map(Object.keys(imports).map((name) => [name, median(taken.get(name) ?? []) - nothing]))
}

const bundleSizes = async (folder: string): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const [name, source] of Object.entries(applications)) {
    const input = Path.join(folder, "application.mjs")
    Fs.writeFileSync(input, source)
    for (const [suffix, external] of [
      ["", ["ws", /^node:/]],
      [", effect not counted", ["ws", /^node:/, /^effect\//, /^@effect\//]]
    ] as const) {
      if (suffix !== "" && !source.includes("zookeeper")) continue
      const { output } = await build({
        input,
        external: [...external],
        platform: "node",
        logLevel: "silent",
        write: false,
        output: { minify: true }
      })
      const code = output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("")
      const gzipped = Zlib.gzipSync(code).length
      rows.push([`${name}${suffix}`, digits(code.length / 1024), digits(gzipped / 1024)])
    }
  }
  return rows
}
