/**
 * The checker itself: random tiny histories against brute force, mutations that it must catch, histories that it must
 * not.
 */
import { assertEach } from "../../src/Expectations.ts"
import { assert, describe, it } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import { check, checkRegisters, summary } from "../../src/history/check.ts"
import type { Operation } from "../../src/history/History.ts"
import * as History from "../../src/history/History.ts"
import * as Recorder from "../../src/history/Recorder.ts"
import { checkVersions } from "../../src/history/registers.ts"
import { search } from "../../src/history/search.ts"
import { isLinearizable } from "../support/bruteForce.ts"
import { fractions } from "../../src/fuzz/Mutation.ts"
import { generated, tiny } from "../support/histories.ts"
import { allowed, mutations, operation } from "../support/mutations.ts"

const isLong = process.env["ZK_LONG"] === "1"

describe("the checker against brute force", () => {
  it("agrees on random tiny histories with versions: the search on all, the versions where they decide", () => {
    const counts = { all: 0, invalid: 0, decided: 0 }
    const next = fractions(17)
    for (let i = 0; i < (isLong ? 40_000 : 6_000); i++) {
      const history = tiny(next, { versions: true, deletes: i % 3 === 0 })
      const expected = isLinearizable(history)
      const found = search("/r", history)
      assert.lengthOf(found.undecided, 0)
      assert.strictEqual(found.violations.length === 0, expected, explain(history))
      const versions = checkVersions("/r", history)
      if (versions.undecided.length === 0) {
        counts.decided++
        assert.strictEqual(versions.violations.length === 0, expected, `${versions.violations[0]}\n${explain(history)}`)
      }
      counts.all++
      if (!expected) counts.invalid++
    }
    assert.isAbove(counts.invalid, counts.all / 10)
    assert.isAbove(counts.all - counts.invalid, counts.all / 10)
    assert.isAbove(counts.decided, counts.all / 2)
    console.log(`with versions: ${JSON.stringify(counts)}`)
  })

  it("agrees on random tiny histories with creations, deletions and compare-and-set, without versions", () => {
    const counts = { all: 0, invalid: 0 }
    const next = fractions(4711)
    for (let i = 0; i < (isLong ? 40_000 : 6_000); i++) {
      const history = tiny(next, { versions: false, deletes: true })
      const expected = isLinearizable(history)
      const found = search("/r", history)
      assert.lengthOf(found.undecided, 0)
      assert.strictEqual(found.violations.length === 0, expected, explain(history))
      counts.all++
      if (!expected) counts.invalid++
    }
    assert.isAbove(counts.invalid, counts.all / 10)
    assert.isAbove(counts.all - counts.invalid, counts.all / 10)
    console.log(`without versions: ${JSON.stringify(counts)}`)
  })
})

describe("the checker", () => {
  it("accepts histories of a correct register, by versions and by search", () => {
    for (let seed = 1; seed <= (isLong ? 300 : 40); seed++) {
      const history = generated(seed, { operations: 300, clients: 8, unknown: 0.02 })
      assert.deepStrictEqual(check(history).violations, [], `seed ${seed}`)
      assert.deepStrictEqual(checkVersions("/r", history).undecided, [])
      assert.deepStrictEqual(search("/r", history), { violations: [], undecided: [], excused: [] }, `seed ${seed}`)
    }
  })

  it("finds a version beyond all writes at once, however large it is", () => {
    const history = generated(1, { operations: 50, clients: 2, unknown: 0 })
    const last = history.findLast(({ f, outcome }) => f === "write" && outcome === "ok")!
    const wrong = history.with(history.indexOf(last), { ...last, version: 2_147_483_647 })
    assert.isTrue(
      checkVersions("/r", wrong).violations.some((text) => text.includes("version 2147483647 has no explanation"))
    )
  })

  it("judges 100,000 operations in seconds", () => {
    // Every read watches, until it is answered.
    const history = generated(1, { operations: 100_000, clients: 20, unknown: 0.01 }).flatMap((read) => {
      if (read.f !== "read") return [read]
      const at = read.completedAt
      const over = {
        ...read,
        id: `over ${read.id}`,
        f: "unwatched",
        of: read.id,
        invokedAt: at,
        mzxid: undefined
      } as const
      return [read, { ...read, f: "watch", id: read.id } as const, over]
    })
    const began = process.hrtime.bigint()
    assert.deepStrictEqual(check(history), { violations: [], undecided: [], excused: [] })
    const took = Number(process.hrtime.bigint() - began) / 1e6
    console.log(`${summary(history)}: ${took.toFixed(0)} ms`)
    assert.isBelow(took, 60_000)
  }, 120_000)

  it("says that it does not know when there is too much to search", () => {
    // Twenty writes at once, and reads that fit none of the orders.
    const writes = Array.from({ length: 20 }, (_, n) => operation({ f: "write", value: `v${n}`, span: [10, 100] }))
    const reads = Array.from({ length: 20 }, (_, n) => operation({ f: "read", value: `v${n}`, span: [10, 100] }))
    const create = operation({ f: "create", value: "first", span: [0, 1] })
    const last = operation({ f: "read", value: "v0", span: [101, 102] })
    const verdict = search("/r", [create, ...writes, ...reads, last], { budget: 1000 })
    assert.match(verdict.undecided[0] ?? "", /^\/r: more than 1000 configurations of 42 operations$/)
    assert.deepStrictEqual(verdict.violations, [])
  })

  for (const [name, caught, history] of mutations()) {
    it(`catches ${name}`, () => {
      const { violations } = check(history)
      assert.isNotEmpty(violations)
      assert.match(violations.join("\n"), caught)
    })
  }

  for (const [name, history] of allowed()) {
    it(`accepts ${name}`, () => {
      assert.deepStrictEqual(check(history).violations, [])
      assert.deepStrictEqual(check(history).undecided, [])
    })
  }

  it("excuses a holder that stood still, and no other", () => {
    const pause = operation({ f: "pause", client: "a", span: [12, 50] })
    const holds = [
      operation({ f: "acquire", client: "a", token: 1n, span: [0, 10] }),
      operation({ f: "acquire", client: "b", token: 2n, span: [30, 40] })
    ]
    assert.lengthOf(check(holds).violations, 1)
    const excused = check([...holds, pause])
    assert.deepStrictEqual(excused.violations, [])
    assert.lengthOf(excused.excused, 1)
    assert.lengthOf(check([...holds, { ...pause, client: "b" }]).violations, 1)
  })

  it("excuses a holder that stood still as it was granted it and says so late, and none that came after", () => {
    const pause = operation({ f: "pause", client: "a", span: [5, 50] })
    const late = operation({ f: "acquire", client: "a", token: 1n, span: [45, 45] })
    const other = operation({ f: "acquire", client: "b", token: 2n, span: [30, 30] })
    assert.lengthOf(check([other, late]).violations, 2)
    const excused = check([other, late, pause])
    assert.deepStrictEqual(excused.violations, [])
    assert.lengthOf(excused.excused, 1)
    assert.lengthOf(check([other, { ...late, token: 3n }, pause]).violations, 1)
  })
})

describe("the recorder", () => {
  itEffect("writes the operation before the effect runs, and its proven fate", function* () {
    const lines: Array<History.Line> = []
    let clock = 0
    const recorder = Recorder.make({ client: "a", write: (line) => lines.push(line), now: () => ++clock })
    const ask = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.exit(recorder.record({ f: "write", path: "/r", value: recorder.unique() }, effect, () => ({ version: 1 })))
    yield* ask(Effect.sync(() => assert.strictEqual(lines.length, 1)))
    yield* ask(Effect.fail({ _tag: "BadVersion" }))
    yield* ask(Effect.fail({ _tag: "ConnectionLoss", maybeApplied: true }))
    yield* ask(Effect.fail({ _tag: "ConnectionLoss", maybeApplied: false }))
    yield* ask(Effect.fail({ _tag: "SessionExpired" }))
    yield* ask(Effect.fail({ _tag: "ServerRefused", name: "NotReadOnly" }))
    yield* ask(Effect.fail({ _tag: "ServerRefused", name: "ThrottledOp" }))
    yield* ask(Effect.fail({ _tag: "ServerRefused", name: "SystemError", maybeApplied: true }))
    yield* ask(Effect.interrupt)
    yield* ask(Effect.die("a bug"))
    const operations = History.fromLines(lines)
    assertEach(operations, ({ error, outcome }) => `${outcome} ${error ?? ""}`, [
      "ok ",
      "fail BadVersion",
      "info ConnectionLoss",
      "fail ConnectionLoss",
      "info SessionExpired",
      "fail ServerRefused",
      "fail ServerRefused",
      "info ServerRefused",
      "info Interrupted",
      "info Defect"
    ])
    assert.strictEqual(operations[0]?.version, 1)
    assert.isTrue(operations.every(({ completedAt, outcome }) => Number.isFinite(completedAt) === (outcome !== "info")))
    assert.strictEqual(new Set(operations.map(({ value }) => value)).size, operations.length)
  })

  it("notes at one moment what a process notes that is stopped meanwhile", () => {
    const lines: Array<History.Line> = []
    let clock = 0
    const write = (line: History.Line) => {
      lines.push(line)
      clock += 7_500_000
    }
    Recorder.make({ client: "a", write, now: () => clock }).note({ f: "acquire", path: "/lock" })
    assertEach(lines, ({ at, type }) => `${type} ${at}`, ["invoke 0", "ok 0"])
  })

  it("reads complete lines, without the torn one of a killed process, whose operation stays unknown", () => {
    const lines: ReadonlyArray<History.Line> = [
      {
        id: "a.1",
        type: "invoke",
        at: 1.5,
        client: "a",
        session: "s",
        f: "write",
        path: "/r",
        value: "ä\n",
        expected: 3
      },
      { id: "a.2", type: "invoke", at: 2, client: "a", session: "s", f: "read", path: "/r", synced: true },
      { id: "a.2", type: "ok", at: 3, client: "a", session: "s", f: "read", path: "/r", mzxid: 2n ** 60n, version: 1 }
    ]
    const text = lines.map(History.encodeLine).join("")
    assert.deepStrictEqual(History.decodeLines(`${text}{"id":"a.3","ty`), lines)
    const [write, read] = History.fromLines(History.decodeLines(text))
    assert.strictEqual(write?.outcome, "info")
    assert.strictEqual(write?.completedAt, Number.POSITIVE_INFINITY)
    assert.strictEqual(read?.mzxid, 2n ** 60n)
  })

  it("knows the session of operations that began and ended in one, and no other", () => {
    let session = "1"
    const lines: Array<History.Line> = []
    const recorder = Recorder.make({ client: "a", session: () => session, write: (line) => lines.push(line) })
    recorder.note({ f: "read", path: "/r" })
    const end = recorder.begin({ f: "pause", path: "" })
    session = "2"
    end()
    assertEach(History.fromLines(lines), ({ session }) => session, ["1", undefined])
  })
})

describe("a history of registers that are created and deleted", () => {
  it("goes to the search, and one of versions does not", () => {
    const history = generated(3, { operations: 200, clients: 5, unknown: 0.01 })
    const deleted = [...history, operation({ f: "delete", span: [1e12, 1e12 + 1] })]
    assert.lengthOf(checkVersions("/r", deleted).undecided, 1)
    assert.deepStrictEqual(checkRegisters(deleted), { violations: [], undecided: [], excused: [] })
  })
})

// ---- internal

function explain(history: ReadonlyArray<Operation>): string {
  return history.map(History.describe).join("\n")
}
