import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { Acl } from "../../src/index.ts"
import { numbersBelow, itInChroot, connect, failure, now, refused } from "../support/clients.ts"

describe("ensurePath on a real server", () => {
  itLive("creates the znodes that are missing, the chroot included, and does nothing the second time", function* () {
    const { chroot, connectString } = TestServer.fresh("ensure")
    const zk = yield* connect({ servers: connectString })
    yield* zk.ensurePath("/a/b/c", { acl: [Acl.world("cdrwa"), Acl.ip("10.0.0.1", "r")] })
    yield* zk.ensurePath("/a/b/c")
    const outside = yield* connect({ servers: TestServer.connectString() })
    assert.isTrue(yield* outside.exists(`${chroot}/a/b/c`))
    assert.strictEqual((yield* zk.getAcl("/a/b")).acl.length, 2)
  })

  itInChroot(
    "works below a parent without CREATE, because existing znodes are not created",
    function* ({ connectString, zk }) {
      yield* zk.create("/locked")
      yield* zk.create("/locked/open")
      yield* zk.setAcl("/locked", [Acl.world("r")])
      yield* zk.ensurePath("/locked/open/a/b")
      assert.isTrue(yield* zk.exists("/locked/open/a/b"))
      yield* zk.ensurePath("/locked/open")
      const below = yield* connect({ servers: `${connectString}/locked/open` })
      yield* below.ensurePath("/")
      yield* below.ensurePath("/c/d")
      assert.isTrue(yield* zk.exists("/locked/open/c/d"))
      yield* failure(zk.ensurePath("/locked/shut"), "NoAuth")
      yield* zk.create("/ephemeral", { mode: "ephemeral" })
      yield* failure(zk.ensurePath("/ephemeral/a"), "NoChildrenForEphemerals")
      yield* failure(zk.ensurePath("/auth", { acl: Acl.creator }), "InvalidACL")
    }
  )

  itInChroot(
    TestServer.refusedBefore(
      "3.5.1",
      "makes containers: they go when their last child has gone, and not before they had one"
    ),
    function* ({ zk }) {
      yield* zk.ensurePath("/used/leaf")
      if (!TestServer.isAtLeast("3.5.1")) {
        yield* refused(zk.create("/container", { mode: "container" }))
        yield* zk.delete("/used/leaf")
        return assert.isTrue(yield* zk.exists("/used"))
      }
      yield* zk.ensurePath("/unused")
      yield* zk.delete("/used/leaf")
      yield* Effect.repeat(zk.exists("/used"), {
        until: (there) => !there,
        schedule: Schedule.spaced("100 millis")
      }).pipe(Effect.timeout("15 seconds"))
      assert.isTrue(yield* zk.exists("/unused"))
    }
  )
})

describe("createWithParents on a real server", () => {
  itInChroot("creates parents with their own ACL, for sequential names too", function* ({ zk }) {
    const parentAcl = [Acl.world("cdrwa"), Acl.ip("10.0.0.1", "r")]
    assert.strictEqual(yield* zk.createWithParents("/a/b/c", { data: "x", parentAcl }), "/a/b/c")
    assert.strictEqual((yield* zk.getAcl("/a/b")).acl.length, 2)
    assert.strictEqual((yield* zk.getAcl("/a/b/c")).acl.length, 1)
    assert.strictEqual(yield* zk.createWithParents("/s/t/", { mode: "persistentSequential" }), "/s/t/0000000000")
    yield* failure(zk.createWithParents("/a/b/c"), "NodeExists")
  })

  itLive(
    "creates a chroot that is missing for a sequential name right below it, and its parents for the chroot",
    function* () {
      const { connectString } = TestServer.fresh("parents-chroot")
      const zk = yield* connect({ servers: `${connectString}/deep/app` })
      assert.strictEqual(yield* zk.createWithParents("/", { mode: "persistentSequential" }), "/0000000000")
      const other = yield* connect({ servers: `${connectString}/wide/app` })
      assert.strictEqual(yield* other.createWithParents("/", { data: "x" }), "/")
      assert.strictEqual((yield* other.get("/")).stat.dataLength, 1)
    }
  )
})

describe("deleteAll on a real server", () => {
  itInChroot("deletes a wide and deep tree in batches", function* ({ zk }) {
    const deep = Array.from({ length: 30 }, (_, depth) => `d${depth}`).join("/")
    yield* zk.ensurePath(`/t/${deep}`)
    yield* Effect.forEach(numbersBelow(1500), (index) => zk.create(`/t/n${index}`), { concurrency: 100, discard: true })
    yield* zk.deleteAll("/t")
    assert.isFalse(yield* zk.exists("/t"))
  })

  itInChroot("fails with NoNode and NoAuth, and never deletes the root", function* ({ zk }) {
    assert.strictEqual((yield* failure(zk.deleteAll("/no"), "NoNode")).path, "/no")
    yield* zk.createWithParents("/locked/a")
    yield* zk.setAcl("/locked", [Acl.world("r")])
    yield* failure(zk.deleteAll("/locked"), "NoAuth")
    yield* failure(zk.deleteAll("/"), "InvalidArgument")
    assert.isTrue(yield* zk.exists("/locked/a"))
  })

  itInChroot("ends with the root gone while others create and delete below it", function* ({ connectString, zk }) {
    const other = yield* connect({ servers: connectString })
    yield* zk.create("/t")
    yield* Effect.forEach(numbersBelow(300), (index) => zk.create(`/t/n${index}`), { concurrency: 100, discard: true })
    let created = 0
    const trouble = yield* Effect.forkChild(
      Effect.gen(function* () {
        for (let index = 0; ; index++) {
          yield* Effect.ignore(other.delete(`/t/n${index * 2}`))
          yield* other.create(`/t/x${index}`)
          created++
        }
      }).pipe(Effect.catchTag("NoNode", () => Effect.void)),
      now
    )
    yield* zk.deleteAll("/t")
    assert.isFalse(yield* zk.exists("/t"))
    yield* Fiber.join(trouble)
    assert.isAbove(created, 0)
  })
})
