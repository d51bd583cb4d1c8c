/** Changing ACLs, quotas and the members of an ensemble: what is done, asked, warned of and refused. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import * as Quota from "../../src/Quota.ts"
import { inFolder } from "../support/folder.ts"
import { describeOnServers, run as runAnywhere } from "../support/zk.ts"

const change = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Change))
const quota = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Quota))
const config = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Config))

const ann = { ZK_AUTH: "digest:ann:secret" }
const hersId = Acl.digestIdOf(Redacted.make(new TextEncoder().encode("ann:secret")))

const aclOf = (zk: Service, path: string) => Effect.map(zk.getAcl(path), ({ acl }) => acl.map(Acl.format))

describeOnServers("zk acl set", (it) => {
  it.inChroot("replaces the ACL, by its version where one is given", function* ({ run, zk }) {
    yield* zk.create("/a")
    const { code, err, out } = yield* run(["acl", "set", "/a", "ip:127.0.0.1:cdrwa", "world:anyone:r"])
    const expected = { code: 0, out: "set the ACL of /a  (ACL version 1)\n", err: "" }
    assert.deepStrictEqual({ code, out, err }, expected)
    assert.deepStrictEqual(yield* aclOf(zk, "/a"), ["ip:127.0.0.1:cdrwa", "world:anyone:r"])
    const commas = yield* run(["acl", "set", "/a", "ip:127.0.0.1:cdrwa,ip:10.0.0.0/8:rw", "--version", "1", "--ndjson"])
    assert.deepStrictEqual(change(commas.out), { action: "aclSet", path: "/a", aversion: 2 })
    assert.deepStrictEqual(yield* aclOf(zk, "/a"), ["ip:127.0.0.1:cdrwa", "ip:10.0.0.0/8:rw"])
    const late = yield* run(["acl", "set", "/a", "open", "--version", "1"])
    assert.strictEqual(late.code, 4)
    assert.include(late.err, "zk: /a has another version than expected; nothing was written\n")
    assert.strictEqual((yield* run(["acl", "set", "/none", "open"])).code, 3)
  })

  it.inChroot("takes words, files and what zk acl prints", function* ({ run, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/b")
    assert.strictEqual((yield* run(["acl", "set", "/a", "creator", "world:anyone:r"], { env: ann })).code, 0)
    const expected = [`digest:${hersId}:cdrwa`, "world:anyone:r"]
    const herView = (yield* run(["acl", "/a"], { env: ann })).out
    assert.strictEqual(herView, `${expected.join("\n")}\n`)
    for (const printed of [herView, (yield* run(["acl", "/a", "--json"], { env: ann })).out, `# hers\n${herView}\n`]) {
      yield* zk.setAcl("/b", Acl.open)
      const { code, err } = yield* run(["acl", "set", "/b", "--file", "-"], { stdin: printed, env: ann })
      assert.strictEqual(code, 0, err)
      assert.strictEqual((yield* run(["acl", "/b"], { env: ann })).out, herView)
      assert.strictEqual((yield* run(["acl", "set", "/b", "open"], { env: ann })).code, 0)
    }
    const file = Path.join(yield* inFolder, "acl")
    Fs.writeFileSync(file, "ip:127.0.0.1:cdrwa\n")
    assert.strictEqual((yield* run(["acl", "set", "/b", "--file", file])).code, 0)
    assert.deepStrictEqual(yield* aclOf(zk, "/b"), ["ip:127.0.0.1:cdrwa"])
    const nobody = yield* run(["create", "/c", "--acl", "creator"])
    assert.strictEqual(nobody.code, 1)
    assert.match(nobody.err, /^zk: \/c: the server does not accept the ACL; .*credentials, as --auth-file gives them/)
    const twice = yield* run(["acl", "set", "/b", "open", "--file", file])
    assert.strictEqual(twice.code, 2)
  })

  it.inChroot("warns of what is open to the world", function* ({ run, zk }) {
    yield* zk.create("/a")
    const { code, err } = yield* run(["acl", "set", "/a", "open"])
    const verbs = "write it, create children, delete children and change its ACL"
    assert.deepStrictEqual({ code, err }, { code: 0, err: `open to the world: everybody may ${verbs}\n` })
    const range = yield* run(["acl", "set", "/a", "ip:0.0.0.0/0:rw,ip:127.0.0.1:cdrwa"])
    assert.strictEqual(range.err, "open to the world: everybody may write it\n")
  })

  it.inChroot("asks before it takes the right to change the ACL from its user", function* ({ run, zk }) {
    yield* zk.create("/a")
    const question = "You could not change it again: the ACL gives you no ADMIN. Set the ACL of /a?"
    for (const acl of ["world:anyone:r", "ip:10.0.0.0/8:cdrwa", "sasl:bob:cdrwa", `digest:${hersId}:cdrwa`]) {
      const script = yield* run(["acl", "set", "/a", acl])
      assert.strictEqual(script.code, 2)
      assert.strictEqual(script.err, `zk: ${question} There is no terminal to ask: confirm with --yes\n`)
      const no = yield* run(["acl", "set", "/a", acl], { terminal: "n" })
      assert.deepStrictEqual([no.code, no.err], [1, `${question} [y/N] zk: nothing was changed\n`])
    }
    assert.deepStrictEqual(yield* aclOf(zk, "/a"), ["world:anyone:cdrwa"])
    assert.strictEqual((yield* run(["acl", "set", "/a", `digest:${hersId}:cdrwa`], { env: ann })).code, 0)
    const locked = yield* run(["acl", "set", "/a", "world:anyone:r", "--yes"], { env: ann })
    assert.strictEqual(locked.code, 0)
    assert.strictEqual((yield* run(["acl", "set", "/a", "open"], { env: ann })).code, 6)
    const root = yield* run(["acl", "set", "/a", "world:anyone:r"], { env: { ZK_AUTH: "digest:super:secret" } })
    assert.strictEqual(root.code, 0, root.err)
  })

  it.inChroot("sets the ACL of a whole subtree with -R", function* ({ run, zk }) {
    yield* zk.ensurePath("/app/a/deep")
    yield* zk.ensurePath("/app/b")
    const script = yield* run(["acl", "set", "-R", "/app", "ip:127.0.0.1:cdrwa"])
    assert.strictEqual(script.code, 2)
    assert.include(script.err, "Set the ACL of /app and of the 3 znodes below it?")
    assert.deepStrictEqual(yield* aclOf(zk, "/app/a/deep"), ["world:anyone:cdrwa"])
    const { code, out } = yield* run(["acl", "set", "-R", "/app", "ip:127.0.0.1:cdrwa", "--yes", "--ndjson"])
    assert.strictEqual(code, 0)
    const paths = out
      .trim()
      .split("\n")
      .map((line) => change(line).path)
    assert.deepStrictEqual(paths, ["/app/a/deep", "/app/a", "/app/b", "/app"])
    for (const path of paths) assert.deepStrictEqual(yield* aclOf(zk, path), ["ip:127.0.0.1:cdrwa"])
    // From the bottom up, so that an ACL that forbids to read does not stop it on the way.
    const blind = yield* run(["acl", "set", "-R", "/app", "ip:127.0.0.1:a", "--yes"])
    assert.strictEqual(blind.code, 0)
    const forbidden = yield* run(["acl", "set", "-R", "/app", "open", "--yes"])
    assert.strictEqual(forbidden.code, 6)
    assert.match(forbidden.err, /\nzk: the children of \/app may not be read, and nothing was changed; .*\n$/)
    assert.deepStrictEqual(yield* aclOf(zk, "/app"), ["ip:127.0.0.1:a"])
  })

  it.inChroot("says how far it went where an ACL on the way forbids it", function* ({ run, zk }) {
    yield* zk.create("/app")
    yield* zk.create("/app/fixed", { acl: [Acl.world("cdrw")] })
    yield* zk.create("/app/fixed/deep")
    const { code, err, out } = yield* run(["acl", "set", "-R", "/app", "ip:127.0.0.1:cdrwa", "--yes"])
    assert.strictEqual(code, 6)
    assert.strictEqual(out, "set the ACL of /app/fixed/deep  (ACL version 1)\n")
    assert.match(
      err,
      /^1 of the 3 znodes have the ACL; the same command goes on with all of them\nzk: \/app\/fixed: .*\n$/
    )
  })

  it.inChroot("refuses mistakes before anything is sent, and shows no secret", function* ({ run, zk }) {
    yield* zk.create("/a")
    const refused: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
      [[], "no ACL"],
      [["anyone"], "scheme:id:perms"],
      [["world:anyone:xyz"], "perms"],
      [["world:ann:r"], "anyone"],
      [["auth::cdrwa"], "you have none"],
      [["digest:ann:hunter2:cdrwa"], "has no hash"],
      [["digest:ann:x:cdrwa"], "concealed"],
      [["open", "-R", "--version", "1"], "single znode"]
    ]
    for (const [args, part] of refused) {
      const { code, err, out } = yield* run(["acl", "set", "/a", ...args, "--yes"])
      assert.deepStrictEqual([code, out], [2, ""], err)
      assert.include(err, part)
      assert.notInclude(err, "hunter2")
    }
    const readOnly = yield* run(["acl", "set", "/a", "open", "--read-only"])
    const message = "zk: acl set was not sent, because --read-only allows no writes\n"
    assert.deepStrictEqual([readOnly.code, readOnly.err], [6, message])
    assert.strictEqual((yield* zk.getAcl("/a")).stat.aversion, 0)
  })
})

describeOnServers("zk quota set and rm", (it) => {
  it.inChroot("set limits and remove them, below a chroot too", function* ({ run, zk }) {
    yield* zk.ensurePath("/app/a")
    const first = yield* run(["quota", "set", "/app", "--count", "9", "--bytes", "4k"])
    assert.deepStrictEqual([first.code, first.err], [0, ""])
    assert.match(first.out, /\nznodes +2 +9 +-\nbytes +0 +4096 +-\n$/)
    const second = yield* run(["quota", "set", "/app", "--hard-count", "20", "--json"])
    assert.deepStrictEqual(quota(second.out), {
      path: "/app",
      limits: { count: 9, bytes: 4096, hardCount: 20 },
      use: { count: 2, bytes: 0 }
    })
    assert.strictEqual(second.err, "servers refuse writes above a hard limit only if they run with enforceQuota=true\n")
    const some = yield* run(["quota", "rm", "/app", "--bytes", "--json"])
    assert.deepStrictEqual(quota(some.out).limits, { count: 9, hardCount: 20 })
    const all = yield* run(["quota", "rm", "/app"])
    assert.deepStrictEqual([all.code, all.out], [0, "removed the quota of /app\n"])
    assert.strictEqual((yield* run(["quota", "/app"])).code, 3)
    assert.strictEqual((yield* run(["quota", "rm", "/app"])).code, 3)
  })

  it.inChroot("leave nothing behind, and keep the quotas beside", function* ({ another, chroot, run, zk }) {
    const root = yield* another({ chroot: "/" })
    yield* zk.create("/a")
    yield* zk.create("/b")
    yield* run(["quota", "set", "/a", "--count", "1"])
    yield* run(["quota", "set", "/b", "--count", "1"])
    yield* run(["quota", "rm", "/a"])
    assert.deepStrictEqual(yield* root.getChildren(`/zookeeper/quota${chroot}`), ["b"])
    yield* run(["quota", "rm", "/b"])
    assert.isFalse(yield* root.exists(`/zookeeper/quota${chroot}`))
    assert.isTrue(yield* root.exists("/zookeeper/quota"))
  })

  it.inChroot("say that a limit is exceeded already", function* ({ run, zk }) {
    yield* zk.ensurePath("/app/a/b")
    const { code, err } = yield* run(["quota", "set", "/app", "--count", "2"])
    assert.strictEqual(code, 0)
    assert.strictEqual(err, "/app is above a limit already\n")
  })

  it.inChroot("refuse nested quotas, the root, a missing znode, and what means nothing", function* (commands) {
    const { run, servers, zk } = commands
    yield* zk.ensurePath("/app/a/b")
    yield* run(["quota", "set", "/app/a", "--count", "9"])
    for (const path of ["/app", "/app/a/b"]) {
      const { code, err } = yield* run(["quota", "set", path, "--count", "5"])
      assert.strictEqual(code, 4)
      const where = path === "/app" ? "below" : "above"
      const message = `zk: /app/a, which is ${where} ${path}, has a quota, and servers apply only one of two; nothing was changed\n`
      assert.strictEqual(err, message)
    }
    assert.strictEqual((yield* run(["quota", "set", "/none", "--count", "5"])).code, 3)
    assert.strictEqual((yield* run(["quota", "set", "/app"])).code, 2)
    assert.strictEqual((yield* run(["quota", "set", "/app", "--bytes", "much"])).code, 2)
    assert.strictEqual((yield* run(["quota", "set", "/", "--count", "5"], { env: { ZK_SERVERS: servers } })).code, 2)
    const readOnly = yield* run(["quota", "rm", "/app/a", "--read-only"])
    assert.strictEqual(readOnly.err, "zk: quota rm was not sent, because --read-only allows no writes\n")
  })
})

describe("the text of limits", () => {
  it("can be read again", () => {
    const limits = { count: 1, bytes: undefined, hardCount: undefined, hardBytes: 7 }
    assert.deepStrictEqual(Quota.parse(Quota.format(limits)), limits)
  })
})

describeOnServers("zk reconfig", (it) => {
  it.inChroot("refuses a single server, and what means nothing", function* ({ run }) {
    const alone = yield* run(["reconfig", "--add", "4=zk4:2888:3888;2181", "--yes"])
    assert.strictEqual(alone.code, 4)
    assert.strictEqual(alone.err, "zk: a single server (standalone) has no members to change\n")
    for (const args of [
      [],
      ["--add", "zk4:2888"],
      ["--remove", "four"],
      ["--add", "4=zk4:2888:3888;2181", "--members", "1=zk1:2888:3888;2181"],
      ["--remove", "4", "--from-version", "new"]
    ]) {
      const { code, err } = yield* run(["reconfig", ...args, "--yes"])
      assert.strictEqual(code, 2, err)
    }
    const readOnly = yield* run(["reconfig", "--remove", "4", "--yes", "--read-only"])
    assert.strictEqual(readOnly.code, 6)
  })
})

describe("zk reconfig, on a real quorum", () => {
  it.live(
    "changes the members that were read, after a question",
    () =>
      Effect.gen(function* () {
        const server = yield* ZooKeeperServer.make({ quorum: true })
        const env = { ZK_SERVERS: server.connectString, ZK_AUTH: "digest:super:secret" }
        const run = (args: ReadonlyArray<string>, options = {}) => runAnywhere(args, { env, ...options })
        const before = (yield* run(["config", "--raw"])).out
        const { version } = config((yield* run(["config", "--json"])).out)
        const observer = "127.0.0.1:29998:29999:observer;127.0.0.1:29997"
        const asked = yield* run(["reconfig", "--add", `9=${observer}`], { terminal: "n" })
        assert.deepStrictEqual(
          [asked.code, asked.err],
          [1, `Add server.9=${observer}? [y/N] zk: nothing was changed\n`]
        )
        const plain = yield* run(["reconfig", "--add", `9=${observer}`, "--yes"], { env: { ...env, ZK_AUTH: "" } })
        assert.strictEqual(plain.code, 6)
        const joined = yield* run(["reconfig", "--add", `server.9=${observer}`, "--yes", "--json"])
        assert.strictEqual(joined.code, 0, joined.err)
        assert.deepStrictEqual(
          config(joined.out).members.map(({ id, role }) => ({ id, role })),
          [
            { id: 1, role: "participant" },
            { id: 9, role: "observer" }
          ]
        )
        const late = yield* run(["reconfig", "--remove", "9", "--from-version", version.toString(16), "--yes"])
        assert.strictEqual(late.code, 4)
        assert.match(late.err, /^zk: the configuration has version .*; nothing was changed\n$/)
        assert.strictEqual((yield* run(["reconfig", "--remove", "7", "--yes"])).code, 4)
        assert.strictEqual((yield* run(["reconfig", "--remove", "1", "--yes"])).code, 2)
        // The file has the version that it was read with.
        const stale = yield* run(["reconfig", "--file", "-", "--yes"], { stdin: before })
        assert.strictEqual(stale.code, 4)
        const left = yield* run(["reconfig", "--remove", "9", "--yes", "--json"])
        assert.deepStrictEqual(
          config(left.out).members.map(({ id }) => id),
          [1]
        )
        const now = (yield* run(["config", "--raw"])).out
        const all = yield* run(["reconfig", "--file", "-", "--yes"], { stdin: now })
        assert.strictEqual(all.code, 0, all.err)
      }).pipe(Effect.scoped),
    60_000
  )
})
