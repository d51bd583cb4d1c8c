/** What answers and errors look like in JSON, in a clone, and in a stack. */
import { assert, describe, it } from "@effect/vitest"
import { someLong } from "@effect-zookeeper/protocol/Json"
import { SaslError } from "@effect-zookeeper/session/SaslError"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"
import {
  InvalidArgument,
  NoNode,
  Op,
  type PromiseClient,
  PromiseAdapter,
  ServerRefused,
  SessionExpired,
  TransactionFailed
} from "../../src/index.ts"
import * as Outcome from "../../src/Outcome.ts"
import { connect, itConnected, rejection } from "../support/promises.ts"

const noNode = new NoNode({ path: "/a", operation: "getData" })

const errors = [
  noNode,
  new InvalidArgument({ argument: "path", value: "a", rule: "a path must begin with /" }),
  new SessionExpired({ sessionId: 2n ** 62n, maybeApplied: false }),
  new TransactionFailed({ index: 0, error: noNode, results: [noNode] }),
  new SaslError({ reason: "there is no ticket" })
]

const loadUser = async (zk: PromiseClient.PromiseClient): Promise<unknown> => await zk.get("/users/none")

describe("an error", () => {
  for (const error of errors) {
    it(`${error._tag} keeps message and stack in a clone, and is taken by JSON`, () => {
      const clone: unknown = structuredClone(error)
      assert.instanceOf(clone, Error)
      assert.isAbove(error.message.length, 10)
      assert.strictEqual(clone.message, error.message)
      assert.strictEqual(clone.stack, error.stack)
      const json = JSON.parse(JSON.stringify({ error })).error
      assert.strictEqual(json._tag, error._tag)
      assert.strictEqual(json.message, error.message)
      assert.include(String(error.stack), error.message)
    })

    it(`${error._tag} is printed by console.log with message and stack`, () => {
      const [title, caller] = String(error.stack).split("\n    at ")
      assert.include(title, error.message)
      for (const printed of [inspect(error), inspect(structuredClone(error))]) {
        assert.include(printed, error.message)
        assert.include(printed, caller ?? "no line of a stack")
      }
    })
  }

  it("of a server that refused says only of a failure within the server that a write may have been applied", () => {
    const refused = new ServerRefused({ operation: "setData", path: "/a", code: -119, name: "NotReadOnly" })
    const failed = new ServerRefused({ ...refused, code: -1, name: "SystemError", maybeApplied: true })
    assert.isFalse(Outcome.mayBeApplied(refused))
    assert.notProperty(JSON.parse(JSON.stringify(refused)), "maybeApplied")
    assert.isTrue(Outcome.mayBeApplied(failed))
    assert.isTrue(JSON.parse(JSON.stringify(failed)).maybeApplied)
    assert.include(failed.message, "may have been applied")
    // An error that was marked after a look has the same class and form.
    assert.deepStrictEqual({ ...Outcome.markMaybeApplied(refused) }, { ...refused, maybeApplied: true })
    const { maybeApplied: _, ...settled } = failed
    assert.deepStrictEqual({ ...Outcome.markUnapplied(failed) }, settled)
  })

  it("has 64-bit numbers as decimal text in JSON", () => {
    assert.strictEqual(JSON.parse(JSON.stringify(errors[2])).sessionId, "4611686018427387904")
  })
})

describe("an answer", () => {
  itConnected("is taken by JSON, with 64-bit numbers as decimal text, and by a clone", async ({ zk }) => {
    const { path, stat } = await zk.createWithStat("/a", { data: "x" })
    const json = JSON.parse(JSON.stringify({ path, answer: await zk.get("/a") }))
    assert.strictEqual(json.answer.stat.czxid, String(stat.czxid))
    assert.strictEqual(json.answer.stat.version, 0)
    assert.deepStrictEqual(Object.keys(json.answer.stat), Object.keys(stat))
    assert.deepStrictEqual({ ...structuredClone(stat) }, { ...stat })
    const [written] = await zk.transaction([Op.setData("/a", "y")])
    assert.doesNotThrow(() => JSON.stringify(written))
  })
})

describe("a value with 64-bit numbers, as JSON,", () => {
  itConnected("is a client with its session, whose password stays hidden", async ({ zk }) => {
    const json = JSON.parse(JSON.stringify(zk))
    assert.strictEqual(json.session.id, String(zk.session.id))
    assert.match(json.session.deadline, /^\d+$/)
    assert.strictEqual(json.session.state._tag, "Connected")
    assert.strictEqual(json.session.password, "<redacted>")
    const closing = zk.close()
    assert.match(JSON.parse(JSON.stringify(zk.session)).closing.deadline, /^\d+$/)
    await closing
  })

  itConnected("is the configuration of an ensemble", async ({ zk }) => {
    const config = await zk.getConfig()
    assert.strictEqual(JSON.parse(JSON.stringify(config)).version, String(config.version))
  })

  itConnected("is an event that names its transaction", async ({ zk }) => {
    const event = { type: "NodeDeleted" as const, path: "/a", zxid: someLong(2n ** 62n) }
    const told = await PromiseAdapter.promisify(zk.run, Effect.succeed(event))()
    assert.deepStrictEqual({ ...told }, { type: "NodeDeleted", path: "/a", zxid: 2n ** 62n })
    assert.strictEqual(JSON.stringify(told), '{"type":"NodeDeleted","path":"/a","zxid":"4611686018427387904"}')
  })
})

describe("the stack of a rejection", () => {
  it("shows the caller's lines if the option says so", async () => {
    const { zk } = await connect("stack", { captureStackTrace: true })
    const error = await rejection(loadUser(zk))
    assert.instanceOf(error, NoNode)
    assert.include(String(error.stack), "loadUser")
    assert.include(String(error.stack), error.message)
    assert.strictEqual(String(error.stack).split(error.message).length, 2)
  })

  itConnected("does not otherwise", async ({ zk }) => {
    const error = await rejection(loadUser(zk))
    assert.instanceOf(error, NoNode)
    assert.notInclude(String(error.stack), "loadUser")
  })
})
