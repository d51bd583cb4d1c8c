import * as Acl from "@effect-zookeeper/client/Acl"
import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import type { Mirror } from "@effect-zookeeper/storage"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as StorageOutput from "../../src/StorageOutput.ts"
import { isSame, isSamePhase, newsOf } from "../../src/internal/backup/mirror.ts"
import { start } from "../support/processes.ts"
import { describeOnServers } from "../support/zk.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

describeOnServers("zk backup, restore, copy and diff", (it) => {
  it.inChroot(
    "write a file whose tree is shown as the live one, also where znodes have many children",
    function* ({ run, zk }) {
      const file = `${yield* folder}/app.ndjson`
      yield* zk.create("/app", { data: "root" })
      for (let index = 0; index < 20; index++) yield* zk.create(`/app/${index}`, { data: `${index}` })
      yield* zk.create("/app/7/below")
      yield* run(["backup", "/app", file])
      for (const [command, ...flags] of [["tree"], ["ls", "-R"], ["tree", "--sizes"]] as const) {
        const live = yield* run([command, "/app", ...flags])
        const { code, err, out } = yield* run(["snapshot", command, file, "/app", ...flags])
        assert.deepStrictEqual([code, out], [0, live.out], err)
        assert.lengthOf(live.out.match(/below/g) ?? [], 1)
      }
    }
  )

  it.inChroot("back a tree up, and restore it after a dry run and a question", function* ({ another, run, zk }) {
    const file = `${yield* folder}/app.ndjson.gz`
    yield* zk.create("/app", { data: "root" })
    yield* zk.create("/app/queue")
    for (let index = 0; index < 3; index++) {
      yield* zk.delete(yield* zk.create("/app/queue/n-", { mode: "persistentSequential" }))
    }
    const owner = yield* another()
    yield* owner.create("/app/owned", { mode: "ephemeral" })
    const made = yield* run(["backup", "/app", file])
    assert.strictEqual(made.code, 0, made.err)
    assert.match(
      made.out,
      /^\/app at zxid 0x[0-9a-f]+.*: 3 znodes \(1 ephemeral\), 4 bytes of data, in .*app\.ndjson\.gz\n$/
    )
    assert.strictEqual((yield* run(["backup", "/app", file])).code, 1)
    const again = yield* run(["backup", "/app", file, "--force", "--json"])
    assert.deepInclude(JSON.parse(again.out), { path: "/app", znodes: 3, ephemerals: 1, isConsistent: true })

    const dry = yield* run(["restore", file, "/copy", "--dry-run"])
    assert.strictEqual(dry.code, 0, dry.err)
    assert.strictEqual(
      dry.out.split("\n").toSorted().join("\n"),
      [
        "",
        "create     /copy",
        "create     /copy/queue",
        "raise      /copy  (1 → 2)",
        "raise      /copy/queue  (0 → 3)",
        "skip       /copy/owned  (ephemeral)"
      ].join("\n")
    )
    assert.isFalse(yield* zk.exists("/copy"))
    // A script has to say yes.
    assert.strictEqual((yield* run(["restore", file, "/copy"])).code, 2)
    const declined = yield* run(["restore", file, "/copy"], { terminal: "n" })
    assert.strictEqual(declined.code, 1)
    assert.isFalse(yield* zk.exists("/copy"))
    const restored = yield* run(["restore", file, "/copy", "--yes", "--ndjson"])
    assert.strictEqual(restored.code, 0, restored.err)
    const session = `0x${BigInt.asUintN(64, owner.session.id).toString(16)}`
    const [skipped, total, ...rest] = restored.out.trim().split("\n")
    assert.deepStrictEqual(JSON.parse(skipped ?? ""), {
      step: "skip",
      path: "/copy/owned",
      reason: "ephemeral",
      session
    })
    const counts = Schema.decodeUnknownSync(Schema.fromJsonString(StorageOutput.StepTotal))(total)
    const none = { overwrite: 0, same: 0, leave: 0, notRaised: 0 }
    assert.deepStrictEqual(counts, { step: "total", dryRun: false, create: 2, skip: 1, raise: 2, ...none })
    assert.deepStrictEqual(rest, [])
    const same = JSON.parse((yield* run(["restore", file, "/copy", "--yes", "--json"])).out)
    assert.deepInclude(same.at(-1), { step: "total", dryRun: false, create: 0, same: 2 })
    const planned = JSON.parse((yield* run(["restore", file, "/other", "--dry-run", "--json"])).out)
    assert.deepInclude(planned.at(-1), { step: "total", dryRun: true, create: 2, raise: 2 })
    assert.include(restored.err, "2 znodes")
    assert.strictEqual(yield* zk.create("/copy/queue/n-", { mode: "persistentSequential" }), "/copy/queue/n-0000000003")
    assert.strictEqual((yield* run(["diff", `backup:${file}`, "/copy"])).code, 1)
  })

  it.inChroot("copy between trees, and say what is different", function* ({ chroot, run, servers, zk }) {
    yield* zk.create("/a", { data: "1" })
    yield* zk.create("/a/b", { data: "2" })
    const copied = yield* run(["copy", "/a", `zk://${servers}${chroot}/copy/of`, "--yes"])
    assert.strictEqual(copied.code, 0, copied.err)
    const same = yield* run(["diff", "/a", "/copy/of"])
    assert.deepStrictEqual([same.code, same.out], [0, ""])
    yield* zk.setData("/a/b", "3")
    yield* zk.create("/a/new")
    yield* zk.create("/copy/of/extra")
    const different = yield* run(["diff", "/a", "/copy/of"])
    assert.strictEqual(different.code, 1)
    assert.strictEqual(different.out.split("\n").toSorted().join("\n"), "\n+ /extra\n- /new\n~ /b  (data)")
    const json = yield* run(["diff", "/a", "/copy/of", "--json"])
    assert.deepInclude(JSON.parse(json.out), { difference: "changed", path: "/b", parts: ["data"] })
  })

  it.inChroot("refuse writes that are not allowed, and invalid names of trees", function* ({ run, zk }) {
    yield* zk.create("/a")
    const dry = yield* run(["copy", "/a", "/b", "--dry-run", "--read-only"])
    assert.strictEqual(dry.code, 0, dry.err)
    assert.strictEqual((yield* run(["copy", "/a", "/b", "--yes", "--read-only"])).code, 6)
    const wrong = yield* run(["copy", "a", "/b", "--yes"])
    assert.strictEqual(wrong.code, 2)
    assert.include(wrong.err, "names no tree")
    assert.strictEqual((yield* run(["copy", "/a", "backup:x", "--yes"])).code, 2)
    assert.strictEqual((yield* run(["restore", "/nowhere.ndjson", "--yes"])).code, 1)
    assert.strictEqual((yield* run(["backup", "/nowhere", `${yield* folder}/never-written.ndjson`])).code, 3)
  })

  it.inChroot(
    "refuse a copy or a mirror into the tree that is read, or around it",
    function* ({ chroot, run, servers, zk }) {
      yield* zk.create("/a")
      yield* zk.create("/a/b")
      const [, name, port] = /^([^,]+):(\d+)$/.exec(servers) ?? assert.fail(servers)
      const other = `${name === "localhost" ? "127.0.0.1" : "localhost"}:${port}`
      for (const [source, target, reason] of [
        ["/", "/copy", "is in the tree that is read, /: the copy would be copied again, without end"],
        ["/a", "/a/copy", "without end"],
        ["/a", `zk://${servers}${chroot}/a/copy`, "without end"],
        // The library finds it by the transactions.
        ["/a", `zk://${other}${chroot}/a/copy`, "without end"],
        ["/a/b", "/a", "has the tree that is read in it, /a/b: the copy would be written over it"],
        ["/a", "/a", "the source and the target are the same tree"]
      ] as const) {
        for (const args of [
          ["mirror", source, target],
          ["mirror", source, target, "--delete", "--yes"],
          ["copy", source, target, "--yes"]
        ]) {
          const { code, err } = yield* run(args)
          assert.strictEqual(code, 2, err)
          assert.include(err, reason)
        }
      }
      const dry = yield* run(["copy", "/a", "/a/copy", "--dry-run"])
      assert.strictEqual(dry.code, 2, dry.err)
      assert.deepStrictEqual(yield* zk.getChildren("/a"), ["b"])
      assert.deepStrictEqual(yield* zk.getChildren("/a/b"), [])
      assert.isFalse(yield* zk.exists("/copy"))
      // A name that only begins in the same way is another place.
      assert.strictEqual((yield* run(["copy", "/a", "/ab", "--yes"])).code, 0)
      assert.deepStrictEqual(yield* zk.getChildren("/ab"), ["b"])
    }
  )

  it.inChroot("mirror a tree until it is interrupted", function* ({ run, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/a/b", { data: "1" })
    yield* run(["mirror", "/a", "/copy"]).pipe(Effect.forkScoped)
    yield* eventually(zk.exists("/copy/b"), (exists) => exists)
    yield* zk.create("/a/c")
    yield* eventually(zk.exists("/copy/c"), (exists) => exists)
    assert.strictEqual((yield* run(["mirror", "/a", "/a"])).code, 2)
  })

  it.inChroot("tell scripts how a mirror is doing", function* ({ runLive, zk }) {
    yield* zk.create("/a")
    yield* zk.create("/a/b", { data: "1" })
    let out = ""
    const mirror = yield* runLive(["mirror", "/a", "/copy", "--ndjson"], { onOut: (text) => (out = text) })
    yield* mirror.sees('"phase":"following"')
    yield* zk.delete("/a/b")
    yield* mirror.sees('"written":2,"deleted":0')
    const items = out
      .trim()
      .split("\n")
      .map((line) => Schema.decodeUnknownSync(Schema.fromJsonString(StorageOutput.MirrorStatus))(line))
    assert.isAbove(Number(items.at(-1)?.zxid), 0)
  })

  it.inChroot("mirror what is masked with other ACLs, and name the numbers that stay", function* (commands) {
    const { chroot, run, runLive, servers, zk } = commands
    yield* zk.create("/a")
    const digest = { perms: Acl.Perms.ALL, scheme: "digest", id: "bob:lK75jTNcA+U9vtVEw5vB51mj/w4=" }
    yield* zk.create("/a/masked", { data: "1", acl: [digest, Acl.world("cdr")] })
    for (let index = 0; index < 25; index++) {
      yield* zk.delete(yield* zk.create("/a/n-", { mode: "persistentSequential" }))
    }
    const masked = yield* run(["mirror", "/a", "/copy"])
    assert.strictEqual(masked.code, 6, masked.err)
    assert.include(masked.err, "--open-acls")
    const mirror = yield* start(`${servers}${chroot}`, ["mirror", "/a", "/open", "--open-acls", "--max-raise", "10"])
    yield* eventually(zk.exists("/open/masked"), (exists) => exists)
    assert.deepStrictEqual((yield* zk.getAcl("/open/masked")).acl, Acl.open)
    yield* awaitCondition(() => mirror.err().includes("not raised: /open  (beyond --max-raise, 0 → 26)"))
    const scripted = yield* runLive(["mirror", "/a", "/scripted", "--open-acls", "--max-raise", "10", "--ndjson"])
    yield* scripted.sees('"notRaised":[{"path":"/scripted","reason":"beyond --max-raise","from":0,"to":26}]')
  })

  it.inChroot("read the data directory of a mirror before anything is written", function* ({ run, zk }) {
    yield* zk.create("/a")
    const none = yield* run(["mirror", "/a", "/copy", "--data", "/nowhere"])
    assert.strictEqual(none.code, 1, none.err)
    assert.isFalse(yield* zk.exists("/copy"))
    const logsAlone = yield* run(["mirror", "/a", "/copy", "--logs", "/nowhere"])
    assert.deepInclude(logsAlone, { code: 2, out: "" })
    assert.include(logsAlone.err, "--data")
  })
})

const notRaised: Mirror.Status["notRaised"] = []

const status = (more: Partial<Mirror.Status> = {}): Mirror.Status => ({
  phase: "following",
  lag: 0,
  zxid: 1n,
  written: 1,
  deleted: 0,
  notRaised,
  ...more
})

type Options = Parameters<typeof newsOf> extends [unknown, ...infer Rest] ? Rest : never

describe("the statuses of a mirror", () => {
  /** The seconds in which there is an item, where the status of each second is given. */
  const told = (statuses: ReadonlyArray<Mirror.Status | undefined>, ...options: Options) =>
    Effect.gen(function* () {
      let second = 0
      const seconds: Array<number> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(
          newsOf(() => statuses[second], ...options),
          () => Effect.sync(() => seconds.push(second))
        )
      )
      for (; second < statuses.length; second++) yield* TestClock.adjust(second === 0 ? 0 : "1 second")
      yield* Fiber.interrupt(fiber)
      return seconds
    })

  it.effect("are told where something but the lag has changed, and else each 30 seconds", () =>
    Effect.gen(function* () {
      const raised = status({ zxid: 2n, notRaised: [] })
      const start = [undefined, status(), status({ lag: 1000 }), status({ zxid: 2n }), status({ zxid: 2n }), raised]
      assert.deepStrictEqual(yield* told(start, isSame), [1, 3, 5])
      assert.deepStrictEqual(
        yield* told(
          Array.from({ length: 62 }, (_, lag) => status({ lag })),
          isSame
        ),
        [0, 30, 60]
      )
    })
  )

  it.effect("are told where the phase has changed, for people without a terminal", () =>
    Effect.gen(function* () {
      const phases = [
        status({ phase: "catchingUp" }),
        ...Array.from({ length: 100 }, (_, written) => status({ written }))
      ]
      assert.deepStrictEqual(yield* told(phases, isSamePhase, Number.POSITIVE_INFINITY), [0, 1])
    })
  )
})
