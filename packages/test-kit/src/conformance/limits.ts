/** How large requests and answers may be. */
import { Op } from "@effect-zookeeper/client"
import { MAX_REQUEST } from "@effect-zookeeper/protocol/Frame"
import { assert, describe, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { failure } from "../Expectations.ts"
import { makeChroot, type Target } from "./Target.ts"

export const limits = (it: Vitest.MethodsNonLive<Target>): void => {
  describe("limits", () => {
    it.effect("let a request of 1 MiB less a byte through, and stop the next one before it is sent", () =>
      Effect.gen(function* () {
        const { chroot, zk } = yield* makeChroot()
        yield* zk.create("/a")
        // Header, path, length of the data, version.
        const overhead = 8 + (4 + chroot.length + "/a".length) + 4 + 4
        const largest = new Uint8Array(MAX_REQUEST - overhead).fill(7)
        const { id } = zk.session
        assert.strictEqual((yield* zk.set("/a", largest)).dataLength, largest.length)
        assert.deepStrictEqual(yield* zk.getData("/a"), largest)
        const error = yield* failure(zk.set("/a", new Uint8Array(largest.length + 1)), "FrameTooLarge")
        assert.deepStrictEqual([error.size, error.limit], [MAX_REQUEST + 1, MAX_REQUEST])
        assert.strictEqual((yield* zk.get("/a")).stat.version, 1)
        assert.strictEqual(zk.session.id, id)
      })
    )

    it.effect("hold for a transaction as a whole", () =>
      Effect.gen(function* () {
        const { zk } = yield* makeChroot()
        const half = new Uint8Array(600_000)
        yield* failure(
          zk.transaction([Op.create("/a", { data: half }), Op.create("/b", { data: half })]),
          "FrameTooLarge"
        )
        assert.deepStrictEqual(yield* zk.getChildren("/"), [])
      })
    )

    it.effect("do not hold for answers", () =>
      Effect.gen(function* () {
        const { zk } = yield* makeChroot()
        const names = Array.from({ length: 6_000 }, (_, index) => `${index}-`.padEnd(200, "x"))
        for (let from = 0; from < names.length; from += 2_000) {
          yield* zk.transaction(names.slice(from, from + 2_000).map((name) => Op.create(`/${name}`)))
        }
        assert.sameMembers([...(yield* zk.getChildren("/"))], names)
      })
    )
  })
}
