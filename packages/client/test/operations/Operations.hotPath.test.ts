/**
 * The cost of a request beside its bytes: V8 counts the calls of every function, so that nothing can hide.
 */
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { PromiseClient, SessionClosed, ZooKeeper } from "../../src/index.ts"
import { connectFresh, itInChroot } from "../support/clients.ts"
import { type Calls, type Control, type Report, REQUESTS } from "../support/functionCalls.ts"

const program = fileURLToPath(new URL("../support/functionCalls.ts", import.meta.url))

/** Counted in a process that does nothing else. Counted calls are slow ones, and a busy machine is slower. */
const countCalls = Effect.fnUntraced(function* (name: string) {
  const { connectString } = yield* connectFresh(name)
  const run = () => promisify(execFile)(process.execPath, [program, connectString], { maxBuffer: 64 * 1024 * 1024 })
  const { stdout } = yield* Effect.promise(run)
  return JSON.parse(stdout) as Report
})

/** Less often than once in four requests: the occasional work of the session itself does not count. */
const OFTEN = REQUESTS / 4

/** The calls for each request, of files or functions that match. */
const perRequest = (calls: Calls, pattern: RegExp): ReadonlyArray<string> =>
  Object.entries(calls)
    .filter(([name, count]) => pattern.test(name) && count >= OFTEN)
    .map(([name, count]) => `${name}: ${count}`)

const forbidden: Readonly<Record<Control, RegExp>> = {
  fibers: /^internal\/effect\.(?:FiberImpl|fork\w*|runFork\w*)$/,
  spans: /(?:NativeSpan|makeSpan|useSpan|withSpan)/,
  timers: /(?:\.sleep|\.timeout\w*|\.delay|^Clock\.|^Schedule\.|^internal\/schedule\.)/,
  parsers: /^(?:Schema|SchemaParser|SchemaAST|SchemaIssue|SchemaTransformation|internal\/schema\/\w+)\../,
  streams: /^(?:Stream|Channel|Pull|Sink|Queue|PubSub|Deferred|Latch|Semaphore)\../
}

const assertLean = (face: string, rows: Readonly<Record<string, Calls>>) => {
  assert.isAtLeast(Object.keys(rows).length, 5)
  for (const [name, calls] of Object.entries(rows)) {
    for (const [what, pattern] of Object.entries(forbidden)) {
      assert.deepStrictEqual(perRequest(calls, pattern), [], `${what} for each ${name} in the ${face}`)
    }
  }
}

describe("a request", () => {
  itLive(
    "makes no fiber, span, timer, Stream or Schema's parse, and each of them is seen where there is one",
    { timeout: 180_000 },
    function* () {
      const { controls, effect, promise } = yield* countCalls("hot-path")
      assertLean("Effect API", effect)
      assertLean("Promise facade", promise)
      for (const what of Object.keys(forbidden) as Array<Control>) {
        assert.isNotEmpty(perRequest(controls[what], forbidden[what]), what)
      }
    }
  )

  itInChroot(
    "without a fiber is refused all the same when a client closes whose session is another's and goes on",
    function* ({ zk }) {
      const client = yield* Effect.promise(() => PromiseClient.fromLayer(Layer.succeed(ZooKeeper.ZooKeeper, zk)))
      const asked = client.get("/").catch((error: unknown) => error)
      yield* Effect.promise(() => client.close())
      assert.instanceOf(yield* Effect.promise(() => asked), SessionClosed)
      assert.isTrue(yield* zk.exists("/"))
    }
  )
})

describe("a session", () => {
  itLive("is made of five fibers and five scopes", { timeout: 180_000 }, function* () {
    const { sessions } = yield* countCalls("session-parts")
    for (const part of ["FiberImpl", "makeScope"]) {
      const count = (sessions[`internal/effect.${part}`] ?? 0) / REQUESTS
      // A timer queue may have to wake up while other processes run.
      assert.isAtMost(count, 5.5, part)
      assert.isAtLeast(count, 1, `${part} has another name now`)
    }
  })
})
