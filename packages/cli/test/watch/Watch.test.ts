/** Watching a znode or a subtree: what is printed, when it ends, and what is said of an outage. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import { diffLines } from "../../src/internal/watch/diff.ts"
import { start } from "../support/processes.ts"
import { describeOnServers } from "../support/zk.ts"

/** The output without times and zxids. */
const masked = (out: string): string =>
  out.replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z/gm, "TIME").replaceAll(/0x[0-9a-f]+/g, "N")

const items = (out: string) =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Schema.decodeUnknownSync(Schema.fromJsonString(Output.Watched))(line))

describeOnServers("zk watch", (it) => {
  it.inChroot(
    "prints the state of a znode, and then each event with what was read after it",
    function* ({ runLive, zk }) {
      yield* zk.create("/a", { data: "one\ntwo\n" })
      const watch = yield* runLive(["watch", "/a", "--count", "4"])
      yield* watch.sees("present")
      yield* zk.set("/a", "three")
      yield* watch.sees("three")
      yield* zk.create("/a/b")
      yield* watch.sees("+ b")
      yield* zk.delete("/a/b")
      yield* watch.sees("- b")
      yield* zk.delete("/a")
      const { code, err, out } = yield* watch.end
      assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
      const expected = [
        "TIME  present   /a  version 0, 8 bytes, 0 children, zxid N",
        "  one",
        "  two",
        "TIME  changed   /a  version 1, 5 bytes, zxid N",
        "  three",
        "TIME  children  /a  1 child, zxid N",
        "  + b",
        "TIME  children  /a  0 children, zxid N",
        "  - b",
        "TIME  deleted   /a",
        ""
      ]
      assert.strictEqual(masked(out), expected.join("\n"))
    }
  )

  it.inChroot("shows the lines that a write has changed, or no data", function* ({ run, runLive, zk }) {
    yield* zk.create("/a", { data: "one\ntwo\nthree\n" })
    const watch = yield* runLive(["watch", "/a", "--show", "diff", "--count", "1"])
    yield* watch.sees("three")
    yield* zk.set("/a", "one\n2\nthree\nfour\n")
    const { out } = yield* watch.end
    const lines = masked(out).split("\n").slice(4)
    assert.deepStrictEqual(lines, [
      "TIME  changed   /a  version 1, 17 bytes, zxid N",
      "  - two",
      "  + 2",
      "  + four",
      ""
    ])
    const none = yield* run(["watch", "/a", "--show", "none", "--until", "exists"])
    assert.strictEqual(masked(none.out), "TIME  present   /a  version 1, 17 bytes, 0 children, zxid N\n")
  })

  it.inChroot("has the events of a whole subtree with -R", function* ({ runLive, zk }) {
    yield* zk.create("/app")
    const watch = yield* runLive(["watch", "-R", "/app", "--count", "3", "--ndjson"])
    yield* watch.sees("present")
    yield* zk.create("/app/a", { data: "text" })
    yield* zk.set("/app/a", new Uint8Array([255]))
    yield* zk.delete("/app/a")
    const { code, out } = yield* watch.end
    assert.strictEqual(code, 0)
    const seen = items(out)
    assert.deepStrictEqual(
      seen.map(({ event, path }) => `${event} ${path}`),
      ["present /app", "created /app/a", "changed /app/a", "deleted /app/a"]
    )
    assert.strictEqual(seen[0]?.stat?.numChildren, 0)
    assert.isAbove(seen[3]?.time ?? 0, 0)
  })

  it.inChroot("waits for a znode to come or to go", function* ({ run, runLive, zk }) {
    const coming = yield* runLive(["watch", "/a", "--until", "exists"])
    yield* coming.sees("absent")
    yield* zk.create("/a", { data: "here" })
    const { code, out } = yield* coming.end
    assert.strictEqual(code, 0)
    const expected = "TIME  absent    /a\nTIME  created   /a  version 0, 4 bytes, zxid N\n  here\n"
    assert.strictEqual(masked(out), expected)
    const there = yield* run(["watch", "/a", "--until", "exists", "--ndjson"])
    assert.deepInclude(items(there.out)[0], { event: "present", path: "/a", encoding: "utf8", data: "here", added: [] })
    const going = yield* runLive(["watch", "/a", "--until", "gone"])
    yield* going.sees("present")
    yield* zk.delete("/a")
    assert.strictEqual((yield* going.end).code, 0)
    assert.strictEqual((yield* run(["watch", "/a", "--until", "gone"])).code, 0)
    const late = yield* run(["watch", "/a", "--until", "exists", "--timeout", "2s", "--json"])
    assert.strictEqual(late.code, 124)
    assert.strictEqual(JSON.parse(late.out).length, 1)
    assert.strictEqual((yield* run(["watch", "/a", "--until", "gone", "--read-only"])).code, 0)
  })

  it.inChroot("says when events may be missing, and what is there then", function* ({ chroot, link, runLive, zk }) {
    yield* zk.create("/a", { data: "one" })
    const broken = yield* link
    const env = { ZK_SERVERS: `${broken.servers}${chroot}` }
    const watch = yield* runLive(["watch", "/a", "--count", "1"], { env })
    yield* watch.sees("one")
    yield* broken.cut
    yield* zk.set("/a", "two")
    yield* zk.create("/a/child")
    yield* broken.heal
    yield* watch.sees("gap")
    yield* watch.sees("two")
    yield* zk.set("/a", "three")
    const { err, out } = yield* watch.end
    const expected = [
      "TIME  gap       /a  events may have been missed",
      "TIME  present   /a  version 1, 3 bytes, 1 child, zxid N",
      "  + child",
      "  two",
      "TIME  changed   /a  version 2, 5 bytes, zxid N",
      "  three",
      ""
    ]
    assert.deepStrictEqual(masked(out).split("\n").slice(2), expected)
    assert.match(err, /^the connection is lost; looking for a server\nconnected again, to .*\n$/)
  })

  it.inChroot("says what it may not read, and refuses what means nothing", function* ({ another, run }) {
    const ann = yield* another({ auth: [{ scheme: "digest", credentials: Redacted.make("ann:secret") }] })
    yield* ann.create("/hers", { data: "x", acl: Acl.creator })
    const { code, out } = yield* run(["watch", "/hers", "--until", "exists"])
    assert.deepStrictEqual([code, masked(out)], [0, "TIME  present   /hers  its ACL forbids to read it\n"])
    for (const args of [["no-slash"], ["/a", "--count", "0"], ["/a", "--until", "later"], ["/a", "--show", "all"]]) {
      const refused = yield* run(["watch", ...args])
      assert.deepStrictEqual([refused.code, refused.out], [2, ""], refused.err)
    }
  })

  it.inChroot(
    "ends quietly on Ctrl-C and on SIGTERM, with a whole document",
    { timeout: 90_000 },
    function* ({ chroot, servers, zk }) {
      yield* zk.create("/a", { data: "one" })
      const stop = Effect.fnUntraced(function* (signal: NodeJS.Signals, ...format: ReadonlyArray<string>) {
        const { child, end } = yield* start(`${servers}${chroot}`, ["watch", "/a", ...format])
        yield* Effect.promise(() => new Promise((resolve) => child.stdout?.once("data", resolve)))
        child.kill(signal)
        return yield* end
      })
      const { code, err, out } = yield* stop("SIGINT", "--json")
      assert.deepStrictEqual({ code, err }, { code: 130, err: "" })
      const seen = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Output.Watched)))(out)
      assert.deepInclude(seen[0], { event: "present", path: "/a", data: "one" })
      const text = yield* stop("SIGTERM")
      assert.deepStrictEqual({ code: text.code, err: text.err }, { code: 143, err: "" })
    }
  )
})

describeOnServers("zk tail", (it) => {
  const shown = (out: string): string => out.replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z/gm, "TIME")

  it.inChroot("prints the newest children, and then each that comes", function* ({ run, runLive, zk }) {
    yield* zk.create("/q")
    for (const data of ["1", "2", "3"]) yield* zk.create("/q/item-", { data, mode: "persistentSequential" })
    const tail = yield* runLive(["tail", "/q", "-n", "2", "--count", "2"])
    yield* tail.sees("item-0000000002")
    yield* zk.create("/q/item-", { data: "four\nlines", mode: "persistentSequential" })
    yield* zk.create("/q/item-0000000003/below")
    yield* zk.set("/q/item-0000000003", "later")
    yield* zk.create("/q/item-", { mode: "persistentSequential" })
    const { code, err, out } = yield* tail.end
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    assert.match(
      shown(out),
      /^TIME  item-0000000001  2\nTIME  item-0000000002  3\nTIME  item-0000000003(\n    four\n    lines|  later)\nTIME  item-0000000004\n$/
    )
    assert.strictEqual((yield* run(["tail", "/none"])).code, 3)
    assert.strictEqual((yield* run(["tail", "/q", "--count", "0"])).code, 2)
  })

  it.inChroot("says where the items of kazoo's locking queue are", function* ({ run, runLive, zk }) {
    yield* zk.ensurePath("/lq/entries")
    const note = "/lq looks like kazoo's LockingQueue, whose items are below: zk tail /lq/entries\n"
    for (const path of ["/lq/taken", "/lq/other"]) {
      const { code, err } = yield* run(["tail", "/lq", "--timeout", "300ms"])
      assert.deepStrictEqual([code, err.startsWith(note)], [124, true])
      const tail = yield* runLive(["tail", "/lq", "--count", "1"])
      yield* tail.sees("entries")
      yield* zk.create(path)
      assert.strictEqual((yield* tail.end).err, note)
    }
    assert.notInclude((yield* run(["tail", "/lq", "--timeout", "300ms"])).err, "kazoo")
  })

  it.inChroot("orders other names by their creation, and prints JSON by its Schema", function* ({ runLive, zk }) {
    yield* zk.create("/log")
    for (const name of ["b", "c", "a"]) yield* zk.create(`/log/${name}`, { data: name })
    const tail = yield* runLive(["tail", "/log", "-n", "2", "--count", "1", "--ndjson"])
    yield* tail.sees("/log/a")
    yield* zk.delete("/log/a")
    yield* zk.create("/log/a", { data: "again" })
    const { out } = yield* tail.end
    const seen = out
      .trim()
      .split("\n")
      .map((line) => Schema.decodeUnknownSync(Schema.fromJsonString(Output.Arrival))(line))
    assert.deepStrictEqual(
      seen.map(({ data, event, path }) => ({ event, path, data })),
      [
        { event: "there", path: "/log/c", data: "c" },
        { event: "there", path: "/log/a", data: "a" },
        { event: "arrived", path: "/log/a", data: "again" }
      ]
    )
  })

  it.inChroot("says when children may be missing, and prints those that came meanwhile", function* (commands) {
    const { chroot, link, runLive, zk } = commands
    yield* zk.create("/q")
    yield* zk.create("/q/a", { data: "1" })
    const broken = yield* link
    const env = { ZK_SERVERS: `${broken.servers}${chroot}` }
    const tail = yield* runLive(["tail", "/q", "--count", "1"], { env })
    yield* tail.sees("a  1")
    yield* broken.cut
    yield* zk.create("/q/b", { data: "2" })
    yield* zk.delete("/q/a")
    yield* broken.heal
    const { out } = yield* tail.end
    const gap = "events may have been missed: children that came and went are not shown"
    assert.strictEqual(shown(out), `TIME  a  1\n${gap}\nTIME  b  2\n`)
  })
})

describe("the lines in which two texts differ", () => {
  const signed = (before: string, after: string) =>
    diffLines(before.split(" "), after.split(" "))
      .map(({ line, sign }) => sign + line)
      .join(" ")

  it("are as few as possible", () => {
    assert.strictEqual(signed("a b c", "a b c"), "")
    assert.strictEqual(signed("a b c", "a x c d"), "-b +x +d")
    assert.strictEqual(signed("a b c d e", "b d f e"), "-a -c +f")
    const many = Array.from({ length: 2000 }, (_, index) => String(index))
    assert.strictEqual(
      diffLines(
        many,
        many.map((line) => `${line}!`)
      ).length,
      4000
    )
  })
})
