import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { atOnce } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { itInChroot, connect, failure, assertEach, refused } from "../support/clients.ts"

const hasConfig = TestServer.isAtLeast("3.5.0")

describe("the ensemble's configuration on a real server", () => {
  itInChroot("is empty where there is no ensemble, under a chroot too", function* ({ zk }) {
    if (hasConfig) assert.deepStrictEqual(yield* zk.getConfig, { version: 0n, members: [], raw: "" })
    else assert.strictEqual((yield* failure(zk.getConfig, "NoNode")).path, "/zookeeper/config")
    yield* refused(zk.reconfigure({ leaving: [9] }))
  })

  const itWithConfig = TestServer.since("3.5.0", itLive)

  itWithConfig("is read, and changed by a client with permission, from the version that was read", function* () {
    const server = yield* ZooKeeperServer.make({ quorum: true })
    const zk = yield* connect({ servers: server.connectString, chroot: "/app" })
    const before = yield* zk.getConfig
    const [member] = before.members
    assert.strictEqual(before.members.length, 1)
    assert.strictEqual(member?.id, 1)
    assert.strictEqual(member?.role, "participant")
    assert.isTrue(member !== undefined && Option.isSome(member.client))
    assert.include(before.raw, "version=")

    const observer = "server.9=127.0.0.1:29998:29999:observer;127.0.0.1:29997"
    yield* failure(zk.reconfigure({ joining: [observer] }), "NoAuth")
    yield* zk.addAuth("digest", Redacted.make("super:secret"))
    yield* failure(zk.reconfigure({ joining: [observer], fromConfig: before.version + 1n }), "BadVersion")
    const joined = yield* zk.reconfigure({ joining: [observer], fromConfig: before.version })
    assert.isAbove(Number(joined.version - before.version), 0)
    assert.deepStrictEqual(
      joined.members.find(({ id }) => id === 9),
      {
        id: 9,
        addresses: ["127.0.0.1:29998:29999"],
        role: "observer",
        client: Option.some("127.0.0.1:29997")
      }
    )
    const absent = "server.8=127.0.0.1:29995:29996:participant;127.0.0.1:29994"
    const voters = yield* failure(
      zk.reconfigure({ joining: [absent, absent.replace("server.8", "server.7").replaceAll("2999", "2998")] }),
      "NewConfigNoQuorum"
    )
    assert.strictEqual(voters.operation, "reconfig")
    // While one is under way others are refused; whether any is under way when the next comes is the server's luck.
    const refusals = atOnce(
      Array.from({ length: 10 }, () => Effect.result(zk.reconfigure({ joining: [observer] })))
    ).pipe(
      Effect.map((results) => {
        const tags = results.map((result) => (result._tag === "Failure" ? result.failure._tag : "Success"))
        assert.deepStrictEqual(
          tags.filter((tag) => tag !== "Success" && tag !== "ReconfigInProgress"),
          []
        )
        return tags.includes("ReconfigInProgress")
      })
    )
    assert.isTrue(yield* Effect.repeat(refusals, { until: (some) => some, times: 50 }))
    const left = yield* zk.reconfigure({ leaving: [9] })
    assertEach(left.members, ({ id }) => id, [1])
    assert.deepStrictEqual(yield* zk.getConfig, left)
  })

  itInChroot("refuses mistakes before they are sent", function* ({ zk }) {
    yield* failure(zk.reconfigure({}), "InvalidArgument")
    yield* failure(zk.reconfigure({ joining: ["zk4:2888:3888"] }), "InvalidArgument")
    yield* failure(zk.reconfigure({ leaving: ["four"] }), "InvalidArgument")
    yield* failure(zk.reconfigure({ leaving: [1], members: ["server.1=a:1:2;3"] }), "InvalidArgument")
  })
})

describe("the session's servers", () => {
  itInChroot("are replaced at run time", function* ({ connectString, zk }) {
    yield* zk.updateServers(connectString)
    yield* zk.create("/a")
    assert.isTrue(yield* zk.exists("/a"))
    yield* failure(zk.updateServers("nonsense:port"), "InvalidArgument")
  })
})
