import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import { explain } from "../../page/src/model/acl.ts"
import { hexRow, kindOf, layOut, unpack } from "../../page/src/model/data.ts"
import { add, assess, incompleteness, lastAnswer, makeHistory, summary } from "../../page/src/model/ensemble.ts"
import { mergeBoth } from "../../page/src/model/merge.ts"
import { destination, format, parse } from "../../page/src/model/Route.ts"
import { facts, lifetime } from "../../page/src/model/stat.ts"
import { line, pieces } from "../../page/src/model/text.ts"
import { ago } from "../../page/src/model/time.ts"
import * as Zlib from "node:zlib"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("what the page shows", () => {
  it("makes characters visible that would act, and leaves a joined emoji whole", () => {
    assert.strictEqual(line("a\u202eb\u0007"), "a\\u202eb\\u0007")
    assert.deepStrictEqual(pieces("👩‍💻 ok"), [{ text: "👩‍💻 ok", isEscape: false }])
    assert.deepStrictEqual(
      pieces("a\u200db").map(({ isEscape }) => isEscape),
      [false, true, false]
    )
  })

  it("has an address for each path, whatever its name is", () => {
    for (const path of ["/", "/a/b", "/a b/%/#?", "/שלום/<x>"]) {
      assert.deepStrictEqual(parse(format({ cluster: "prod", view: "tree", path })), {
        cluster: "prod",
        view: "tree",
        path
      })
    }
    assert.deepStrictEqual(parse("#/%E0%A4%A/nowhere"), { cluster: "%E0%A4%A", view: "tree", path: "/" })
  })

  it("goes to a path as it is written, and to the place of a link", () => {
    for (const [text, path] of [
      ["/app", "/app"],
      ["  /app/", "/app"],
      ["/app/ends with ", "/app/ends with "],
      ["/", "/"],
      ["//", "/"]
    ] as const)
      assert.deepStrictEqual(destination(text), { view: "tree", path })
    const there = { cluster: "prod", view: "sessions", path: "/0x10" } as const
    assert.deepStrictEqual(destination(` http://127.0.0.1:4180/${format(there)}\n`), there)
    assert.deepStrictEqual(destination(`http://localhost:4180${format(there)}`), there)
    for (const text of [
      "",
      "app",
      "http://127.0.0.1:4180/",
      "http://127.0.0.1:4180/#token=abc",
      "javascript:alert(1)#/"
    ])
      assert.isUndefined(destination(text))
  })

  it("knows text, JSON, gzip and other bytes", () => {
    assert.strictEqual(kindOf(bytes("")), "empty")
    assert.strictEqual(kindOf(bytes('{"a":1}')), "json")
    assert.strictEqual(kindOf(bytes("{not json")), "text")
    assert.strictEqual(kindOf(Uint8Array.of(0, 1, 255)), "binary")
    assert.strictEqual(kindOf(Uint8Array.from(Zlib.gzipSync("hello"))), "gzip")
    assert.deepStrictEqual(hexRow(bytes("0123456789abcdefXY"), 1), { offset: "00000010", hex: "58 59  ", text: "XY" })
  })

  it("lays out JSON only where no number changes", () => {
    assert.strictEqual(layOut('{"a":1}'), '{\n  "a": 1\n}')
    assert.isUndefined(layOut('{"a":12345678901234567890}'))
  })

  it("says how often a znode changed, and no number of times that is below none", () => {
    const children = (cversion: number) =>
      facts({ ...stat, cversion, pzxid: 0x2an }, 0).find(({ name }) => name === "Children")?.detail
    assert.strictEqual(children(0), "never changed, last by zxid 0x2a")
    assert.strictEqual(children(1), "changed once, last by zxid 0x2a")
    assert.strictEqual(children(1200), "changed 1,200 times, last by zxid 0x2a")
    // The root of a new ensemble.
    assert.strictEqual(children(-1), "counter at -1, last by zxid 0x2a")
  })

  it("unzips no more than a limit", async () => {
    assert.deepStrictEqual(await unpack(Uint8Array.from(Zlib.gzipSync("x".repeat(100_000))), 1000), {
      _tag: "TooLarge",
      limit: 1000
    })
    assert.deepStrictEqual(
      await unpack(Uint8Array.of(31, 139, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)),
      { _tag: "Broken" }
    )
  })

  it("merges changes of different lines, and leaves the others to a person", () => {
    assert.strictEqual(mergeBoth("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"), "A\nb\nC\n")
    assert.isUndefined(mergeBoth("a\nb\n", "x\nb\n", "y\nb\n"))
  })

  it("puts changes of different values of JSON on one line together", () => {
    const [base, theirs] = ['{"on":false,"percent":25}', '{"on":false,"percent":50}']
    assert.strictEqual(mergeBoth(base, theirs, '{"on":true,"percent":25}'), '{"on":true,"percent":50}')
    assert.isUndefined(mergeBoth(base, theirs, '{"on":true,"percent":75}'))
    assert.isUndefined(mergeBoth("on, 25", "on, 50", "off, 25"))
  })

  it("explains an ACL, and warns of one that is open to the world", () => {
    assert.deepStrictEqual(explain({ scheme: "world", id: "anyone", perms: "r" }), {
      identity: "Anyone who can connect",
      may: "may read it",
      warning: undefined
    })
    assert.include(explain({ scheme: "world", id: "anyone", perms: "cdrwa" }).warning, "Open to the world")
    assert.strictEqual(explain({ scheme: "digest", id: "ops", perms: "rw" }).may, "may read it and change its data")
  })

  it("says how long a znode stays", () => {
    assert.deepInclude(lifetime({ ...stat, ephemeralOwner: 0x10000n }), { word: "ephemeral", owner: "0x10000" })
    // The stat of a container and of a znode with a time to live is that of a persistent one.
    const { owner, text, word } = lifetime(stat)
    assert.deepStrictEqual([word, owner], ["persistent", undefined])
    assert.include(text, "A container and a znode with a time to live look the same")
  })

  it("says how many members may still fail", () => {
    const up = { server: "a:1", state: "serving", mode: "leader", role: "participant" } as const
    const also = { ...up, server: "b:1", mode: "follower" } as const
    const down = { server: "c:1", state: "unreachable", role: "participant" } as const
    assert.deepStrictEqual(summary([up, also, down], 3), {
      health: "bad",
      text: "c:1 does not serve. One more, and there is no quorum. The leader is a:1."
    })
  })

  it("counts no observers in a quorum, and does not speak of one that is not known", () => {
    const up = { server: "a:1", state: "serving", mode: "leader", role: "participant" } as const
    const voters = [up, { ...up, server: "b:1", mode: "follower" }, { ...up, server: "c:1", mode: "follower" }] as const
    const observer = { server: "o:1", state: "unreachable", role: "observer" } as const
    assert.strictEqual(
      summary([...voters, observer], 3).text,
      "o:1 does not serve. 1 more may fail before the quorum is lost. The leader is a:1."
    )
    const unnamed = "o:1 does not serve. The leader is a:1."
    assert.strictEqual(summary([up, observer], 5).text, unnamed)
    assert.strictEqual(summary([up, observer]).text, unnamed)
  })

  it("tells a member that is behind, without a quorum, or busy from one that is well", () => {
    const member = { server: "a:1", state: "serving", mode: "follower", lag: 999 } as const
    assert.deepStrictEqual(assess(member), { health: "good", word: "follower", remarks: [] })
    const behind = assess({ ...member, lag: 2_400 })
    assert.deepStrictEqual(behind, { health: "warn", word: "follower", remarks: ["It is 2,400 transactions behind."] })
    const readOnly = assess({ ...member, mode: "read-only" })
    assert.deepStrictEqual(readOnly.remarks, ["It has no quorum, and serves reads that may be old."])
    assert.strictEqual(readOnly.health, "warn")
    assert.deepStrictEqual(assess({ ...member, outstanding: 101 }).remarks, ["101 requests wait."])
    const files = assess({ ...member, openFiles: 900, maxFiles: 1_000 })
    assert.deepStrictEqual(files.remarks, ["It has 900 of 1,000 files open."])
  })

  it("does not take a member that tells little for one that needs a look", () => {
    const incomplete = "the word mntr is not allowed"
    const member = { server: "a:1", state: "serving", mode: "follower", incomplete } as const
    assert.deepStrictEqual(assess(member), { health: "good", word: "follower", remarks: [] })
    assert.include(incompleteness([member, { ...member, server: "b:1" }]), incomplete)
    assert.isUndefined(incompleteness([{ server: "a:1", state: "serving" }]))
    assert.strictEqual(assess({ ...member, problem: "no answer to mntr" }).health, "warn")
  })

  it("says when something was", () => {
    assert.strictEqual(ago(0, 1000), "just now")
    assert.strictEqual(ago(0, 240_000), "4 min ago")
  })

  it("tells when a member that is gone answered last", () => {
    const history = makeHistory()
    const server = "zk1:2181"
    add(history, { _tag: "sample", time: 1_000, members: [{ server, state: "serving", roundTrip: 0.4 }] })
    add(history, { _tag: "sample", time: 6_000, members: [{ server, state: "unreachable" }] })
    assert.strictEqual(lastAnswer(history, server), 1_000)
    assert.isUndefined(lastAnswer(history, "zk2:2181"))
  })
})
