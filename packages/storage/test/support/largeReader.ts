/** A process that reads a snapshot or a log, and prints what it took: its own memory is what counts. */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { Snapshot, TransactionLog } from "../../src/index.ts"

/** What reading took: milliseconds of work, and the most memory of the process in megabytes. */
export interface Taken {
  readonly records: number
  readonly millis: number
  readonly megabytes: number
}

const [kind = "", file = ""] = process.argv.slice(2)

const count = kind === "snapshot" ? Stream.runCount(Snapshot.read(file)) : Stream.runCount(TransactionLog.read(file))

/** Where there is no such file, `resourceUsage` has it, on Linux with the memory that the parent had when it started this process. */
const mostMemory = (): number => {
  const status = "/proc/self/status"
  const [, kibibytes] = Fs.existsSync(status) ? (/VmHWM:\s+(\d+)/.exec(Fs.readFileSync(status, "utf8")) ?? []) : []
  return ((kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes)) * 1024) / 1e6
}

const program = Effect.gen(function* () {
  const before = process.cpuUsage()
  const records = yield* count
  const { system, user } = process.cpuUsage(before)
  const taken: Taken = { records, millis: (system + user) / 1000, megabytes: mostMemory() }
  yield* Console.log(JSON.stringify(taken))
})

await program.pipe(Effect.provide(NodeFileSystem.layer), Effect.runPromise)
