/**
 * The memory of a process after 10,000 watches and 50,000 gets: the client's, beside its peer's in the same runtime.
 */
import type { Figure } from "./figures.ts"
import type { Entry } from "./contestants.ts"
import { startRunner } from "./processes.ts"
import { digits, markdown, median } from "./tables.ts"
import { kilobyte, watched } from "./workloads.ts"

export interface Memory {
  readonly table: string
  readonly figures: ReadonlyArray<Figure>
}

const peer = "node-zookeeper-client"

export const memoryRuns = async (options: {
  /** Of the stub. */
  readonly address: string
  readonly entries: ReadonlyArray<Entry>
  readonly rounds: number
}): Promise<Memory> => {
  const entries = options.entries.filter(({ name }) => ["effect", "promise", peer].includes(name))
  const taken = new Map(entries.map(({ name }): [string, Array<number>] => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const entry of entries) taken.get(entry.name)?.push(await memoryOf(entry, options.address))
  }
  const mebibytes = new Map([...taken].map(([name, rss]) => [name, median(rss) / 1_048_576]))
  const ours = mebibytes.get("effect")
  const theirs = mebibytes.get(peer)
  return {
    table: markdown(
      ["after 10,000 watches and 50,000 gets", "resident memory, MiB"],
      [...mebibytes].map(([name, value]) => [name, digits(value)])
    ),
    figures:
      ours === undefined || theirs === undefined
        ? []
        : [
            {
              title: "memory after 10,000 watches and 50,000 gets",
              bound: `at most ${peer}'s`,
              measured: `${(ours / theirs).toFixed(2)} (${digits(ours)} and ${digits(theirs)} MiB)`,
              met: ours <= theirs ? "yes" : "no"
            }
          ]
  }
}

const memoryOf = async (entry: Entry, address: string): Promise<number> => {
  const runner = await startRunner(entry.command(address))
  await runner.ask({ job: "step", step: { op: "watch", root: watched, count: 10_000, inFlight: 256 }, stride: 0 })
  const step = { op: "get", path: kilobyte, count: 50_000, inFlight: 256 } as const
  const { rss } = await runner.ask({ job: "step", step, stride: 0 })
  await runner.stop()
  return rss
}
