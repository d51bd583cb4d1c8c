/** Processes that stand still for longer than their session, in real time: what they owned is lost before they act on. */
import { assert, describe } from "@effect/vitest"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { connectLive, create, statesOf } from "../support/session.ts"
import { now } from "../support/time.ts"

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
    const file = fileURLToPath(new URL("../support/stalled.ts", import.meta.url))
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
  itLive("owns nothing when it goes on, whatever stopped it, and is told before it does anything else", function* () {
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
})

/** Nothing else runs in this process meanwhile. */
const block = (millis: number) =>
  Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
  })

describe("a stall of the process is not the silence of the server", () => {
  itLive("a connection that has rested is kept after a stall of nearly half of the timeout", function* () {
    const session = yield* connectLive({ servers: TestServer.connectString(), sessionTimeout: "6 seconds" })
    const states = yield* statesOf(session)
    // The ping would be due after two seconds: none is on its way when everything stops, and at 4.2 seconds nothing has
    // been heard for more than two thirds of the timeout.
    yield* Effect.sleep("1600 millis")
    yield* block(2600)
    yield* create(session, TestServer.freshPath("stalled"))
    yield* Effect.sleep("1200 millis")
    assert.deepStrictEqual(states, ["Connected"])
  })

  itLive("a first connection whose answer came meanwhile is not given up", function* () {
    const options = {
      servers: TestServer.connectString(),
      sessionTimeout: "4 seconds",
      connectTimeout: "1 second"
    } as const
    const connecting = yield* Effect.forkScoped(connectLive(options), now)
    // The dial has begun, and the modules that it needs are there.
    yield* Effect.sleep("1 millis")
    yield* block(1500)
    assert.strictEqual((yield* Fiber.join(connecting)).info.state._tag, "Connected")
  })
})
