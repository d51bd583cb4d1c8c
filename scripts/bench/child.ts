/**
 * The process of one contestant: `child.ts <contestant> <servers>`, then jobs on stdin and answers on stdout.
 */
import * as Net from "node:net"
import * as Path from "node:path"
import * as Readline from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import type { Connect, Contestant, Step } from "./contestant.ts"
import type { Answer, Job } from "./jobs.ts"
import { Latencies, measured, type Sample } from "./measure.ts"
import type { openRecipes } from "./recipeWork.ts"

const [name = "", servers = ""] = process.argv.slice(2)

const { connect } = (await import(`./contestants/${name}${Path.extname(import.meta.url)}`)) as {
  readonly connect: Connect
}

/** Milliseconds. */
const SWEEP = 100

/** All garbage is gone, and the collector's threads, which go on sweeping for a while, are done. */
const collected = async (): Promise<void> => {
  globalThis.gc?.()
  await sleep(SWEEP)
}

/** Bytes that live: objects, and what lies outside of the heap. */
const memory = async (): Promise<number> => {
  await collected()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** The session of the recipes, once one is asked for. */
let recipes: ReturnType<typeof openRecipes> | undefined

const tell = (answer: Answer): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

const run = async (contestant: Contestant, job: Exclude<Job, { readonly job: "close" }>): Promise<Sample> => {
  switch (job.job) {
    case "step": {
      const latencies = new Latencies(job.stride)
      const step = contestant.prepare(job.step)
      // Encoding frames beforehand is no cost of the floor, and neither is its garbage.
      if (name === "floor") await collected()
      const { bursts = 1 } = job
      return measured(job.step.count * bursts, latencies, async () => {
        for (let burst = 0; burst < bursts; burst++) await step(latencies)
      })
    }
    case "warm": {
      const other = await connect(job.servers)
      const step = other.prepare(job.step)
      const latencies = new Latencies(0)
      const sample = await measured(job.step.count, latencies, () => step(latencies))
      await other.close()
      return sample
    }
    case "idle":
      return measured(1, new Latencies(0), collected)
    case "deliver": {
      const fired = contestant.allFired()
      // The waiting fibers are there before the events are.
      await sleep(50)
      return measured(job.count, new Latencies(0), () => {
        tell({ is: "ready" })
        return fired
      })
    }
    case "sessions": {
      const latencies = new Latencies(1)
      return measured(job.count, latencies, async () => {
        for (let index = 0; index < job.count; index++) {
          const begun = latencies.begin(index)
          const client = await connect(servers)
          await client.getOnce(job.path)
          latencies.end(begun)
          await client.close()
        }
      })
    }
    case "many": {
      await collected()
      const before = process.memoryUsage.rss()
      const heapBefore = process.memoryUsage().heapUsed
      const all: Array<Contestant> = []
      while (all.length < job.sessions) all.push(await connect(servers))
      await collected()
      const rss = process.memoryUsage.rss() - before
      const heap = process.memoryUsage().heapUsed - heapBefore
      const count = Math.ceil(job.count / job.sessions)
      const step: Step = { op: "get", path: job.path, count, inFlight: job.inFlight }
      const latencies = new Latencies(0)
      const go = () => Promise.all(all.map((each) => each.prepare(step)(latencies))).then(() => {})
      await go()
      const sample = await measured(count * job.sessions, latencies, go)
      await Promise.all(all.map((each) => each.close()))
      return { ...sample, rss, heap }
    }
    case "own": {
      const { openSessions } = await import("./owning.ts")
      const close = await openSessions(servers, job.sessions, job.having)
      // The set-up does not count.
      await collected()
      tell({ is: "ready" })
      const sample = await measured(1, new Latencies(0), () => sleep(job.stretch))
      await close()
      return sample
    }
    case "recipe": {
      recipes ??= (await import("./recipeWork.ts")).openRecipes(servers)
      const { run } = await recipes
      // A cache is measured by what it holds, too.
      const before = job.work === "tree" ? await memory() : 0
      const sample = await measured(job.count, new Latencies(0), () => run(job.work, job.path, job.count))
      return job.work === "tree" ? { ...sample, heap: (await memory()) - before } : sample
    }
    case "reconnect": {
      const control = Net.connect({ port: job.control, host: "127.0.0.1", noDelay: true })
      await new Promise((resolve) => control.once("connect", resolve))
      // Connections that last less than a second, one after the other, are what clients back off from.
      await sleep(1200)
      const sample = await measured(1, new Latencies(0), async () => {
        const dropped = new Promise((resolve) => control.once("data", resolve))
        control.write("drop")
        await dropped
        await contestant.getOnce(job.path)
      })
      control.destroy()
      return sample
    }
  }
}

const contestant = await connect(servers)
tell({ is: "ready" })
for await (const line of Readline.createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job
  if (job.job === "close") break
  try {
    tell({ is: "sample", sample: await run(contestant, job) })
  } catch (error) {
    tell({ is: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
await contestant.close()
await recipes?.then(({ close }) => close())
process.exit(0)
