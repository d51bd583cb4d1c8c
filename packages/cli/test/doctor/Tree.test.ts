/** `zk doctor` on servers, and its findings about the tree. */
import * as Diagnosis from "@effect-zookeeper/cli/Diagnosis"
import * as Acl from "@effect-zookeeper/client/Acl"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { checkTree } from "../../src/internal/doctor/treeChecks.ts"
import { make as makePrinter, Printer } from "../../src/internal/output/Printer.ts"
import { type Commands, describeOnServers, silentStdio } from "../support/zk.ts"

const decode = Schema.decodeUnknownSync(Schema.Array(Diagnosis.Finding))

/** The findings of some checks. */
const findings = (run: Commands["run"], checks: ReadonlyArray<string>, args: ReadonlyArray<string> = []) =>
  Effect.map(run(["doctor", "--json", "--fail-on", "never", ...args]), ({ code, err, out }) => {
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    return decode(JSON.parse(out)).filter(({ check }) => checks.includes(check))
  })

describeOnServers("zk doctor", (it) => {
  it.inChroot("names large znodes, and those with many children", function* ({ run, zk }) {
    yield* zk.create("/large", { data: "x".repeat(5000) })
    yield* zk.create("/huge", { data: "x".repeat(950_000) })
    yield* zk.create("/many")
    for (let index = 0; index < 12; index++) yield* zk.create(`/many/${index}`)
    const found = yield* findings(run, ["large-znodes", "many-children"], ["--large", "4k", "--many", "10"])
    assert.deepStrictEqual(
      found.map(({ message, severity, where }) => `${severity} ${where}: ${message}`),
      [
        "error /huge: it has 927.7K of data, which is near the limit of 1 MiB for a request",
        "warning /large: it has 4.9K of data",
        "warning /many: it has 12 children"
      ]
    )
  })

  it.inChroot("names the first of many, and counts the others", function* ({ run, zk }) {
    for (let index = 0; index < 8; index++) yield* zk.create(`/large${index}`, { data: "x".repeat(100) })
    const found = yield* findings(run, ["large-znodes"], ["--large", "100"])
    assert.deepStrictEqual(
      found.map(({ message, where }) => `${where}: ${message}`),
      [0, 1, 2, 3, 4].map((index) => `/large${index}: it has 100 bytes of data`).concat(": and 3 znodes more")
    )
  })

  it.inChroot("counts the znodes that everybody may change", function* ({ run, zk }) {
    yield* zk.create("/closed", { acl: [Acl.world("r")] })
    yield* zk.create("/open")
    yield* zk.create("/open/too")
    const found = yield* findings(run, ["open-acls"])
    assert.deepStrictEqual(
      found.map(({ message, where }) => ({ message, where })),
      [{ where: "/", message: "everybody may change 3 of 4 znodes, this one first" }]
    )
    assert.include(found[0]?.advice, "`zk find --open` lists them")
    assert.strictEqual((yield* run(["find", "/", "--open"])).out, "/\n/open\n/open/too\n")
    assert.strictEqual((yield* run(["find", "/", "--open", "--name", "t*"])).out, "/open/too\n")
    assert.deepStrictEqual(yield* findings(run, ["open-acls"], ["/closed"]), [])
  })

  it.inChroot("only notes that the root is open, as servers make it", function* ({ run, zk }) {
    yield* zk.create("/closed", { acl: [Acl.world("r")] })
    const found = yield* findings(run, ["open-acls"])
    assert.deepStrictEqual(
      found.map(({ message, severity, where }) => `${severity} ${where}: ${message}`),
      ["note /: everybody may change 1 of 2 znodes"]
    )
    yield* zk.create("/zookeeper-app")
    assert.deepStrictEqual(
      (yield* findings(run, ["open-acls"])).map(({ message, severity }) => `${severity}: ${message}`),
      ["warning: everybody may change 2 of 3 znodes, this one first"]
    )
  })

  it.inChroot("says that it has looked at the first znodes alone, where it may not look at all", function* ({ zk }) {
    for (let index = 0; index < 8; index++) yield* zk.create(`/large${index}`, { data: "x".repeat(100) })
    const check = (limit: number) =>
      checkTree(zk, {
        path: "/",
        large: 100,
        many: 100,
        limit,
        sessions: new Set(),
        sessionsNow: Effect.succeed(undefined)
      }).pipe(Effect.provideServiceEffect(Printer, makePrinter("text", false)), Effect.provide(silentStdio))
    const cut = yield* check(4)
    assert.lengthOf(
      cut.filter((finding) => finding.check === "large-znodes"),
      3
    )
    assert.deepInclude(cut.at(-1), { check: "tree", message: "only the first 4 znodes were looked at" })
    assert.isFalse((yield* check(9)).some((finding) => finding.check === "tree"))
  })

  it.inChroot("says what it could not look into", function* ({ run, zk }) {
    yield* zk.create("/secret", { acl: [Acl.world("cdwa")] })
    const [found] = yield* findings(run, ["access"])
    assert.deepInclude(found, {
      severity: "note",
      where: "/secret",
      message: "1 znode could not be looked into, this one first"
    })
  })

  it.inChroot("names subtrees that have used up their quota, and quotas of nothing", function* ({ run, zk }) {
    for (const name of ["soft", "hard", "near", "well", "gone"]) {
      yield* zk.create(`/${name}`)
      for (let index = 0; index < 9; index++) yield* zk.create(`/${name}/${index}`, { data: "x".repeat(100) })
    }
    const set = (path: string, ...limits: ReadonlyArray<string>) =>
      Effect.map(run(["quota", "set", path, ...limits]), ({ code, err }) => assert.strictEqual(code, 0, err))
    yield* set("/soft", "--count", "9", "--bytes", "899")
    yield* set("/hard", "--count", "20", "--hard-count", "10")
    yield* set("/near", "--hard-bytes", "1000")
    yield* set("/well", "--count", "10", "--bytes", "900", "--hard-count", "12", "--hard-bytes", "2k")
    yield* set("/gone", "--count", "1")
    yield* zk.deleteAll("/gone")
    const all = yield* findings(run, ["quotas"])
    assert.deepStrictEqual(all.map(({ message, severity, where }) => `${severity} ${where}: ${message}`).toSorted(), [
      "error /hard: it has 10 znodes, and its hard limit is 10: servers with enforceQuota refuse more",
      "note /gone: it has a quota, and does not exist",
      "warning /near: it has 900 bytes of data, near its hard limit of 1000: servers with enforceQuota refuse more",
      "warning /soft: it has 10 znodes, and its quota is 9",
      "warning /soft: it has 900 bytes of data, and its quota is 899"
    ])
    // That of the znode above counts for a part of its subtree, and others do not.
    const ofPart = yield* findings(run, ["quotas"], ["/hard/3"])
    assert.deepStrictEqual(
      ofPart.map(({ where }) => where),
      ["/hard"]
    )
    assert.deepStrictEqual(yield* findings(run, ["quotas"], ["--no-tree"]), [])
  })

  it.inChroot("prints the worst first, and ends by what it is told to fail on", function* ({ run, zk }) {
    yield* zk.create("/large", { data: "x".repeat(5000) })
    const args = ["doctor", "--large", "4k"]
    const { code, err, out } = yield* run([...args, "--fail-on", "warning"])
    assert.strictEqual(code, 1)
    assert.match(err, /^zk: \d+ errors? and \d+ warnings? found\n$/)
    assert.match(
      out,
      /^warning {2}\/large: it has 4\.9K of data\n {9}keep large data elsewhere, and its address in ZooKeeper$/m
    )
    const severities = out.match(/^(error|warning|note)/gm) ?? []
    const order = ["error", "warning", "note"]
    assert.deepStrictEqual(
      severities,
      severities.toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
    )
    assert.strictEqual((yield* run([...args, "--fail-on", "never"])).code, 0)
  })

  it.inChroot("asks the servers which sessions are alive", function* ({ run, zk }) {
    yield* zk.create("/e", { mode: "ephemeral" })
    assert.deepStrictEqual(yield* findings(run, ["orphan-ephemerals"]), [])
  })

  it.inChroot("changes nothing, and looks at no znode with --no-tree", function* ({ run, zk }) {
    yield* zk.create("/large", { data: "x".repeat(5000) })
    const before = yield* zk.stat("/")
    assert.deepStrictEqual(yield* findings(run, ["large-znodes", "open-acls"], ["--no-tree", "--large", "1k"]), [])
    assert.deepStrictEqual(yield* zk.stat("/"), before)
  })

  it.inChroot("ends with 5 where no member answers, and 3 where the znode is not there", function* ({ run }) {
    const down = yield* run(["doctor", "-s", "127.0.0.1:1"])
    assert.strictEqual(down.code, 5)
    assert.match(down.out, /^error {4}127\.0\.0\.1:1: could not connect/)
    assert.strictEqual((yield* run(["doctor", "a"])).code, 2)
  })

  it.inChroot("prints what it has found where the tree cannot be looked through", function* ({ run }) {
    const { code, err, out } = yield* run(["doctor", "/none", "--fail-on", "never"])
    assert.deepStrictEqual([code, err], [3, "zk: /none: no such znode\n"])
    assert.match(out, /^error {4}\/none: the tree could not be looked through: \/none: no such znode$/m)
    // Something is odd about each server of the tests.
    assert.match(out, /^(error|warning|note) +(?!\/)\S+: /m)
    assert.isEmpty(yield* findings(run, ["tree"]))
  })
})

describeOnServers("the checks of the tree", (it) => {
  it.inChroot("tell what they have found where the walk is interrupted", function* ({ zk }) {
    yield* zk.create("/a", { data: "x".repeat(100) })
    yield* zk.create("/b")
    yield* zk.create("/b/c", { data: "x".repeat(100) })
    const parts: Array<string> = []
    const isAtEnd = yield* Deferred.make<void>()
    const hanging: typeof zk = {
      ...zk,
      session: zk.session,
      getAcl: (path) =>
        path === "/b/c" ? Effect.andThen(Deferred.succeed(isAtEnd, undefined), Effect.never) : zk.getAcl(path)
    }
    const checking = checkTree(hanging, {
      path: "/",
      large: 100,
      many: 1e6,
      sessions: undefined,
      sessionsNow: Effect.undefined,
      onPart: (found) => parts.push(...found.map(({ message, where }) => `${where}: ${message}`))
    }).pipe(
      Effect.provideServiceEffect(Printer, makePrinter("text", false)),
      Effect.provide(silentStdio),
      // The other ACLs are asked for before that one.
      Effect.raceFirst(Effect.andThen(Deferred.await(isAtEnd), Effect.sleep("500 millis")))
    )
    assert.isUndefined(yield* checking)
    assert.include(parts, "/a: it has 100 bytes of data")
    assert.include(parts.join("\n"), "/: everybody may change 3 of 3 znodes, this one first")
  })
})

describeOnServers("the check for ephemeral znodes without a session", (it) => {
  const options = { path: "/", large: 1e6, many: 1e6 }

  it.inChroot("finds those whose session no server knows, before and after the walk", function* ({ zk }) {
    yield* zk.create("/e1", { mode: "ephemeral" })
    yield* zk.create("/e2", { mode: "ephemeral" })
    const orphans = (sessions: ReadonlySet<bigint> | undefined, now: ReadonlySet<bigint> | undefined) =>
      Effect.map(
        checkTree(zk, { ...options, sessions, sessionsNow: Effect.succeed(now) }).pipe(
          Effect.provideServiceEffect(Printer, makePrinter("text", false)),
          Effect.provide(silentStdio)
        ),
        (found) =>
          found.filter(({ check }) => check === "orphan-ephemerals").map(({ message, where }) => `${where}: ${message}`)
      )
    const own = `0x${BigInt.asUintN(64, zk.session.id).toString(16)}`
    const none: ReadonlySet<bigint> = new Set()
    assert.deepStrictEqual(yield* orphans(none, none), [`/e1: its session ${own} is gone, as is that of 1 other znode`])
    // A session that began after the first look is alive at the second.
    assert.deepStrictEqual(yield* orphans(none, new Set([zk.session.id])), [])
    assert.deepStrictEqual(yield* orphans(new Set([zk.session.id]), none), [])
    assert.deepStrictEqual(yield* orphans(undefined, undefined), [
      ": no server tells its sessions, so that ephemeral znodes without one could not be found"
    ])
  })
})
