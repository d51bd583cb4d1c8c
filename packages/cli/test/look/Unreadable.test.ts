/** Commands on servers that keep back even the stat of a znode that may not be read, as those since 3.8.4 and 3.9.2 do. */
import * as Acl from "@effect-zookeeper/client/Acl"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import { run as runAnywhere } from "../support/zk.ts"

const inServer = testOn(
  it.live,
  EmbeddedServer.layer({ version: "3.9" }),
  Effect.gen(function* () {
    const { connectString } = yield* EmbeddedServer.EmbeddedServer
    const zk = Context.get(yield* Layer.build(ZooKeeper.layer({ servers: connectString })), ZooKeeper.ZooKeeper)
    const hidden = { acl: [Acl.world("cdwa")] }
    yield* zk.create("/app")
    yield* zk.create("/app/hers", hidden)
    yield* zk.create("/app/hers/below")
    yield* zk.create("/app/ours", { data: "12345" })
    yield* zk.create("/app/ours/_c_8f4a25d4-0f3b-4f4a-9c8e-9f5f2d2b1c77-lock-0000000001", {
      mode: "ephemeral",
      ...hidden
    })
    yield* zk.create("/app/ours/_c_8f4a25d4-0f3b-4f4a-9c8e-9f5f2d2b1c78-lock-0000000002", { mode: "ephemeral" })
    return { zk, run: (...args: ReadonlyArray<string>) => runAnywhere(args, { env: { ZK_SERVERS: connectString } }) }
  })
)

describe("a znode whose stat is kept back", () => {
  inServer("is drawn by tree as forbidden, and missing in the totals", function* ({ run }) {
    const { code, out } = yield* run("tree", "/app", "-L", "1", "--sizes")
    assert.strictEqual(
      out,
      "/app  (0)\n├── hers  (forbidden)\n└── ours  (5, 2 children)\n\n3 znodes, 5 bytes of data, 1 forbidden to read\n"
    )
    assert.strictEqual(code, 6)
    const json = yield* run("tree", "/app", "--json")
    const items = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Output.Znode)))(json.out)
    assert.deepStrictEqual(items[1], { path: "/app/hers", depth: 1, forbidden: true })
  })

  inServer("ends no command of a subtree before its end", function* ({ run }) {
    for (const command of [["ls", "-R"], ["ls", "-l"], ["du"], ["find", "--larger", "0"], ["ephemerals"]]) {
      const { code, err } = yield* run(...command, "/app")
      assert.deepStrictEqual({ command, code }, { command, code: 6 })
      assert.match(err, /^zk: not all was read: \/app\/hers/)
    }
    assert.include((yield* run("ls", "-l", "/app")).out, "?")
    const refused = yield* run("acl", "set", "-R", "--yes", "/app", "world:anyone:r")
    assert.strictEqual(refused.code, 6)
    assert.include(refused.err, "nothing was changed")
  })

  inServer("is no contender that locks can tell, and the others are shown", function* ({ run }) {
    const { code, out } = yield* run("locks", "/app", "--json")
    assert.strictEqual(code, 6)
    const found = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Output.Contention)))(out)
    assert.deepStrictEqual(
      found.map(({ contenders }) => contenders.map(({ path }) => path)),
      [["/app/ours/_c_8f4a25d4-0f3b-4f4a-9c8e-9f5f2d2b1c78-lock-0000000002"]]
    )
  })

  inServer("is told by the doctor, which looks at the others", function* ({ run }) {
    const { out } = yield* run("doctor", "/app", "--ndjson", "--fail-on", "never")
    assert.match(out, /"check":"access","where":"\/app\/hers"/)
    assert.match(out, /"check":"open-acls"/)
  })
})
