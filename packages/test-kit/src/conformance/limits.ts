/** How large requests and answers may be. */
import { Op } from "@effect-zookeeper/client"
import { MAX_REQUEST } from "@effect-zookeeper/protocol/Frame"
import { assert, describe } from "@effect/vitest"
import { failure } from "../Expectations.ts"
import type { ConformanceTests } from "./Target.ts"

export const limits = (it: ConformanceTests): void => {
  describe("limits", () => {
    it.inChroot(
      "let a request of 1 MiB less a byte through, and stop the next one before it is sent",
      function* ({ chroot, zk }) {
        yield* zk.create("/a")
        // Header, path, length of the data, version.
        const overhead = 8 + (4 + chroot.length + "/a".length) + 4 + 4
        const largest = new Uint8Array(MAX_REQUEST - overhead).fill(7)
        const { id } = zk.session
        assert.strictEqual((yield* zk.set("/a", largest)).dataLength, largest.length)
        assert.deepStrictEqual(yield* zk.getData("/a"), largest)
        const error = yield* failure(zk.set("/a", new Uint8Array(largest.length + 1)), "FrameTooLarge")
        assert.deepStrictEqual([error.path, error.size, error.limit], ["/a", MAX_REQUEST + 1, MAX_REQUEST])
        assert.strictEqual((yield* zk.get("/a")).stat.version, 1)
        assert.strictEqual(zk.session.id, id)
      }
    )

    it.inChroot("hold for a transaction as a whole", function* ({ zk }) {
      const half = new Uint8Array(600_000)
      yield* failure(
        zk.transaction([Op.create("/a", { data: half }), Op.create("/b", { data: half })]),
        "FrameTooLarge"
      )
      assert.deepStrictEqual(yield* zk.getChildren("/"), [])
    })

    it.inChroot("do not hold for answers", function* ({ zk }) {
      const names = Array.from({ length: 6_000 }, (_, index) => `${index}-`.padEnd(200, "x"))
      for (let from = 0; from < names.length; from += 2_000) {
        yield* zk.transaction(names.slice(from, from + 2_000).map((name) => Op.create(`/${name}`)))
      }
      assert.sameMembers([...(yield* zk.getChildren("/"))], names)
    })
  })
}
