/** The recipes of a subtree, as a page is told of them round after round. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { Found, Inspector } from "@effect-zookeeper/console/Cluster"
import type { Contention, Group } from "@effect-zookeeper/console/EnsembleModels"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { recipeEvents } from "../../src/internal/ensemble/recipes.ts"
import { makeReads } from "../../src/internal/tree/lists.ts"

const group: Group = {
  path: "/a",
  kind: "party",
  members: [{ path: "/a/m", session: 1n, since: 0 }],
  more: 0
}

const contention: Contention = {
  path: "/a",
  recipe: "lock",
  contenders: [{ path: "/a/lock-0000000001", state: "holds", kind: "lock", session: 1n, since: 0, czxid: 9n }]
}

/** The findings of one round after the other. */
const finding = (rounds: ReadonlyArray<ReadonlyArray<Found>>): Inspector => {
  let round = 0
  const nothing = Effect.fail({ message: "it was not to be asked" })
  return {
    members: () => Effect.succeed({ members: [] }),
    word: () => nothing,
    doctor: () => nothing,
    sessions: nothing,
    watches: nothing,
    recipes: () => Stream.suspend(() => Stream.fromIterable(rounds[round++] ?? []))
  }
}

describe("a recipe", () => {
  itLive("goes on when it becomes one of another kind, and ends when nothing is at its path", function* () {
    const server = Context.get(yield* Layer.build(EmbeddedServer.layer()), EmbeddedServer.EmbeddedServer)
    const zk = yield* clientOf(ZooKeeper.layer({ servers: server.connectString }))
    let rounds = 0
    const events = yield* recipeEvents(zk, makeReads(zk), finding([[{ group }], [{ contention }], []]), "/").pipe(
      Stream.takeUntil(({ _tag }) => _tag === "scanned" && ++rounds === 3),
      Stream.runCollect
    )
    assert.deepStrictEqual(
      events.map((event) => (event._tag === "ended" ? `ended ${event.path}` : event._tag)),
      ["group", "scanned", "contention", "scanned", "ended /a", "scanned"]
    )
  })
})
