/** Requests that are sent after the first answer to a call have what the caller gave at the call. */
import { NoNode } from "@effect-zookeeper/protocol/ServerError"
import { ServerRefused } from "@effect-zookeeper/session/SessionError"
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as ScriptedSession from "@effect-zookeeper/test-kit/ScriptedSession"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { CreateOptions } from "../../src/Models.ts"
import type { Service } from "../../src/Service.ts"
import { Acl, Op } from "../../src/index.ts"
import { bytes, subject } from "../support/answers.ts"
import { type Asked, makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { text } from "../support/clients.ts"

const absent = Effect.fail(new NoNode(subject))
const unimplemented = Effect.fail(new ServerRefused({ ...subject, code: -6, name: "Unimplemented" }))
const created = ({ request }: Asked) => Effect.succeed({ path: request.path, stat })

/** The arguments of a caller, which it changes after the first answer. */
interface Given {
  readonly data: Uint8Array
  readonly acl: Array<Acl.Acl>
  readonly parentAcl: Array<Acl.Acl>
}

describe("a create that is sent again after an answer", () => {
  const cases: ReadonlyArray<
    readonly [string, (zk: Service, given: Given) => Effect.Effect<unknown, unknown>, (asked: Asked) => boolean]
  > = [
    [
      "createWithParents, after its parents",
      (zk, given) => zk.createWithParents("/a/b", given),
      ({ request }) => request.path === "/a/b"
    ],
    [
      "createWithParents of a container, in the place of one",
      (zk, given) => zk.createWithParents("/a/b", { ...given, mode: "container" }),
      ({ operation }) => operation === "createContainer"
    ],
    [
      "createOrSet, after its parents",
      (zk, given) => zk.createOrSet("/a/b", given.data, { acl: given.acl, parentAcl: given.parentAcl }),
      ({ operation }) => operation === "setData"
    ],
    [
      "createWithStat, without create2",
      (zk, { acl, data }) => zk.createWithStat("/a/b", { data, acl }),
      ({ operation }) => operation === "create2"
    ]
  ]
  for (const [name, call, isRefused] of cases) {
    itEffect(`has the bytes and the ACLs that were given at the call: ${name}`, function* () {
      const given: Given = { data: bytes("first"), acl: [Acl.world("r")], parentAcl: [Acl.world("cr")] }
      let refusals = 0
      const sent: Array<readonly [string | undefined, string, unknown]> = []
      const { zk } = yield* makeScriptedClient((asked) => {
        const { operation, request } = asked
        if (operation === "exists") return refusals > 0 && request.path === "/a/b" ? Effect.succeed({ stat }) : absent
        if (refusals === 0 && isRefused(asked)) {
          refusals++
          given.data.fill(0)
          given.acl[0] = Acl.world("cdrwa")
          given.parentAcl.length = 0
          return operation === "create2" || operation === "createContainer" ? unimplemented : absent
        }
        if (operation === "setData") return absent
        sent.push([request.path, text(request.data ?? new Uint8Array()), "acl" in request ? request.acl : undefined])
        return created(asked)
      })
      yield* call(zk, given)
      assert.strictEqual(refusals, 1)
      assert.deepStrictEqual(sent.at(-1), ["/a/b", "first", [Acl.world("r")]])
      for (const [path, , acl] of sent) if (path === "/a") assert.deepStrictEqual(acl, [Acl.world("cr")])
    })
  }

  itEffect("makes parents with the ACL that was given at the call (ensurePath)", function* () {
    const acl = [Acl.world("r")]
    const sent: Array<unknown> = []
    const { zk } = yield* makeScriptedClient((asked) => {
      if (asked.operation === "exists") {
        acl.length = 0
        return absent
      }
      sent.push("acl" in asked.request ? asked.request.acl : undefined)
      return created(asked)
    })
    yield* zk.ensurePath("/a", { acl })
    assert.deepStrictEqual(sent, [[Acl.world("r")]])
  })
})

itEffect("createOrSet copies its bytes once, for the write and for the create", function* () {
  const { asked, zk } = yield* makeScriptedClient((each) => (each.operation === "setData" ? absent : created(each)))
  const data = bytes("first")
  yield* zk.createOrSet("/a", data)
  const [written, made] = asked.map(({ request }) => request.data)
  assert.notStrictEqual(written, data)
  assert.strictEqual(made, written)
})

describe("createWithStat on a server that has create2", () => {
  const made = Effect.fnUntraced(function* (options: CreateOptions, refuse: () => boolean = () => false) {
    const base = yield* ScriptedSession.make(() => Effect.never)
    const info = { ...base.info }
    const client = yield* makeScriptedClient(
      (asked) =>
        asked.operation === "exists"
          ? Effect.succeed({ stat })
          : asked.operation === "create2" && refuse()
            ? unimplemented
            : created(asked),
      { session: { info } }
    )
    const createAgain = () => client.zk.createWithStat("/a", options)
    yield* createAgain()
    return { ...client, createAgain, reconnect: () => (info.state = { ...base.info.state }) }
  })

  itEffect("copies nothing once the server has answered one on this connection", function* () {
    const given = { data: bytes("first"), acl: [Acl.world("r")] }
    const { asked, createAgain, reconnect } = yield* made(given)
    yield* createAgain()
    reconnect()
    yield* createAgain()
    yield* createAgain()
    const areGiven = asked.map(({ request }) => request.data === given.data)
    assert.deepStrictEqual(areGiven, [false, true, false, true])
  })

  itEffect("copies before it runs on a later connection, whose server may lack it", function* () {
    const given = { data: bytes("first"), acl: [Acl.world("r")] }
    let isOld = false
    const { asked, createAgain, reconnect } = yield* made(given, () => {
      if (isOld) given.data.fill(0)
      return isOld
    })
    const later = createAgain()
    reconnect()
    isOld = true
    yield* later
    const sent = asked.find(({ operation }) => operation === "create")
    assert.strictEqual(text(sent?.request.data ?? new Uint8Array()), "first")
  })
})

describe("an array of the caller that is used again before the answer", () => {
  itEffect("does not change what defaultAcl was when the client was made", function* () {
    const defaultAcl = [Acl.world("r")]
    let sent: unknown
    const script = (asked: Asked) => {
      sent = "acl" in asked.request ? asked.request.acl : undefined
      return created(asked)
    }
    const { zk } = yield* makeScriptedClient(script, { defaultAcl })
    defaultAcl.length = 0
    yield* zk.create("/a")
    assert.deepStrictEqual(sent, [Acl.world("r")])
  })

  itEffect("does not change the result of a transaction", function* () {
    const ops: Array<Op.Write> = [Op.check("/a")]
    const { zk } = yield* makeScriptedClient(() => {
      ops.length = 0
      return Effect.succeed([{ operation: "check", response: {} }])
    })
    assert.deepStrictEqual(yield* zk.transaction(ops), [undefined])
  })

  itEffect("does not change which operation of a transaction failed, as the client names it", function* () {
    const ops: Array<Op.Write> = [Op.check("/"), Op.create("/", { mode: "persistentSequential" })]
    const { zk } = yield* makeScriptedClient(
      () => {
        ops.length = 0
        return Effect.succeed([
          { operation: "error", error: 0 },
          { operation: "error", error: -101 }
        ])
      },
      { chroot: "/app" }
    )
    const error = yield* Effect.flip(zk.transaction(ops))
    assert(error._tag === "TransactionFailed" && error.error._tag === "NoNode")
    assert.deepStrictEqual([error.index, error.error.operation, error.error.path], [1, "create", "/"])
  })

  itEffect("does not change which znodes are read, together or one by one", function* () {
    const ops: Array<Op.Read> = []
    const together = yield* makeScriptedClient(() => {
      ops.length = 0
      return Effect.succeed([{ operation: "getChildren", response: { children: ["b"] } }])
    })
    const oneByOne = yield* makeScriptedClient(({ operation }) => {
      ops.length = 0
      return operation === "multiRead" ? unimplemented : Effect.succeed({ children: ["b"], stat })
    })
    for (const { zk } of [together, oneByOne]) {
      ops[0] = Op.getChildren("/a")
      assert.deepStrictEqual(yield* zk.read(ops), [Result.succeed(["b"])])
    }
  })
})
