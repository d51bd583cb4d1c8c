/**
 * The embedded server without Effect: its controls as Promises.
 */
import { PromiseClient } from "@effect-zookeeper/client"
import { rejection } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { assert, describe, it } from "vitest"
import * as EmbeddedServer from "../../src/EmbeddedServer.ts"

describe("a server that is started without Effect", () => {
  it("serves clients, and its controls give Promises", async () => {
    await using server = await EmbeddedServer.start()
    await using zk = await PromiseClient.connect(server.connectString)
    await zk.create("/mine", { mode: "ephemeral" })
    const [session] = await server.sessions()
    assert.strictEqual(session?.id, zk.session.id)
    assert.deepStrictEqual(session?.ephemerals, ["/mine"])
    assert.strictEqual(JSON.parse(JSON.stringify(session)).id, String(zk.session.id))
    await server.answerWith({ operation: "getData" }, "NoAuth")
    assert.deepInclude(await rejection(zk.get("/mine")), { _tag: "NoAuth" })
    const snapshot = await server.snapshot()
    await using other = await PromiseClient.connect(server.connectString)
    assert.isTrue(await server.expireSession(zk.session.id))
    assert.isFalse(await other.exists("/mine"))
    await server.restore(snapshot)
    await using third = await PromiseClient.connect(server.connectString)
    assert.isTrue(await third.exists("/mine"))
  })

  it("is stopped and started with its state", async () => {
    await using server = await EmbeddedServer.start({ version: "3.9" })
    await using zk = await PromiseClient.connect(server.connectString)
    await zk.create("/kept")
    await server.stop()
    await server.start()
    assert.isTrue(await zk.exists("/kept"))
  })

  it("listens at the ports that it is given, one for each member", async () => {
    await using first = await EmbeddedServer.start({ members: 2 })
    const ports = first.connectString.split(",").map((member) => Number(member.split(":")[1]))
    await first.close()
    await first.close()
    await using second = await EmbeddedServer.start({ members: 2, port: [ports[1]!, ports[0]!] })
    assert.strictEqual(second.connectString, `127.0.0.1:${ports[1]},127.0.0.1:${ports[0]}`)
  })

  it("refuses options that are no object, or that have an unknown key, and so does the server in memory", async () => {
    for (const [options, value] of [
      [{ prot: 2181 }, "prot"],
      [null, "null"],
      [0, "0"],
      [[], "an array"]
    ] as const) {
      const memory = Layer.build(EmbeddedServer.layerMemoryWith(options as never)).pipe(
        Effect.scoped,
        Effect.runPromise
      )
      for (const started of [EmbeddedServer.start(options as never), memory]) {
        assert.deepInclude(await rejection(started), { _tag: "InvalidArgument", argument: "options", value })
      }
    }
    const port = { port: 1 } as never
    const memory = Layer.build(EmbeddedServer.layerMemoryWith(port)).pipe(Effect.scoped, Effect.runPromise)
    assert.deepInclude(await rejection(memory), { _tag: "InvalidArgument", value: "port" })
  })

  it("rejects with the error of its layer, and with a RangeError for a member that it has not", async () => {
    await using server = await EmbeddedServer.start()
    const port = Number(server.connectString.split(":")[1])
    assert.deepInclude(await rejection(EmbeddedServer.start({ port })), { _tag: "ListenError" })
    assert.instanceOf(await rejection(server.stop(1)), RangeError)
  })
})
