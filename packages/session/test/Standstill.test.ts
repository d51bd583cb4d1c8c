/** Processes that stand still for longer than their session, in real time: what they owned is lost before they act on. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

// Two processes are started, and the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

/** Milliseconds. */
const SESSION = 1500

interface Told {
  readonly log: ReadonlyArray<string>
  /** Whether the ephemeral znode of before is there and its own. */
  readonly isMine: boolean
  /** Whether the session is still the one of before. */
  readonly isSame: boolean
}

const standStill = (mode: "loop" | "stop", path: string): Effect.Effect<Told> =>
  Effect.callback((resume) => {
    const file = fileURLToPath(new URL("support/stalled.ts", import.meta.url))
    const child = spawn(process.execPath, [file, TestServer.connectString(), path, mode, String(SESSION)], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let output = ""
    let waking: Fiber.Fiber<boolean> | undefined
    child.stdout.on("data", (chunk: Buffer) => {
      output += String(chunk)
      if (mode !== "stop" || waking !== undefined || !output.includes("ready")) return
      child.kill("SIGSTOP")
      const wake = Effect.sync(() => child.kill("SIGCONT"))
      waking = Effect.runFork(Effect.delay(wake, SESSION * 1.6))
    })
    child.on("close", () => {
      const last = output.trim().split("\n").at(-1) ?? ""
      resume(last.startsWith("{") ? Effect.succeed(JSON.parse(last) as Told) : Effect.die(new Error(output)))
    })
    return Effect.sync(() => {
      waking?.interruptUnsafe()
      child.kill("SIGKILL")
    })
  })

describe("F37: a process that stands still for longer than its session", () => {
  it.live("owns nothing when it goes on, whatever stopped it, and is told before it does anything else", () =>
    Effect.gen(function* () {
      const modes = ["loop", "stop"] as const
      const all = yield* Effect.forEach(modes, (mode) => standStill(mode, TestServer.freshPath(mode)), {
        concurrency: 2
      })
      for (const [index, { isMine, isSame, log }] of all.entries()) {
        const still = log.indexOf("stood still")
        assert.isAtLeast(still, 1, modes[index])
        assert.include(log.slice(0, still), "held")
        assert.include(log, "lost")
        assert.notInclude(log, "owns")
        // Not a single act of a holder between the standstill and the news, nor afterwards on behalf of what was lost.
        const told = log.indexOf("lost")
        assert.notInclude(log.slice(still, Math.max(told, still)), "held", `${modes[index]}: ${log.join(", ")}`)
        // The server has ended the session meanwhile; if it was late itself, the znode is still there, and still ours.
        assert.strictEqual(isMine, isSame)
      }
    })
  )
})
