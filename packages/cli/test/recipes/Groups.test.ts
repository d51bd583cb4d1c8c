/** Parties and services, whose members come and go while they are read. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { groupOf } from "../../src/internal/recipes/groups.ts"

const onServer = testOn(
  it.live,
  EmbeddedServer.layer(),
  Effect.gen(function* () {
    const { connectString } = yield* EmbeddedServer.EmbeddedServer
    const context = yield* Layer.build(ZooKeeper.layer({ servers: connectString }))
    const zk = Context.get(context, ZooKeeper.ZooKeeper)
    yield* zk.create("/workers")
    for (const name of ["w-2", "w-3"]) yield* zk.create(`/workers/${name}`, { data: name, mode: "ephemeral" })
    /** The names of the members, if these names were listed before. */
    const namesOf = (...children: ReadonlyArray<string>) =>
      Effect.map(groupOf(zk, { path: "/workers", children }), (group) => group?.members.map((one) => one.identifier))
    return { zk, namesOf }
  })
)

describe("a group of members", () => {
  onServer("stays one when a member leaves after the names were read, and ends with the last", function* ({ namesOf }) {
    assert.deepStrictEqual(yield* namesOf("w-1", "w-2", "w-3"), ["w-2", "w-3"])
    assert.deepStrictEqual(yield* namesOf("w-2", "w-3", "w-4"), ["w-2", "w-3"])
    assert.isUndefined(yield* namesOf("w-1"))
  })

  onServer("is none where a child stays for good", function* ({ namesOf, zk }) {
    yield* zk.create("/workers/kept")
    assert.isUndefined(yield* namesOf("kept", "w-2", "w-3"))
    assert.isUndefined(yield* namesOf("w-2", "w-3", "kept"))
  })
})
