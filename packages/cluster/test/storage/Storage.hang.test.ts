/** Servers that are silent, and a process that is stopped. */
import * as Target from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { freshPath } from "@effect-zookeeper/test-kit/TestServer"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as ChildProcess from "node:child_process"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"
import { OwnershipUncertain, StorageTimeout } from "../../src/Errors.ts"
import {
  address,
  causeOf,
  ids,
  interval,
  makeStorageOn,
  runner,
  sessionTimeout,
  shards,
  storageOn
} from "../support/targets.ts"

/** A proxy before the server, a client through it, and one beside it. */
const throughProxy = Effect.gen(function* () {
  const target = yield* Target.Target
  const chroot = freshPath("cluster")
  const root = yield* Target.connectTo(target)
  yield* root.create(chroot)
  const [host = "", port = ""] = target.servers.split(":")
  const proxy = yield* FaultProxy.make({ host, port: Number(port) })
  const behind = { servers: proxy.connectString, transport: target.transport }
  return {
    chroot,
    proxy,
    servers: target.servers,
    zk: yield* Target.connectTo(behind, { chroot, sessionTimeout }),
    beside: yield* Target.connectTo(target, { chroot, sessionTimeout })
  }
}).pipe(Effect.orDie)

/** A process of `frozenRunner.ts`, killed with the Scope, and the lines that it prints. */
const startProcess = Effect.fnUntraced(function* (servers: string) {
  const file = fileURLToPath(new URL("../support/frozenRunner.ts", import.meta.url))
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, [file, servers, String(sessionTimeout)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const lines = yield* Queue.unbounded<string>()
  Readline.createInterface({ input: child.stdout }).on("line", (line) => Queue.offerUnsafe(lines, line))
  return {
    lines,
    hear: (word: string) =>
      Effect.repeat(Queue.take(lines), { until: (line) => line.startsWith(word) }).pipe(Effect.timeout("20 seconds")),
    signal: (signal: "SIGSTOP" | "SIGCONT") => Effect.sync(() => child.kill(signal))
  }
})

for (const [where, target] of Targets.bothIfLong(Targets.embeddedTcp)) {
  describe(`a storage whose server is silent, on ${where}`, () => {
    layer(target, { excludeTestServices: true })(({ effect }) => {
      const test = testWith(effect, throughProxy)

      test("fails each call within the interval, and refuses a refresh in time", function* ({ beside, proxy, zk }) {
        const storage = yield* Effect.orDie(makeStorageOn(zk))
        const heir = yield* storageOn(beside)
        yield* storage.register(runner(1), true)
        yield* storage.acquire(address(1), shards(1, 2))
        yield* heir.register(runner(2), true)
        yield* proxy.blackHole("both")
        const calls = {
          acquire: storage.acquire(address(1), shards(3)),
          release: storage.release(address(1), shards(2)[0]!),
          getRunners: storage.getRunners
        }
        const hanging = Effect.forEach(
          Object.entries(calls),
          ([method, call]) =>
            Effect.gen(function* () {
              const [elapsed, cause] = yield* Effect.timed(causeOf<unknown, never>(call))
              assert.instanceOf(cause, StorageTimeout, method)
              assert.isBelow(Duration.toMillis(elapsed), interval + 5000)
            }),
          { concurrency: "unbounded" }
        )
        const refusing = Effect.gen(function* () {
          const cause = yield* causeOf(
            Effect.forever(Effect.andThen(storage.refresh(address(1), shards(1)), Effect.sleep(interval / 8)))
          )
          assert.instanceOf(cause, OwnershipUncertain)
          return performance.now()
        })
        const succeeding = eventually(heir.acquire(address(2), shards(1, 2)), (all) => all.length === 2).pipe(
          Effect.map(() => performance.now())
        )
        const [, refused, succeeded] = yield* Effect.all([hanging, refusing, succeeding], { concurrency: "unbounded" })
        assert.isAbove(succeeded - refused, sessionTimeout / 10)
        yield* proxy.heal
        // The release of before ends with its session, and touches nothing of the heir.
        yield* eventually(Effect.exit(storage.releaseAll(address(1))), Exit.isSuccess)
        assert.deepStrictEqual(ids(yield* heir.refresh(address(2), shards(1, 2))), [1, 2])
      })

      test("ends a release that hung, and others do not wait for it", function* ({ beside, proxy, zk }) {
        const storage = yield* Effect.orDie(makeStorageOn(zk))
        yield* storage.register(runner(1), true)
        yield* storage.acquire(address(1), shards(1, 2, 3))
        yield* proxy.blackHole("up")
        assert.instanceOf(yield* causeOf(storage.release(address(1), shards(1)[0]!)), StorageTimeout)
        yield* proxy.heal
        // The others are still there, and more can be acquired; the release goes on by itself.
        yield* eventually(Effect.exit(storage.refresh(address(1), shards(2, 3))), Exit.isSuccess)
        yield* eventually(beside.getChildren("/cluster/shards"), (names) => !names.includes("default:1"))
        assert.sameMembers(ids(yield* storage.acquire(address(1), shards(2, 3, 4))), [2, 3, 4])
        yield* storage.release(address(1), shards(1)[0]!)
      })

      test(
        "has a process that was stopped refuse its first refresh",
        { timeout: 60_000 },
        function* ({ beside, chroot, servers }) {
          const frozen = yield* startProcess(`${servers}${chroot}`)
          assert.strictEqual(yield* frozen.hear("acquired"), "acquired 2")
          yield* frozen.hear("held")
          const heir = yield* storageOn(beside)
          yield* heir.register(runner(2), true)
          yield* frozen.signal("SIGSTOP")
          yield* eventually(heir.acquire(address(2), shards(1, 2)), (all) => all.length === 2)
          yield* Queue.clear(frozen.lines)
          yield* frozen.signal("SIGCONT")
          // Not one more refresh succeeds.
          assert.strictEqual(yield* Queue.take(frozen.lines), "refused OwnershipUncertain")
          assert.deepStrictEqual(ids(yield* heir.refresh(address(2), shards(1, 2))), [1, 2])
        }
      )
    })
  })
}
