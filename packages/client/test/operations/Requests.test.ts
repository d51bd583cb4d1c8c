/** Many requests of one caller at once. */
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Session from "@effect-zookeeper/session/Session"
import type * as Interceptor from "../../src/Interceptor.ts"
import * as Requests from "../../src/Requests.ts"
import { connect, itInChroot, now, text } from "../support/clients.ts"
import { makeScriptedClient } from "../support/scriptedClient.ts"
import { recordSpans } from "../support/spans.ts"

describe("requests at once", () => {
  itInChroot("have the outcome of each in their order", function* ({ zk }) {
    yield* zk.create("/a", { data: "a" })
    yield* zk.create("/b", { data: "b" })
    const reads = ["/a", "/missing", "/b", "no path"].map((path) => zk.getData(path))
    const outcomes = (exits: ReadonlyArray<Exit.Exit<Uint8Array, { readonly _tag: string }>>) =>
      Effect.forEach(exits, (exit) => Effect.match(exit, { onFailure: ({ _tag }) => _tag, onSuccess: text }))
    const expected = ["a", "NoNode", "b", "InvalidArgument"]
    assert.deepStrictEqual(yield* outcomes(yield* Requests.exits(reads)), expected)
    const gets = ["/b", "/missing", "/a"].map((path) => zk.get(path))
    const tags = (yield* Requests.exits(gets)).map((exit) => (Exit.isSuccess(exit) ? text(exit.value.data) : "failed"))
    assert.deepStrictEqual(tags, ["b", "failed", "a"])
    assert.deepStrictEqual(yield* Requests.exits<void, never, never>([]), [])
  })

  itInChroot("have a span each where the caller is traced", function* ({ zk }) {
    yield* zk.create("/a")
    const { spans, tracer } = recordSpans()
    const exits = yield* Effect.withTracer(Requests.exits([zk.get("/a"), zk.get("/missing")]), tracer)
    assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false])
    assert.deepStrictEqual(
      spans.map(({ name }) => name),
      ["zookeeper.getData", "zookeeper.getData"]
    )
  })

  itInChroot("have the defect of an interceptor for one of them as its outcome alone", function* ({ connectString }) {
    const acl = ({ acl, path }: Interceptor.Creation) => {
      if (path.endsWith("/bad")) throw new Error("no ACL for this one")
      return acl
    }
    const zk = yield* connect({ servers: connectString, interceptors: [{ acl }] })
    const exits = yield* Requests.exits(["/a", "/bad", "/c"].map((path) => zk.create(path)))
    assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
    assert.deepStrictEqual((yield* zk.getChildren("/")).toSorted(), ["a", "c"])
  })

  itEffect("are sent for the caller itself, and given up if it is interrupted before", function* () {
    const callers = new Set<unknown>()
    let givenUp = 0
    const requestUnsafe: Session.Session["Service"]["requestUnsafe"] = (_, __, ___, ____, _____, caller) => {
      callers.add(caller)
      return () => {
        givenUp++
      }
    }
    const { zk } = yield* makeScriptedClient(() => Effect.never, { session: { requestUnsafe } })
    const requests: ReadonlyArray<Effect.Effect<unknown, unknown>> = [zk.get("/a"), zk.getAcl("/b"), zk.get("/c")]
    const fiber = yield* Effect.forkChild(Requests.exits(requests), now)
    assert.deepStrictEqual([...callers], [fiber])
    yield* Fiber.interrupt(fiber)
    assert.strictEqual(givenUp, 3)
  })
})
