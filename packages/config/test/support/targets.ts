/** The servers that everything is tested on, and clients of them. */
import { makeChroot, type TestChroot } from "@effect-zookeeper/test-kit/conformance/chroot"
import type { Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { ServerRefused } from "@effect-zookeeper/client/Errors"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import { describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export { withClient } from "@effect-zookeeper/test-kit/conformance/chroot"

/** Tests in a chroot of their own, in real time, on the embedded server and on real ZooKeeper. */
export const describeOnServers = (name: string, tests: (test: TestWith<TestChroot, Target>) => void): void => {
  for (const [where, target] of Targets.both(Targets.embeddedMemory)) {
    describe(`${name}, on ${where}`, () => {
      layer(target, { excludeTestServices: true })(({ effect }) => tests(testWith(effect, makeChroot("config"))))
    })
  }
}

/** A client whose server knows no persistent watches. */
export const withoutRecursiveWatches = (zk: ZooKeeper.Service): ZooKeeper.Service => ({
  ...zk,
  session: zk.session,
  events: (path) =>
    Stream.fail(new ServerRefused({ operation: "addWatch", path, code: codes.Unimplemented, name: "Unimplemented" }))
})

/** Creates znodes, parents first, with their data. */
export const plant = (zk: ZooKeeper.Service, tree: Readonly<Record<string, string>>) =>
  Effect.forEach(Object.entries(tree), ([path, data]) => zk.createWithParents(path, { data }), { discard: true })
