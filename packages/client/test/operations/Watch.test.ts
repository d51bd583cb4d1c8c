import { assert, describe } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Acl } from "../../src/index.ts"
import { itInChroot, failure } from "../support/clients.ts"

describe("dataChanges and childrenChanges on a real server", () => {
  itInChroot("fail with NoAuth where reading is forbidden", function* ({ zk }) {
    yield* zk.create("/hidden", { acl: [Acl.world("w")] })
    yield* failure(Stream.runDrain(zk.dataChanges("/hidden")), "NoAuth")
    yield* failure(Stream.runDrain(zk.childrenChanges("/hidden")), "NoAuth")
  })

  itInChroot("leave no watch behind when the stream ends", function* ({ zk }) {
    yield* zk.create("/a", { data: "1" })
    const first = yield* Stream.runHead(zk.dataChanges("/a"))
    assert.isTrue(Option.isSome(first))
    // A new watch on the same path still works.
    const { changed } = yield* zk.getAndWatch("/a")
    yield* zk.set("/a", "2")
    assert.strictEqual((yield* changed).type, "NodeDataChanged")
  })
})
