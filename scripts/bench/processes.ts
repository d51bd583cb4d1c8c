/**
 * The processes that the benchmark starts: contestants, the stub, the proxy. All end with the process that started them.
 */
import * as ChildProcess from "node:child_process"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"
import type { Answer, Job } from "./jobs.ts"
import type { Sample } from "./measure.ts"

/** The cores of servers and of contestants: neither waits for the other. */
export const cores = { server: 0, client: 1 } as const

/** Whether processes are kept to their cores, which needs Linux's `taskset`. */
export const isPinned = ChildProcess.spawnSync("taskset", ["-V"], { stdio: "ignore" }).status === 0

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** The command, on a core of its own where that can be had. */
const pinned = (core: number, command: ReadonlyArray<string>): readonly [string, ...Array<string>] =>
  isPinned ? ["taskset", "-c", String(core), ...command] : [command[0]!, ...command.slice(1)]

/** Keeps a process that runs already, with all its threads, to a core. */
export const pin = (pid: number, core: number): void => {
  if (isPinned) ChildProcess.spawnSync("taskset", ["-a", "-c", "-p", String(core), String(pid)], { stdio: "ignore" })
}

const start = (core: number, command: ReadonlyArray<string>) => {
  const [program, ...args] = pinned(core, command)
  const child = ChildProcess.spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] })
  const lines = Readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => {
    const next = await lines.next()
    if (next.done === true) throw new Error(`${command.join(" ")} has ended`)
    return next.value
  }
  return { child, line }
}

/** One of our helper servers, `stub.ts` or `proxy.ts`; its ports. */
export const startHelper = async (name: string, ...args: ReadonlyArray<string>) => {
  const { child, line } = start(cores.server, [process.execPath, file(name), ...args])
  const ports = (await line()).split(" ").map(Number)
  return { ports, stop: () => void child.kill("SIGKILL") }
}

/** The longest that a contestant may take for one job, in milliseconds: the benchmark ends, whatever they do. */
const PATIENCE = 90_000

/** The command of a contestant. */
export interface Runner {
  readonly ask: (job: Exclude<Job, { readonly job: "close" }>, onReady?: () => void) => Promise<Sample>
  readonly stop: () => Promise<void>
}

/** Starts the process of a contestant, which is connected when this returns. */
export const startRunner = async (command: ReadonlyArray<string>): Promise<Runner> => {
  const { child, line } = start(cores.client, command)
  const answer = async (): Promise<Answer> => JSON.parse(await line()) as Answer
  const within = async (): Promise<Answer> => {
    const giveUp = setTimeout(() => child.kill("SIGKILL"), PATIENCE)
    try {
      return await answer()
    } finally {
      clearTimeout(giveUp)
    }
  }
  const first = await within()
  if (first.is !== "ready") throw new Error(first.is === "failed" ? first.reason : "no contestant")
  const write = (job: Job) => child.stdin.write(`${JSON.stringify(job)}\n`)
  return {
    ask: async (job, onReady) => {
      write(job)
      for (;;) {
        const next = await within()
        if (next.is === "sample") return next.sample
        if (next.is === "failed") throw new Error(`${command.at(-2) ?? ""}: ${next.reason}`)
        onReady?.()
      }
    },
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        const giveUp = setTimeout(() => child.kill("SIGKILL"), 2000)
        child.once("close", () => {
          clearTimeout(giveUp)
          resolve()
        })
        write({ job: "close" })
      })
  }
}

/** The command that runs one of the modules in `contestants`; `child` is another file than `child.ts` that does. */
export const contestantCommand = (module: string, servers: string, child = file("child.ts")): ReadonlyArray<string> => [
  process.execPath,
  "--expose-gc",
  child,
  module,
  servers
]

/** The command that runs kazoo. */
export const kazooCommand = (servers: string): ReadonlyArray<string> => ["/usr/bin/python3", file("kazoo.py"), servers]
