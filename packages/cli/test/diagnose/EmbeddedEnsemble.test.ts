/** The diagnosing commands on an embedded ensemble with a member that is behind, read-only, cut off, or hangs. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { EmbeddedServer } from "@effect-zookeeper/server"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { run } from "../support/zk.ts"

/** Three members, a client of the first, which leads, and `zk` with all of them. */
const ensemble = Effect.gen(function* () {
  const server = yield* EmbeddedServer.EmbeddedServer
  const members = server.connectString.split(",")
  const context = yield* Layer.build(ZooKeeper.layer({ servers: members[0] }))
  return {
    server,
    members,
    zk: Context.get(context, ZooKeeper.ZooKeeper),
    run: (...args: ReadonlyArray<string>) => run(args, { env: { ZK_SERVERS: server.connectString } })
  }
})

const inEnsemble = testOn(it.live, EmbeddedServer.layer({ members: 3 }), ensemble)

describe("an embedded ensemble", () => {
  inEnsemble("has a leader and two followers, all of them ready", function* ({ run, zk }) {
    yield* zk.create("/e", { mode: "ephemeral" })
    const { members } = JSON.parse((yield* run("status", "--json")).out)
    assert.deepStrictEqual(
      members.map(({ mode }: { readonly mode: string }) => mode),
      ["leader", "follower", "follower"]
    )
    assert.strictEqual((yield* run("health")).code, 0)
    assert.strictEqual((yield* run("health", "--expect", "leader")).code, 0)
    const all = yield* run("health", "--expect", "leader", "--need", "all")
    assert.strictEqual(all.code, 1)
    assert.strictEqual(
      all.err,
      "zk: expected 3 of 3 members to be leader, found 1: an ensemble has one leader; --need any is for that\n"
    )
  })

  inEnsemble("shows how far a member is behind", function* ({ members, run, server, zk }) {
    yield* zk.create("/a")
    yield* server.setLag(2, 1500)
    yield* Effect.forEach(Array.from({ length: 2000 }).keys(), () => zk.set("/a", "x"), {
      concurrency: "unbounded",
      discard: true
    })
    const status = yield* run("status")
    const row = status.out.split("\n").find((line) => line.startsWith(members[2] ?? ""))
    assert.match(row ?? "", / follower +3\.8\.0 +0x[0-9a-f]+ +1500 /)
    const doctor = yield* run("doctor", "--no-tree")
    assert.include(doctor.out, `warning  ${members[2]}: it is 1500 transactions behind\n`)
  })

  inEnsemble("has a member that serves reads alone", function* ({ members, run, server }) {
    yield* server.setReadOnly(true, 1)
    const health = yield* run("health")
    assert.strictEqual(health.code, 1)
    assert.include(health.out, " read-only  read-only ")
    assert.strictEqual(
      health.err,
      `zk: expected 3 of 3 members to be ready, found 2: ${members[1]}: it serves reads alone, without a quorum\n`
    )
    assert.strictEqual((yield* run("health", "--need", "majority")).code, 0)
    assert.strictEqual((yield* run("health", "--expect", "read-only")).code, 0)
    const doctor = yield* run("doctor", "--no-tree")
    assert.include(doctor.out, `error    ${members[1]}: it serves reads alone, because it sees no quorum\n`)
    assert.strictEqual(doctor.code, 1)
  })

  inEnsemble("is not waited for where it hangs", function* ({ run, server }) {
    yield* server.pause
    const { code, err } = yield* run("status", "--within", "300ms")
    // They were reached, and said nothing.
    assert.strictEqual(code, 5)
    assert.match(err, /^zk: no member answers: (127\S+: no answer to srvr within 300ms: [^;]*(; )?){3}\n$/)
    const health = yield* run("health", "--within", "300ms")
    assert.strictEqual(health.code, 5)
    assert.match(health.err, /no answer to srvr within 300ms: the server hangs, or its port is for TLS; and 2 more\n$/)
    assert.match(health.out, /^127\S+ +silent /m)
    assert.strictEqual((yield* run("doctor", "--no-tree", "--within", "300ms")).code, 5)
    yield* server.resume
  })
})
