/**
 * A holder that is cut off, and one that stands still: processes of their own, whose times are compared with those of
 * another that gets the lock.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { itQuiet } from "@effect-zookeeper/test-kit/TestWith"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as FaultProxy from "../../src/FaultProxy.ts"
import * as TestServer from "../../src/TestServer.ts"
import { monotonic } from "../../src/history/Recorder.ts"
import { Orders } from "../../src/trial/lockHolder.ts"
import * as WorkerProcess from "../../src/trial/workerProcess.ts"
import { clientOf } from "../../src/conformance/Target.ts"
import { atOnce } from "../../src/Expectations.ts"

const isLong = process.env["ZK_LONG"] === "1"
const RUNS = isLong ? 20 : 1

const connect = clientOf(ZooKeeper.layer({ servers: TestServer.connectString() }))

/** A process that holds a lock, reached over a proxy, and its words. */
const holder = Effect.fnUntraced(function* (path: string, sessionTimeout: number) {
  const proxy = yield* FaultProxy.make(TestServer.target())
  const orders = yield* Schema.encodeEffect(Orders)({ servers: proxy.connectString, path, sessionTimeout })
  const { hear, pid, write } = yield* WorkerProcess.start("the holder", "lockHolder.ts", orders)
  const hearSoon = (word: string): Effect.Effect<string> =>
    Effect.timeoutOrElse(hear(word), {
      duration: "60 seconds",
      orElse: () => Effect.die(new Error(`not a word of ${word}`))
    })
  return { hear: hearSoon, pid, proxy, write }
})

const now = Effect.sync(monotonic)

/** How long after the holder had stopped another had the lock, in milliseconds. */
const gapAfterCut = Effect.fnUntraced(function* (sessionTimeout: number) {
  const path = TestServer.freshPath("cut-off")
  const zk = yield* connect
  const { hear, proxy } = yield* holder(path, sessionTimeout)
  const token = BigInt(yield* hear("acquired"))
  const lock = yield* Effect.provideService(Lock.make(path), ZooKeeper.ZooKeeper, zk)
  yield* proxy.blackHole("both")
  const acquired = yield* lock.withLock((held) => {
    assert.isTrue(held.fencingToken > token)
    return now
  })
  const stopped = Number(yield* hear("stopped"))
  assert.strictEqual(yield* hear("lost"), "session")
  return (acquired - stopped) / 1000
}, Effect.scoped)

describe("a holder that is cut off", () => {
  itQuiet(
    "stops what it guards before another gets the lock, at session timeouts of 4, 6 and 10 seconds",
    { timeout: isLong ? 900_000 : 120_000 },
    function* () {
      const each = (timeout: number) =>
        Effect.map(Effect.all(Array.from({ length: RUNS }, () => gapAfterCut(timeout))), (gaps) => ({
          timeout,
          gaps
        }))
      const all = yield* atOnce([4000, 6000, 10_000].map(each))
      for (const { gaps, timeout } of all) {
        const [least, most] = [Math.min(...gaps), Math.max(...gaps)]
        console.log(`${timeout} ms: ${gaps.length} runs, gaps of ${least.toFixed(0)} to ${most.toFixed(0)} ms`)
        assert.isAtLeast(least, 0)
        assert.isBelow(most, timeout)
      }
    }
  )
})

describe("a holder that stands still for longer than its session", () => {
  itQuiet("is told when it wakes, and its write is refused by the server", { timeout: 120_000 }, function* () {
    const path = TestServer.freshPath("frozen")
    const zk = yield* connect
    yield* zk.create(`${path}-resource`, { data: "early" })
    const { hear, pid, write } = yield* holder(path, 4000)
    yield* hear("acquired")
    const lock = yield* Effect.provideService(Lock.make(path), ZooKeeper.ZooKeeper, zk)
    process.kill(pid, "SIGSTOP")
    yield* lock.withLock(Effect.sync(() => process.kill(pid, "SIGCONT")))
    yield* hear("stopped")
    assert.strictEqual(yield* hear("lost"), "session")
    yield* write("")
    assert.strictEqual(yield* hear("write"), "LockLost")
    assert.strictEqual(new TextDecoder().decode(yield* zk.getData(`${path}-resource`)), "early")
  })
})
