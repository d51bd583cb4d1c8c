/** Access control: permissions, identities, and the super user. */
import { Acl, type ZooKeeper } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { failure, outcome } from "../Expectations.ts"
import { type ConformanceTests, connect } from "./Target.ts"

const digest = (credentials: string) => ({ scheme: "digest", credentials: Redacted.make(credentials) })

const bob = digest("bob:secret")

/** `base64(sha1("bob:secret"))`. */
const bobId = "bob:fyVmFCwVbTJYrznoSu1koqYEYF0="

export const access = (it: ConformanceTests): void => {
  describe("permissions", () => {
    const permissions: ReadonlyArray<readonly [perm: "c" | "d" | "r" | "w" | "a", allowed: ReadonlyArray<string>]> = [
      ["c", ["create"]],
      ["d", ["delete"]],
      ["r", ["getData", "getChildren", "getAcl"]],
      ["w", ["setData"]],
      ["a", ["getAcl", "setAcl"]]
    ]
    for (const [perm, allowed] of permissions) {
      it.inChroot(`${perm} allows ${allowed.join(", ")} and nothing else`, function* ({ zk }) {
        yield* zk.create("/a")
        yield* zk.create("/a/child")
        yield* zk.setAcl("/a", [Acl.world(perm)])
        const attempts: Record<string, Effect.Effect<unknown, { readonly _tag: string }>> = {
          create: zk.create("/a/new"),
          delete: zk.delete("/a/child"),
          getData: zk.get("/a"),
          getChildren: zk.getChildren("/a"),
          getAcl: zk.getAcl("/a"),
          setData: zk.set("/a", ""),
          // Last: it opens the znode.
          setAcl: zk.setAcl("/a", Acl.open)
        }
        for (const [name, attempt] of Object.entries(attempts)) {
          assert.strictEqual(yield* outcome(attempt), allowed.includes(name) ? "success" : "NoAuth", name)
        }
      })
    }

    it.inChroot("are not inherited, and not needed of those above", function* ({ zk }) {
      yield* zk.create("/p")
      yield* zk.create("/p/c", { data: "1" })
      yield* zk.setAcl("/p", [Acl.ip("10.0.0.1", "cdrwa")])
      yield* failure(zk.get("/p"), "NoAuth")
      yield* zk.get("/p/c")
      yield* zk.create("/p/c/d")
    })
  })

  describe("ACLs", () => {
    it.inChroot("compare a version of their own", function* ({ zk }) {
      yield* zk.create("/a")
      yield* zk.set("/a", "1")
      const { acl, stat } = yield* zk.getAcl("/a")
      assert.deepStrictEqual([acl, stat.version, stat.aversion], [Acl.open, 1, 0])
      const both = [...Acl.open, Acl.ip("10.0.0.1", "r")]
      assert.strictEqual((yield* zk.setAcl("/a", both, { version: 0 })).aversion, 1)
      assert.deepStrictEqual((yield* zk.getAcl("/a")).acl, both)
      yield* failure(zk.setAcl("/a", Acl.open, { version: 0 }), "BadVersion")
      assert.strictEqual((yield* zk.setAcl("/a", Acl.open)).aversion, 2)
    })

    it.inChroot("are refused for each reason of their rows, permission before sense and version", function* ({ zk }) {
      yield* failure(zk.setAcl("/no", Acl.open), "NoNode")
      yield* zk.create("/a")
      yield* failure(zk.setAcl("/a", Acl.creator), "InvalidACL")
      yield* zk.create("/locked", { acl: Acl.readOnly })
      yield* failure(zk.setAcl("/locked", Acl.open, { version: 9 }), "NoAuth")
      yield* zk.create("/hidden", { acl: [Acl.world("w")] })
      yield* failure(zk.getAcl("/hidden"), "NoAuth")
    })

    it.inChroot("are stored without duplicates", function* ({ zk }) {
      yield* zk.create("/a", { acl: [...Acl.open, Acl.ip("10.0.0.1", "r"), ...Acl.open] })
      assert.deepStrictEqual((yield* zk.getAcl("/a")).acl, [...Acl.open, Acl.ip("10.0.0.1", "r")])
    })

    it.inChroot("of an address or of a range of them let in who comes from there", function* ({ zk }) {
      yield* zk.create("/here", { acl: [Acl.ip("127.0.0.1", "r")] })
      yield* zk.create("/not-here", { acl: [Acl.ip("10.0.0.1", "r")] })
      yield* zk.get("/here")
      yield* failure(zk.get("/not-here"), "NoAuth")
      const range = zk.create("/range", { acl: [Acl.ip("127.0.0.0/8", "r")] })
      if (!it.isAtLeast("3.5.0")) return void (yield* failure(range, "InvalidACL"))
      yield* range
      yield* zk.create("/elsewhere", { acl: [Acl.ip("10.0.0.0/8", "r")] })
      yield* zk.get("/range")
      yield* failure(zk.get("/elsewhere"), "NoAuth")
    })

    it.inChroot("are those of the client where none is given", function* ({ chroot, zk }) {
      const other = yield* connect({ chroot, defaultAcl: Acl.readOnly })
      yield* other.create("/a")
      assert.deepStrictEqual((yield* zk.getAcl("/a")).acl, Acl.readOnly)
    })
  })

  describe("identities", () => {
    it.inChroot("let their owners in, and no other client", function* ({ chroot, zk }) {
      const owner = yield* connect({ chroot, auth: [bob] })
      yield* owner.create("/mine", { data: "1", acl: Acl.creator })
      yield* owner.set("/mine", "2")
      yield* failure(zk.get("/mine"), "NoAuth")
      yield* failure((yield* connect({ chroot, auth: [digest("bob:wrong")] })).get("/mine"), "NoAuth")
      yield* (yield* connect({ chroot, auth: [bob] })).get("/mine")
    })

    it.inChroot("are hashes in the ACL, which only ADMIN sees", function* ({ chroot, zk }) {
      const owner = yield* connect({ chroot, auth: [bob] })
      yield* owner.create("/mine", { acl: [...Acl.creator, ...Acl.readOnly] })
      // In any order: older servers have their own.
      const aclFor = (client: ZooKeeper.Service) => Effect.map(client.getAcl("/mine"), ({ acl }) => [...acl])
      assert.sameDeepMembers(yield* aclFor(owner), [Acl.digestId(bobId, "cdrwa"), ...Acl.readOnly])
      assert.sameDeepMembers(yield* aclFor(zk), [Acl.digestId("bob:x", "cdrwa"), ...Acl.readOnly])
    })

    it.inChroot("can be several, and auth means all of them", function* ({ chroot }) {
      const owner = yield* connect({ chroot, auth: [bob, digest("eve:hers")] })
      yield* owner.create("/ours", { acl: Acl.creator })
      assert.lengthOf((yield* owner.getAcl("/ours")).acl, 2)
      yield* (yield* connect({ chroot, auth: [digest("eve:hers")] })).get("/ours")
      yield* (yield* connect({ chroot, auth: [bob] })).get("/ours")
    })

    it.inChroot("can be added later", function* ({ chroot, zk }) {
      const owner = yield* connect({ chroot, auth: [bob] })
      yield* owner.create("/mine", { acl: Acl.creator })
      yield* failure(zk.get("/mine"), "NoAuth")
      yield* zk.addAuth("digest", bob.credentials)
      yield* zk.get("/mine")
    })

    it.since(
      "3.7.0",
      "are listed by whoAmI, first the connection's address alone",
      ({ zk }) => [zk.whoAmI],
      function* ({ zk }) {
        const address = { scheme: "ip", id: "127.0.0.1" }
        assert.deepStrictEqual(yield* zk.whoAmI, [address])
        yield* zk.addAuth("digest", bob.credentials)
        assert.sameDeepMembers([...(yield* zk.whoAmI)], [address, { scheme: "digest", id: "bob" }])
      }
    )

    it.effect("of a scheme that the server does not know end the session", function* () {
      const zk = yield* connect()
      const unknown = { scheme: "unheard-of", credentials: Redacted.make("sesame") }
      const error = yield* failure(zk.addAuth(unknown.scheme, unknown.credentials), "AuthFailed")
      assert.strictEqual(error.scheme, unknown.scheme)
      assert.notInclude(error.message, "sesame")
      assert.strictEqual(zk.session.state._tag, "AuthFailed")
      yield* failure(zk.exists("/"), "AuthFailed")
      yield* failure(connect({ auth: [unknown] }), "AuthFailed")
    })

    it.inChroot("of the super user open everything", function* ({ chroot, zk }) {
      yield* zk.create("/closed", { data: "1", acl: [Acl.ip("10.0.0.1", "r")] })
      const admin = yield* connect({ chroot, auth: [digest("super:secret")] })
      yield* admin.get("/closed")
      yield* admin.set("/closed", "2")
      yield* admin.create("/closed/child")
      yield* admin.setAcl("/closed", Acl.open)
      yield* zk.delete("/closed/child")
      yield* zk.setAcl("/closed", Acl.readOnly)
      yield* failure((yield* connect({ chroot, auth: [digest("super:wrong")] })).set("/closed", ""), "NoAuth")
    })
  })
}
