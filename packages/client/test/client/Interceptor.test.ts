import * as Acl from "@effect-zookeeper/protocol/Acl"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import { NoNode } from "@effect-zookeeper/protocol/ServerError"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { itEffect, itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import type * as Interceptor from "../../src/Interceptor.ts"
import { makeClient } from "../../src/internal/makeClient.ts"
import * as Op from "../../src/Op.ts"
import * as ScriptedSession from "@effect-zookeeper/test-kit/ScriptedSession"
import { assertEach, awaitCondition, connect, connectFresh } from "../support/clients.ts"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { recordSpans } from "../support/spans.ts"

const answers: ScriptedSession.Script = ({ operation, request }) =>
  request.path === "/app/none"
    ? Effect.fail(new NoNode({ operation, path: "/none" }))
    : Effect.succeed({ data: null, stat, path: request.path })

const scripted = (interceptors: ReadonlyArray<Interceptor.Interceptor>) =>
  makeScriptedClient(answers, { chroot: "/app", interceptors })

describe("interceptors", () => {
  itEffect("hear of each reply, with the path as servers see it", function* () {
    const replies: Array<Interceptor.Reply> = []
    const { zk } = yield* scripted([{ onReply: (reply) => void replies.push(reply) }])
    yield* zk.get("/a")
    yield* zk.set("/a", "")
    yield* Effect.flip(zk.getData("/none"))
    assertEach(replies, ({ error, kind, operation, path }) => [operation, kind, path, error?._tag], [
      ["getData", "read", "/app/a", undefined],
      ["setData", "write", "/app/a", undefined],
      ["getData", "read", "/app/none", "NoNode"]
    ])
    assert.strictEqual(replies[0]?.session, ScriptedSession.sessionId)
  })

  TestServer.since("3.6.0", itLive)("hear of the watches of `events` and of streams", function* () {
    const { connectString } = yield* connectFresh("interceptors")
    const replies: Array<string> = []
    const onReply = ({ operation, path }: Interceptor.Reply) => void replies.push(`${operation} ${path.slice(-2)}`)
    const zk = yield* connect({ servers: connectString, interceptors: [{ onReply }] })
    yield* Effect.forkScoped(Stream.runDrain(zk.events("/a")))
    yield* awaitCondition(() => replies.includes("addWatch /a"))
    yield* Effect.forkScoped(Stream.runDrain(zk.dataChanges("/b")))
    yield* awaitCondition(() => replies.includes("addWatch /b"))
  })

  itLive("hear of it after the caller, whose result stays when they throw", function* () {
    const { connectString } = yield* connectFresh("interceptors")
    let count = 0
    const onReply = () => {
      count++
      throw new Error("own")
    }
    const lines: Array<string> = []
    const logger = Logger.make(({ cause, message }) => void lines.push(`${String(message)} ${String(cause)}`))
    const zk = yield* Effect.provide(
      connect({ servers: connectString, interceptors: [{ onReply }] }),
      Logger.layer([logger])
    )
    yield* zk.create("/a")
    yield* zk.getAndWatch("/a").pipe(Effect.provide(Logger.layer([logger])))
    assert.isTrue(yield* zk.exists("/a"))
    // The last one is told after its caller.
    yield* awaitCondition(() => count >= 3 && lines.length >= 3)
  })

  itEffect("give creates their ACL, one after the other", function* () {
    const paths: Array<string> = []
    const { asked, zk } = yield* scripted([
      {
        acl: ({ acl, path }) => {
          paths.push(path)
          return path === "/app/secret" ? Acl.creator : acl
        }
      },
      { acl: ({ acl }) => [...acl, ...Acl.readOnly] }
    ])
    yield* zk.create("/open")
    yield* zk.create("/secret", { acl: Acl.open })
    yield* zk.set("/open", "")
    const acls = asked.map(({ request }) => ("acl" in request ? request.acl : undefined))
    assert.deepStrictEqual(acls, [[...Acl.open, ...Acl.readOnly], [...Acl.creator, ...Acl.readOnly], undefined])
    assert.deepStrictEqual(paths, ["/app/open", "/app/secret"])
  })

  itEffect("add attributes to the spans of requests, and of no others", function* () {
    const { spans, tracer } = recordSpans()
    let calls = 0
    const { zk } = yield* scripted([
      {
        spanAttributes: ({ path }) => {
          calls++
          return { "app.tenant": path.split("/")[2] }
        }
      }
    ])
    yield* zk.get("/seven").pipe(Effect.withSpan("caller"), Effect.withTracer(tracer))
    yield* zk.get("/seven")
    assert.strictEqual(calls, 1)
    assertEach(spans, ({ attributes, name }) => [name, attributes.get("app.tenant")], [
      ["caller", undefined],
      ["zookeeper.getData", "seven"]
    ])
  })

  itEffect("are not between a client without them and its session", function* () {
    const session = yield* ScriptedSession.make(answers)
    const watched: typeof session = { ...session, watchData: () => Effect.die("of this session") }
    const zk = yield* makeClient(watched, { interceptors: [] })
    assert.strictEqual(zk.session, session.info)
    const error = yield* Effect.flip(makeClient(session, { interceptors: {} as never }))
    assert.instanceOf(error, InvalidArgument)
    for (const wrong of [null, { onReplay: () => {} }, { acl: Acl.open }]) {
      assert.instanceOf(yield* Effect.flip(makeClient(session, { interceptors: [wrong as never] })), InvalidArgument)
    }
  })

  itLive(
    "see all requests of a real client, and give znodes their ACL, in transactions and for parents too",
    function* () {
      const { connectString, zk: plain } = yield* connectFresh("interceptors")
      const replies: Array<Interceptor.Reply> = []
      const zk = yield* connect({
        servers: connectString,
        interceptors: [{ acl: () => Acl.readOnly, onReply: (reply) => void replies.push(reply) }]
      })
      const acl = (path: string) => Effect.map(plain.getAcl(path), ({ acl }) => acl)
      const parentAcl = Acl.open
      yield* zk.createWithParents("/a/b", { parentAcl }).pipe(Effect.ignore)
      assert.deepStrictEqual(yield* acl("/a"), Acl.readOnly)
      yield* plain.create("/open")
      yield* zk.transaction([Op.create("/open/one"), Op.check("/open"), Op.create("/open/two")])
      assert.deepStrictEqual(yield* acl("/open/two"), Acl.readOnly)
      const { changed } = yield* zk.getAndWatch("/open")
      yield* plain.set("/open", "")
      yield* changed
      const multi = replies.find(({ operation, ops }) => operation === "multi" && ops.length === 3)
      assertEach(multi?.ops ?? [], ({ operation, path }) => [operation, path.slice(path.indexOf("/", 1))], [
        ["create", "/open/one"],
        ["check", "/open"],
        ["create", "/open/two"]
      ])
      assert.isTrue(replies.some(({ operation, path }) => operation === "getData" && path.endsWith("/open")))
      assert.isTrue(replies.some(({ error }) => error?._tag === "NoAuth"))
    }
  )
})
