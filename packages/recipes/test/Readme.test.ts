/** The examples of the README are files beside this one, so that they are compiled and run on a real server. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

const readme = textOf("../README.md")

const permitsLeft = ["exporting,", 3, "permits left", "exporting,", 1, "permits left"]

/** By the order of the README: the file in `examples/`, and what it prints. */
const examples: ReadonlyArray<readonly [name: string, run: () => Promise<unknown>, prints: ReadonlyArray<unknown>]> = [
  ["allocator", () => import("./examples/allocator.ts"), [["a", "b", "c"]]],
  ["allocatorPromise", () => import("./examples/allocatorPromise.ts"), [["a", "b", "c"]]],
  ["atomicValue", () => import("./examples/atomicValue.ts"), [1, 2, false]],
  ["atomicValuePromise", () => import("./examples/atomicValuePromise.ts"), [1, 2, false]],
  ["childrenCache", () => import("./examples/childrenCache.ts"), ["seven", "10.0.0.7", ["eight", "seven"]]],
  [
    "childrenCachePromise",
    () => import("./examples/childrenCachePromise.ts"),
    ["seven", "10.0.0.7", ["eight", "seven"]]
  ],
  ["nodeCache", () => import("./examples/nodeCache.ts"), ["dark", "light"]],
  ["nodeCachePromise", () => import("./examples/nodeCachePromise.ts"), ["dark", "light"]],
  ["serviceDiscovery", () => import("./examples/serviceDiscovery.ts"), ["10.0.0.7", 25, "north", true]],
  ["serviceDiscoveryPromise", () => import("./examples/serviceDiscoveryPromise.ts"), ["10.0.0.7", 25, "north", true]],
  [
    "treeCache",
    () => import("./examples/treeCache.ts"),
    ["/config", "/config/mail", "/config/mail/port", "new", "/config/mail/host", 2, 1]
  ],
  [
    "treeCachePromise",
    () => import("./examples/treeCachePromise.ts"),
    ["/config", "/config/mail", "/config/mail/port", "new", "/config/mail/host", 2, 1]
  ],
  ["barrier", () => import("./examples/barrier.ts"), ["migrating", "working"]],
  ["barrierPromise", () => import("./examples/barrierPromise.ts"), ["migrating", "working"]],
  ["counter", () => import("./examples/counter.ts"), [0n, 1n, 42n]],
  ["counterPromise", () => import("./examples/counterPromise.ts"), [0n, 1n, 42n]],
  ["doubleBarrier", () => import("./examples/doubleBarrier.ts"), ["all are here", "all are here", "all are here"]],
  [
    "doubleBarrierPromise",
    () => import("./examples/doubleBarrierPromise.ts"),
    ["all are here", "all are here", "all are here"]
  ],
  ["idGenerator", () => import("./examples/idGenerator.ts"), [1n, 2n]],
  ["idGeneratorPromise", () => import("./examples/idGeneratorPromise.ts"), [1n, 2n]],
  ["leaderElection", () => import("./examples/leaderElection.ts"), ["leading", true, "finished"]],
  ["leaderElectionPromise", () => import("./examples/leaderElectionPromise.ts"), ["leading", true, "finished"]],
  ["lease", () => import("./examples/lease.ts"), [["importer-1"]]],
  ["leasePromise", () => import("./examples/leasePromise.ts"), [["importer-1"]]],
  ["lock", () => import("./examples/lock.ts"), ["reporting", "done"]],
  ["lockPromise", () => import("./examples/lockPromise.ts"), ["reporting", "done"]],
  ["party", () => import("./examples/party.ts"), [["worker-7"], 1]],
  ["partyPromise", () => import("./examples/partyPromise.ts"), [["worker-7"], 1]],
  ["persistentNode", () => import("./examples/persistentNode.ts"), ["Present", "10.0.0.7:8081"]],
  ["persistentNodePromise", () => import("./examples/persistentNodePromise.ts"), ["Present", "10.0.0.7:8081"]],
  ["priorityQueue", () => import("./examples/priorityQueue.ts"), ["restore", "clean up"]],
  ["priorityQueuePromise", () => import("./examples/priorityQueuePromise.ts"), ["restore", "clean up"]],
  ["queue", () => import("./examples/queue.ts"), ["sending to", "alice", "bob"]],
  ["queuePromise", () => import("./examples/queuePromise.ts"), ["sending to", "alice", "bob"]],
  [
    "readWriteLock",
    () => import("./examples/readWriteLock.ts"),
    ["looking up", "replacing", "nobody has written since"]
  ],
  [
    "readWriteLockPromise",
    () => import("./examples/readWriteLockPromise.ts"),
    ["looking up", "replacing", "nobody has written since"]
  ],
  ["semaphore", () => import("./examples/semaphore.ts"), permitsLeft],
  ["semaphorePromise", () => import("./examples/semaphorePromise.ts"), permitsLeft]
]

describe("the README", () => {
  // The same for all: Effect reads the environment once, when its first configuration is asked for.
  const { connectString } = fresh("readme")

  for (const [name, run, prints] of examples) {
    it.live(`shows the ${name} example as it is, and what it prints`, () =>
      Effect.gen(function* () {
        assert.include(readme, `\`\`\`ts\n${textOf(`examples/${name}.ts`)}\`\`\``)
        const context = yield* Layer.build(Layer.fresh(ZooKeeper.layer({ servers: connectString })))
        const zk = Context.get(context, ZooKeeper.ZooKeeper)
        // Persistent: a container that the clearing empties would be reaped under the example.
        yield* Effect.catchTag(zk.create("/"), "NodeExists", () => Effect.void)
        for (const child of yield* zk.getChildren("/")) {
          // A container of the example before may be reaped meanwhile.
          yield* Effect.catchTag(zk.deleteAll(`/${child}`), "NoNode", () => Effect.void)
        }
        vi.stubEnv("ZOOKEEPER", connectString)
        const printed: Array<unknown> = []
        const log = vi.spyOn(console, "log").mockImplementation((...line) => void printed.push(...line))
        yield* Effect.promise(run).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              log.mockRestore()
              vi.unstubAllEnvs()
            })
          ),
          Effect.tap(() => Effect.sync(() => assert.deepStrictEqual(printed, prints)))
        )
      })
    )
  }

  it("shows no other example", () => {
    assert.lengthOf(readme.match(/^```ts$/gm) ?? [], examples.length)
  })
})
