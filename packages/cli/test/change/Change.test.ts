/** The commands that change the tree: what they do, what they refuse, and what they never half do. */
import * as Acl from "@effect-zookeeper/client/Acl"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import { inFolder } from "../support/folder.ts"
import { describeOnServers, textOf } from "../support/zk.ts"

const change = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Change))

describeOnServers("zk create", (it) => {
  it.inChroot("creates a znode and prints its path", function* ({ run, zk }) {
    const { code, err, out } = yield* run(["create", "/a", "data"])
    assert.deepStrictEqual({ code, out, err }, { code: 0, out: "/a\n", err: "" })
    assert.strictEqual(yield* textOf(zk, "/a"), "data")
    const json = yield* run(["create", "/s-", "--sequential", "--ndjson"])
    assert.deepStrictEqual(change(json.out), { action: "created", path: "/s-0000000001" })
    yield* run(["create", "/p/q", "--parents", "--acl", "world:anyone:r", "--file", "-"], { stdin: "in" })
    assert.strictEqual(yield* textOf(zk, "/p/q"), "in")
    assert.deepStrictEqual((yield* zk.getAcl("/p/q")).acl, [Acl.world("r")])
    // A stat does not tell them, but servers refuse what they are not told to make.
    assert.strictEqual((yield* run(["create", "/c", "--container"])).out, "/c\n")
    assert.strictEqual((yield* run(["create", "/t", "--ttl", "1h"])).out, "/t\n")
  })

  it.inChroot(
    "refuses a znode that exists, one without a parent, and options that exclude each other",
    function* ({ run }) {
      assert.strictEqual((yield* run(["create", "/a"])).code, 0)
      const again = yield* run(["create", "/a"])
      assert.deepStrictEqual({ code: again.code, err: again.err }, { code: 4, err: "zk: /a exists already\n" })
      const orphan = yield* run(["create", "/none/a"])
      const parent = "zk: the parent of /none/a does not exist; `zk create --parents` creates it\n"
      assert.deepStrictEqual({ code: orphan.code, err: orphan.err }, { code: 3, err: parent })
      assert.strictEqual((yield* run(["create", "/b", "x", "--file", "-"])).code, 2)
      assert.strictEqual((yield* run(["create", "/b", "--container", "--sequential"])).code, 2)
      assert.strictEqual((yield* run(["create", "/b", "--acl", "anyone"])).code, 2)
      assert.strictEqual((yield* run(["create", "/b", "--file", "/no/such/file"])).code, 1)
      assert.strictEqual((yield* run(["stat", "/b"])).code, 3)
    }
  )
})

describeOnServers("zk set and touch", (it) => {
  it.inChroot("set writes from an argument, a file and the standard input", function* ({ run, zk }) {
    yield* zk.create("/a")
    const { code, out } = yield* run(["set", "/a", "one"])
    assert.deepStrictEqual({ code, out }, { code: 0, out: "set /a  (version 1)\n" })
    const folder = yield* inFolder
    const file = Path.join(folder, "data")
    const bytes = new Uint8Array([0, 255, 10])
    Fs.writeFileSync(file, bytes)
    yield* run(["set", "/a", "--file", file])
    assert.deepStrictEqual(yield* zk.getData("/a"), bytes)
    const json = yield* run(["set", "/a", "--file", "-", "--ndjson"], { stdin: "three" })
    assert.deepStrictEqual(change(json.out), { action: "set", path: "/a", version: 3 })
    assert.strictEqual(yield* textOf(zk, "/a"), "three")
    yield* run(["set", "/new/b", "four", "--create"])
    assert.strictEqual(yield* textOf(zk, "/new/b"), "four")
    yield* run(["set", "/a", "--", "-five"])
    assert.strictEqual(yield* textOf(zk, "/a"), "-five")
  })

  it.inChroot("set writes nothing over another version, into nothing, and without data", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "kept" })
    const { code, err } = yield* run(["set", "/a", "x", "--version", "7"])
    assert.strictEqual(code, 4)
    assert.strictEqual(err, "zk: /a has version 0, and not 7; nothing was changed\n")
    const json = yield* run(["set", "/a", "x", "--version", "7", "--json"])
    assert.strictEqual(JSON.parse(json.err).error.tag, "BadVersion")
    assert.strictEqual((yield* run(["set", "/none", "x"])).code, 3)
    assert.strictEqual((yield* run(["set", "/a"])).code, 2)
    assert.strictEqual(yield* textOf(zk, "/a"), "kept")
  })

  it.inChroot("touch keeps the data, and creates a missing znode", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "kept" })
    yield* run(["touch", "/a"])
    const { data, stat } = yield* zk.get("/a")
    assert.deepStrictEqual([new TextDecoder().decode(data), stat.version], ["kept", 1])
    assert.strictEqual((yield* run(["touch", "/b"])).out, "created /b\n")
    assert.strictEqual((yield* run(["touch", "/none/b"])).code, 3)
  })

  it.inChroot("sync answers when the server has everything", function* ({ run }) {
    assert.deepStrictEqual(change((yield* run(["sync", "--ndjson"])).out), { action: "synced", path: "/" })
  })
})

describeOnServers("zk rm", (it) => {
  it.inChroot("deletes a znode, and a subtree with -r", function* ({ run, zk }) {
    yield* zk.create("/a")
    assert.strictEqual((yield* run(["rm", "/a"])).out, "deleted /a\n")
    yield* zk.ensurePath("/b/c/d")
    assert.strictEqual((yield* run(["rm", "-r", "/b", "--yes"])).code, 0)
    assert.isFalse(yield* zk.exists("/b"))
  })

  it.inChroot("asks with the number of znodes before it deletes a subtree", function* ({ run, zk }) {
    yield* zk.ensurePath("/b/c/d")
    const no = yield* run(["rm", "-r", "/b"], { terminal: "n" })
    assert.strictEqual(no.code, 1)
    assert.strictEqual(no.err, "Delete /b and the 2 znodes below it? [y/N] zk: nothing was changed\n")
    const script = yield* run(["rm", "-r", "/b"])
    assert.strictEqual(script.code, 2)
    assert.include(script.err, "confirm with --yes")
    assert.isTrue(yield* zk.exists("/b/c/d"))
    assert.strictEqual((yield* run(["rm", "-r", "/b"], { terminal: "y" })).code, 0)
    assert.isFalse(yield* zk.exists("/b"))
  })

  it.inChroot("names the session of an ephemeral znode, and asks on a terminal", function* ({ run, zk }) {
    for (const path of ["/a", "/b"]) yield* zk.create(path, { mode: "ephemeral" })
    const owner = `an ephemeral znode of the session ${Output.formatHex(zk.session.id)}, which may go on in the belief that it has it, as a lock\n`
    const no = yield* run(["rm", "/a"], { terminal: "n" })
    assert.deepStrictEqual(
      { code: no.code, err: no.err },
      { code: 1, err: `/a is ${owner}Delete /a? [y/N] zk: nothing was changed\n` }
    )
    assert.isTrue(yield* zk.exists("/a"))
    const yes = yield* run(["rm", "/a", "--yes"], { terminal: "" })
    assert.deepStrictEqual({ code: yes.code, err: yes.err }, { code: 0, err: `/a is ${owner}` })
    const script = yield* run(["rm", "/b"])
    assert.deepInclude(script, { code: 0, out: "deleted /b\n", err: `/b is ${owner}` })
    assert.deepStrictEqual(yield* zk.getChildren("/"), [])
  })

  it.inChroot("names the first ephemeral znode of a subtree, before it asks", function* ({ run, zk }) {
    yield* zk.create("/lock")
    for (const path of ["/lock/a", "/lock/b"]) yield* zk.create(path, { mode: "ephemeral" })
    const { code, err } = yield* run(["rm", "-r", "/lock"], { terminal: "n" })
    assert.strictEqual(code, 1)
    const session = Output.formatHex(zk.session.id)
    assert.strictEqual(
      err,
      `/lock/a is an ephemeral znode of the session ${session}, which may go on in the belief that it has it, as a lock; ` +
        "and 1 ephemeral znode more\nDelete /lock and the 2 znodes below it? [y/N] zk: nothing was changed\n"
    )
  })

  it.inChroot("says how far it went where it cannot delete all", function* ({ run, zk }) {
    yield* zk.create("/b", { acl: [Acl.world("crwa")] })
    yield* zk.create("/b/c")
    yield* zk.create("/b/c/d")
    const { code, err } = yield* run(["rm", "-r", "/b", "--yes"])
    assert.strictEqual(code, 6)
    assert.match(err, /^\d of the 3 znodes are left; .*\nzk: .*not permitted.*\n$/)
    yield* zk.setAcl("/b", Acl.open)
    assert.strictEqual((yield* run(["rm", "-r", "/b", "--yes"])).code, 0)
  })

  it.inChroot(
    "refuses the znodes of ZooKeeper itself before it deletes what is below",
    function* ({ run, servers, zk }) {
      yield* zk.create("/zookeeper")
      const root = ["--servers", servers]
      for (const args of [
        ["rm", "/zookeeper"],
        ["rm", "-r", "/zookeeper", "--yes"],
        ["rm", "-r", "/zookeeper/quota", "--yes"],
        ["rm", "/zookeeper/config"],
        ["rm", "/config", "--chroot", "/zookeeper"],
        ["mv", "/zookeeper/config", "/config"]
      ]) {
        const { code, err } = yield* run([...args, ...root])
        assert.strictEqual(code, 2, args.join(" "))
        assert.include(err, "is ZooKeeper's own")
      }
      assert.strictEqual((yield* run(["rm", "/zookeeper"])).code, 0)
    }
  )

  it.inChroot("refuses children without -r, another version, and the root", function* ({ run, zk }) {
    yield* zk.ensurePath("/b/c")
    const { code, err } = yield* run(["rm", "/b"])
    assert.deepStrictEqual({ code, err }, { code: 4, err: "zk: /b has children; `zk rm -r` deletes them too\n" })
    const version = yield* run(["rm", "/b/c", "--version", "5"])
    const found = "zk: /b/c has version 0, and not 5; nothing was changed\n"
    assert.deepStrictEqual([version.code, version.err], [4, found])
    assert.strictEqual((yield* run(["rm", "/none"])).code, 3)
    assert.strictEqual((yield* run(["rm", "-r", "/none", "--yes"])).code, 3)
    assert.strictEqual((yield* run(["rm", "-r", "/", "--yes"])).code, 2)
    assert.isTrue(yield* zk.exists("/b/c"))
  })
})

describeOnServers("zk cp and mv", (it) => {
  it.inChroot("cp copies data and ACLs of a subtree, and leaves ephemeral znodes out", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "1" })
    yield* zk.create("/a/b", { data: "2", acl: [Acl.world("cdrwa"), Acl.ip("10.0.0.0/8", "r")] })
    yield* zk.create("/a/e", { mode: "ephemeral" })
    const { code, err, out } = yield* run(["cp", "-r", "/a", "/copy"])
    assert.deepStrictEqual(
      { code, out, err },
      { code: 0, out: "copied /copy\ncopied /copy/b\n", err: "1 ephemeral znode left out\n" }
    )
    assert.strictEqual(yield* textOf(zk, "/copy/b"), "2")
    assert.deepStrictEqual((yield* zk.getAcl("/copy/b")).acl, (yield* zk.getAcl("/a/b")).acl)
    assert.deepStrictEqual(yield* zk.getChildren("/copy"), ["b"])
  })

  it.inChroot("mv moves a subtree", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "1" })
    yield* zk.create("/a/b", { data: "2" })
    assert.strictEqual((yield* run(["mv", "/a", "/new"])).out, "moved /new\nmoved /new/b\n")
    assert.strictEqual(yield* textOf(zk, "/new/b"), "2")
    assert.isFalse(yield* zk.exists("/a"))
  })

  it.inChroot("replace a target only with --force, and never one with children", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "new" })
    yield* zk.create("/b", { data: "old" })
    const { code, err } = yield* run(["cp", "/a", "/b"])
    assert.deepStrictEqual({ code, err }, { code: 4, err: "zk: /b exists already; --force replaces it\n" })
    assert.strictEqual((yield* run(["mv", "/a", "/b"])).code, 4)
    assert.strictEqual(yield* textOf(zk, "/b"), "old")
    assert.strictEqual((yield* run(["mv", "/a", "/b", "--force"])).code, 0)
    assert.strictEqual(yield* textOf(zk, "/b"), "new")
    yield* zk.ensurePath("/full/child")
    for (const flags of [[], ["--force"]]) {
      const full = yield* run(["cp", "/b", "/full", ...flags])
      assert.deepStrictEqual(
        [full.code, full.err],
        [4, "zk: /full exists already and has children, and is not replaced, also with --force; delete it first\n"]
      )
    }
  })

  it.inChroot("change nothing where one step cannot be done", function* ({ run, zk }) {
    yield* zk.ensurePath("/a/b")
    assert.strictEqual((yield* run(["cp", "/a", "/c"])).code, 4)
    const into = yield* run(["mv", "/a", "/a/b/c"])
    const below = "zk: /a/b/c is below /a, which cannot be moved into itself\n"
    assert.deepStrictEqual([into.code, into.err], [2, below])
    for (const [args, verb] of [
      [["mv", "/", "/x"], "moved"],
      [["cp", "-r", "/", "/x"], "copied"]
    ] as const) {
      const root = yield* run(args)
      const message = `zk: the root cannot be ${verb} into itself; name the znodes below it\n`
      assert.deepStrictEqual([root.code, root.err], [2, message])
    }
    assert.strictEqual((yield* run(["mv", "/a", "/none/c"])).code, 3)
    assert.strictEqual((yield* run(["cp", "/none", "/c"])).code, 3)
    yield* zk.create("/a/e", { mode: "ephemeral" })
    assert.strictEqual((yield* run(["cp", "/a/e", "/c"])).code, 4)
    assert.strictEqual((yield* run(["mv", "/a", "/c"])).code, 4)
    assert.isFalse(yield* zk.exists("/c"))
    assert.deepStrictEqual((yield* zk.getChildren("/a")).toSorted(), ["b", "e"])
  })

  it.inChroot("do not advise to delete what came while they moved", function* ({ chroot, run, servers, zk }) {
    yield* zk.create("/a")
    const [host = "", port] = servers.split(":")
    const proxy = yield* FaultProxy.make({ host, port: Number(port) })
    const held = yield* proxy.rule({ match: { direction: "up", op: 14 }, action: { _tag: "Hold" } })
    const others = Effect.gen(function* () {
      yield* held.awaitHits()
      yield* zk.create("/a/new")
      yield* held.release
    })
    const env = { ZK_SERVERS: `${proxy.connectString}${chroot}` }
    const [{ code, err }] = yield* Effect.all([run(["mv", "/a", "/c"], { env }), others], { concurrency: 2 })
    const message = "zk: /a has children that came meanwhile; nothing was changed: try again\n"
    assert.deepStrictEqual([code, err], [4, message])
    assert.isFalse(yield* zk.exists("/c"))
    const file = Path.join(yield* inFolder, "operations")
    Fs.writeFileSync(file, '{"op":"delete","path":"/a"}\n')
    const multi = yield* run(["multi", file])
    assert.deepStrictEqual(
      [multi.code, multi.err],
      [4, "zk: operation 1 failed, and none was applied: /a has children\n"]
    )
  })

  it.inChroot("refuse a subtree that one transaction cannot hold", function* ({ run, zk }) {
    yield* zk.create("/a")
    for (const name of ["1", "2", "3"]) yield* zk.create(`/a/${name}`, { data: new Uint8Array(400_000) })
    const { code, err } = yield* run(["mv", "/a", "/b"])
    assert.strictEqual(code, 4)
    const way = "`zk copy /a /b` copies a tree of any size, step by step"
    assert.include(err, `nothing was changed: ${way}, and \`zk rm -r /a\` deletes the source then\n`)
    assert.isFalse(yield* zk.exists("/b"))
    assert.include((yield* run(["cp", "-r", "/a", "/b"])).err, `nothing was changed: ${way}\n`)
    assert.strictEqual((yield* run(["copy", "/a", "/b", "--yes"])).code, 0)
    assert.strictEqual((yield* zk.getChildren("/b")).length, 3)
  })
})

describeOnServers("zk multi", (it) => {
  it.inChroot("applies all operations of a file", function* ({ run, zk }) {
    yield* zk.create("/a")
    const stdin = [
      "# a comment",
      '{"op":"check","path":"/a","version":0}',
      '{"op":"create","path":"/a/s-","data":"1","mode":"persistentSequential"}',
      '{"op":"set","path":"/a","base64":"AP8="}',
      '{"op":"create","path":"/b"}',
      '{"op":"delete","path":"/b"}',
      ""
    ].join("\n")
    const { code, out } = yield* run(["multi", "-"], { stdin })
    assert.strictEqual(code, 0)
    assert.strictEqual(out, "checked /a\ncreated /a/s-0000000000\nset /a  (version 1)\ncreated /b\ndeleted /b\n")
    assert.deepStrictEqual(yield* zk.getData("/a"), new Uint8Array([0, 255]))
  })

  it.inChroot("applies none where one fails, or a line is wrong", function* ({ run, zk }) {
    const stdin = '{"op":"create","path":"/a"}\n{"op":"check","path":"/none"}\n'
    const { code, err } = yield* run(["multi", "-"], { stdin })
    assert.strictEqual(code, 3)
    assert.strictEqual(err, "zk: operation 2 failed, and none was applied: /none: no such znode\n")
    const typo = yield* run(["multi", "-"], { stdin: '{"op":"create","path":"/a"}\n{"op":"make","path":"/b"}\n' })
    assert.strictEqual(typo.code, 2)
    assert.include(typo.err, "line 2 of the standard input")
    assert.strictEqual((yield* run(["multi", "-"], { stdin: "# nothing\n" })).code, 2)
    const both = yield* run(["multi", "-"], { stdin: '{"op":"create","path":"/a","data":"1","base64":"MQ=="}\n' })
    assert.deepStrictEqual([both.code, both.err.includes("both data and base64")], [2, true])
    const latin1 = new Uint8Array([
      ...new TextEncoder().encode('{"op":"create","path":"/a","data":"'),
      0xe9,
      0x22,
      0x7d
    ])
    assert.strictEqual((yield* run(["multi", "-"], { stdin: latin1 })).code, 2)
    assert.isFalse(yield* zk.exists("/a"))
  })
})

describeOnServers("zk multi with ACLs", (it) => {
  it.inChroot("refuses what create refuses, with the line and without the secret", function* ({ run, zk }) {
    const multi = (acl: string) =>
      run(["multi", "-"], {
        stdin: `# a comment\n{"op":"create","path":"/a"}\n{"op":"create","path":"/b","acl":[${JSON.stringify(acl)}]}\n`
      })
    for (const [acl, mistake] of [
      ["digest:ann:hunter2:cdrwa", "has no hash"],
      ["digest:ann:x:cdrwa", "is concealed"],
      ["world:anyone:z", "perms must be"],
      ["world:ann:r", "the only id"]
    ] as const) {
      const { code, err } = yield* multi(acl)
      assert.strictEqual(code, 2, err)
      assert.include(err, "line 3 of the standard input")
      assert.include(err, mistake)
      assert.notInclude(err, "hunter2")
    }
    for (const line of ['{"op":"create","path":"b"}', '{"op":"set","path":"/a","base64":"*"}']) {
      const { code, err } = yield* run(["multi", "-"], { stdin: `{"op":"create","path":"/a"}\n\n${line}\n` })
      assert.deepStrictEqual([code, err.includes("line 3 of the standard input")], [2, true], err)
    }
    assert.isFalse(yield* zk.exists("/a"))
  })

  it.inChroot("knows the words that create knows", function* ({ run, zk }) {
    const stdin = '{"op":"create","path":"/a","acl":["read-only"]}\n{"op":"create","path":"/b","acl":["creator"]}\n'
    const { code, err } = yield* run(["multi", "-"], { stdin, env: { ZK_AUTH: "digest:ann:secret" } })
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    assert.deepStrictEqual((yield* zk.getAcl("/a")).acl.map(Acl.format), ["world:anyone:r"])
    assert.strictEqual((yield* zk.stat("/b"))._tag, "Some")
  })
})
