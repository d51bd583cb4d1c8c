/**
 * The cost of a start: the import of the client, the first answer of a new process, also where it is one file, and the size of
 * what an application bundles. Of the built packages, as they are published.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import { build } from "rolldown"
import type { Figure } from "./figures.ts"
import { digits, markdown, median } from "./tables.ts"
import { kilobyte } from "./workloads.ts"

/** The imports, as the statements of a module. */
const imports = {
  "effect/Effect and effect/Schema": 'import "effect/Effect"; import "effect/Schema"',
  "the client's index": 'import "@effect-zookeeper/client"'
} as const

const peer = "node-zookeeper-client"

/** A process to measure. */
interface Program {
  /** The statements of its module. */
  readonly source: string
  /** Whether Node keeps what it has compiled for the next process. */
  readonly isCached?: boolean
}

/** Programs that connect, read one znode and end, as statements of a module. */
const firstAnswers = (address: string, peers: string) => ({
  "Effect API": `
    import { ZooKeeper } from "@effect-zookeeper/client"
    import * as Effect from "effect/Effect"
    const program = Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => zk.get("${kilobyte}"))
    await Effect.runPromise(Effect.provide(program, ZooKeeper.layer({ servers: "${address}" })))`,
  "Promise facade": `
    import { PromiseClient } from "@effect-zookeeper/client"
    const zk = await PromiseClient.connect("${address}")
    await zk.get("${kilobyte}")
    await zk.close()`,
  [peer]: `
    import { createRequire } from "node:module"
    const zk = createRequire(${JSON.stringify(Path.join(peers, "package.json"))})("${peer}").createClient("${address}")
    const done = Promise.withResolvers()
    zk.once("connected", () => zk.getData("${kilobyte}", () => zk.close()))
    zk.once("disconnected", done.resolve)
    zk.connect()
    await done.promise`
})

/** The modules that an application may write. */
const applications = {
  "Effect API": 'export { ZooKeeper } from "@effect-zookeeper/client"',
  "Promise facade": 'export { PromiseClient } from "@effect-zookeeper/client"',
  "effect/Effect, Layer and Schema alone":
    'export * as Effect from "effect/Effect"; export * as Layer from "effect/Layer"; export * as Schema from "effect/Schema"'
} as const

export const startRuns = async (options: {
  /** With the packages as they are published. */
  readonly folder: string
  readonly rounds: number
  /** Of the stub. */
  readonly address: string
  /** The folder in which the peers from npm are installed. */
  readonly peers: string
}) => {
  const { folder } = options
  const rounds = Math.max(options.rounds, 9)
  const times = importTimes(folder, rounds)
  const [base = Number.NaN, ours = Number.NaN] = Object.keys(imports).map((name) => times.get(name) ?? Number.NaN)
  const answers = cpuTimes(folder, rounds, await answering(folder, firstAnswers(options.address, options.peers)))
  const sizes = await bundleSizes(folder)
  const theirs = answers.get(peer) ?? Number.NaN
  return {
    figures: [
      figure("import of the client", ours / base, 1.15, "that of effect/Effect and effect/Schema"),
      ...["Effect API", "Promise facade"].map((name) =>
        figure(`first answer of a new process, ${name}`, (answers.get(name) ?? Number.NaN) / theirs, 1.3, `${peer}'s`)
      )
    ],
    table: [
      markdown(
        ["a process that connects, reads and ends", "ms"],
        [...answers].map(([name, time]) => [name, digits(time)])
      ),
      "",
      markdown(
        ["import", "ms"],
        [...times].map(([name, time]) => [name, digits(time)])
      ),
      "",
      markdown(["bundle, minified", "KiB", "gzipped"], sizes)
    ].join("\n")
  }
}

const figure = (title: string, measured: number, bound: number, to: string): Figure => ({
  title: `${title}: client CPU`,
  bound: `at most ${bound} × ${to}`,
  measured: measured.toFixed(2),
  met: measured <= bound ? "yes" : "no"
})

/** The programs of the first answer, ours also as one file, as an application may deploy them. */
const answering = async (folder: string, programs: ReturnType<typeof firstAnswers>) => {
  const all = new Map<string, Program>([["an empty module", { source: "" }]])
  for (const [name, source] of Object.entries(programs)) all.set(name, { source })
  for (const name of ["Effect API", "Promise facade"] as const) {
    const source = await bundle(folder, programs[name], ["ws", /^node:/])
    all.set(`${name}, bundled`, { source })
    all.set(`${name}, bundled, with a compile cache`, { source, isCached: true })
  }
  return all
}

/** Milliseconds beyond what an empty module takes. */
const importTimes = (folder: string, rounds: number): ReadonlyMap<string, number> => {
  const modules = Object.entries({ nothing: "", ...imports })
  const times = cpuTimes(folder, rounds, new Map(modules.map(([name, source]) => [name, { source }])))
  const nothing = times.get("nothing") ?? Number.NaN
  return new Map(Object.keys(imports).map((name) => [name, (times.get(name) ?? Number.NaN) - nothing]))
}

/** Milliseconds of processor time that each module takes in a process of its own, in turn. */
const cpuTimes = (
  folder: string,
  rounds: number,
  programs: ReadonlyMap<string, Program>
): ReadonlyMap<string, number> => {
  const taken = new Map([...programs.keys()].map((name): [string, Array<number>] => [name, []]))
  const report = "const { user, system } = process.cpuUsage(); console.log(user + system)"
  const cached = { ...process.env, NODE_COMPILE_CACHE: Path.join(folder, "compiled") }
  // Each has a file of its own: the compile cache knows a module by its path.
  const runs = [...programs].map(([name, { isCached, source }], index) => {
    const file = Path.join(folder, `module${index}.mjs`)
    Fs.writeFileSync(file, `${source}\n${report}\n`)
    return { name, file, env: isCached === true ? cached : process.env }
  })
  for (let round = 0; round < rounds; round++) {
    for (const { env, file, name } of runs) {
      const run = ChildProcess.spawnSync(process.execPath, [file], { encoding: "utf8", env })
      if (run.status !== 0) throw new Error(run.stderr)
      taken.get(name)?.push(Number(run.stdout) / 1000)
    }
  }
  return new Map([...taken].map(([name, times]) => [name, median(times)]))
}

const bundleSizes = async (folder: string): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const [name, source] of Object.entries(applications)) {
    for (const [suffix, external] of [
      ["", ["ws", /^node:/]],
      [", effect not counted", ["ws", /^node:/, /^effect\//, /^@effect\//]]
    ] as const) {
      if (suffix !== "" && !source.includes("zookeeper")) continue
      const code = await bundle(folder, source, external)
      const gzipped = Zlib.gzipSync(code).length
      rows.push([`${name}${suffix}`, digits(code.length / 1024), digits(gzipped / 1024)])
    }
  }
  return rows
}

/** A module and all that it imports as one, minified. */
const bundle = async (folder: string, source: string, external: ReadonlyArray<string | RegExp>): Promise<string> => {
  const input = Path.join(folder, "application.mjs")
  Fs.writeFileSync(input, source)
  const { output } = await build({
    input,
    external: [...external],
    platform: "node",
    logLevel: "silent",
    write: false,
    output: { minify: true, codeSplitting: false }
  })
  return output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("")
}
