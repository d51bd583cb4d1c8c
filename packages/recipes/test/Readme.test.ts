/** The examples of the README are files beside this one, so that they are compiled and run on a real server. */
import * as ReadmeExamples from "@effect-zookeeper/test-kit/ReadmeExamples"

const permitsLeft = ["exporting,", 3, "permits left", "exporting,", 1, "permits left"]

/** By the order of the README: the file in `examples/`, and what it prints. */
const examples: ReadonlyArray<ReadmeExamples.Example> = [
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

ReadmeExamples.define(new URL("../README.md", import.meta.url), new URL("examples/", import.meta.url), examples)
