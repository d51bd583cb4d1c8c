/**
 * A listener and bytes: the handshake's odd cases, four-letter words, limits, hostile peers, TLS.
 */
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { connectRequest, encodeRequest, framed } from "@effect-zookeeper/test-kit/RequestFrames"
import { assert, describe, it } from "@effect/vitest"
import { itLive, testOn } from "@effect-zookeeper/test-kit/TestWith"
import { inScope, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { EmbeddedServer, layer, layerMemory, type ListenOptions } from "../../src/EmbeddedServer.ts"
import { open } from "../support/harness.ts"
import { seeded } from "../support/programs.ts"
import { portOf, RawClient } from "../support/rawClient.ts"

/** A test with a server on TCP and a way to dial it. */
const withServer = (
  name: string,
  test: (dial: () => Promise<RawClient>, server: EmbeddedServer["Service"]) => Promise<void>
) =>
  testOn(
    it.live,
    layer(),
    EmbeddedServer
  )(name, function* (server) {
    const clients: Array<RawClient> = []
    yield* Effect.addFinalizer(() => Effect.sync(() => clients.forEach((client) => client.close())))
    const dial = async () => {
      const client = await RawClient.dial(portOf(server.connectString))
      clients.push(client)
      return client
    }
    yield* Effect.promise(() => test(dial, server))
  })

/** A peer that has a session. */
const connected = async (dial: () => Promise<RawClient>): Promise<RawClient> => {
  const client = await dial()
  await client.connect()
  return client
}

const rootIsThere = async (client: RawClient): Promise<void> => {
  const reply = await client.request(Operations.exists, { path: "/", watch: false })
  assert.strictEqual(reply?.err, 0)
}

/** Whether the server has ended the connection, and what it said before. */
const untilEnd = async (client: RawClient): Promise<number> => {
  let frames = 0
  while ((await client.next()) !== undefined) frames++
  return frames
}

const itInMemory = testOn(it.effect, layerMemory, Effect.void)

describe("frames", () => {
  withServer("may come byte by byte, and many at once", async (dial) => {
    const client = await dial()
    const hello = Frame.encode(Handshake.connectRequest, connectRequest())
    for (const byte of hello) client.raw(Uint8Array.of(byte))
    assert.isDefined(await client.next())
    for (let xid = 1; xid <= 500; xid++) client.frame(encodeRequest(Operations.sync, { path: `/${xid}` }, xid))
    for (let xid = 1; xid <= 500; xid++) assert.strictEqual((await client.reply())?.xid, xid)
  })

  withServer("of 1,048,575 bytes are accepted, and one byte more ends the connection", async (dial) => {
    const request = (size: number) => ({ path: "/big", data: new Uint8Array(size), acl: open, flags: 0 })
    const overhead = encodeRequest(Operations.create, request(0), 1).length
    const client = await connected(dial)
    const reply = await client.request(Operations.create, request(Frame.MAX_REQUEST - overhead))
    assert.strictEqual(reply?.err, 0)
    client.frame(encodeRequest(Operations.create, request(Frame.MAX_REQUEST - overhead + 1), 2))
    assert.strictEqual(await untilEnd(client), 0)
  })

  for (const [name, bytes] of [
    ["a negative length", [0xff, 0xff, 0xff, 0xff]],
    ["a length of two gigabytes", [0x7f, 0xff, 0xff, 0xff]],
    ["an empty frame", [0, 0, 0, 0]],
    ["a frame shorter than a header", [0, 0, 0, 3, 1, 2, 3]]
  ] as const) {
    withServer(`${name} ends the connection, before the handshake and after`, async (dial) => {
      const stranger = await dial()
      stranger.raw(Uint8Array.from(bytes))
      assert.strictEqual(await untilEnd(stranger), 0)
      const client = await connected(dial)
      client.raw(Uint8Array.from(bytes))
      assert.strictEqual(await untilEnd(client), 0)
    })
  }
})

describe("a failed authentication", () => {
  withServer("is answered with -115, and the connection ends", async (dial) => {
    const client = await connected(dial)
    const reply = await client.request(Operations.auth, { type: 0, scheme: "nosuch", auth: null }, -4)
    assert.deepInclude(reply, { xid: -4, zxid: 0n, err: -115 })
    assert.strictEqual(await untilEnd(client), 0)
  })
})

describe("hostile peers", () => {
  withServer("random bytes do no more than end their connection", async (dial) => {
    const random = seeded(42)
    const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256))
    for (let round = 0; round < 60; round++) {
      const client = await dial()
      if (random.chance(0.5)) {
        await client.connect()
        // A body that can be anything, of an operation that is known.
        const row = random.pick(Operations.all)
        const body = bytes(random.below(60))
        const frame = new Uint8Array(8 + body.length)
        new DataView(frame.buffer).setInt32(4, row.opCode)
        frame.set(body, 8)
        client.frame(frame)
      }
      client.raw(bytes(random.below(200)))
      client.close()
    }
    const client = await connected(dial)
    await rootIsThere(client)
  })

  withServer(
    "one that does not read what it asks for makes no other client wait, and the server not grow",
    async (dial) => {
      const writer = await connected(dial)
      await writer.request(Operations.create, { path: "/big", data: new Uint8Array(500_000), acl: open, flags: 0 })
      const greedy = await connected(dial)
      greedy.pause()
      // Two gigabytes, if they were all answered at once.
      const ask = encodeRequest(Operations.getData, { path: "/big", watch: false }, 1)
      const before = process.memoryUsage().rss
      greedy.raw(Buffer.concat(Array.from({ length: 4_000 }, () => framed(ask))))
      for (let turn = 0; turn < 50; turn++) await rootIsThere(writer)
      assert.isBelow(process.memoryUsage().rss - before, 200 * 1024 * 1024)
    }
  )
})

describe("a peer that stops reading in the middle of large answers", () => {
  const READS = 60
  withServer("gets the rest when it reads on, also after a pause of the server", async (dial, server) => {
    const client = await connected(dial)
    await client.request(Operations.create, { path: "/big", data: new Uint8Array(300_000), acl: open, flags: 0 })
    const frames = (from: number) =>
      Buffer.concat(
        Array.from({ length: READS }, (_, index) =>
          framed(encodeRequest(Operations.getData, { path: "/big", watch: false }, from + index))
        )
      )
    const other = await connected(dial)
    for (const isPaused of [false, true]) {
      const first = isPaused ? 1 + READS : 1
      client.pause()
      client.raw(frames(first))
      for (let turn = 0; turn < 10; turn++) await rootIsThere(other)
      if (isPaused) await Effect.runPromise(server.pause)
      client.resume()
      let xid = first
      // The replies before the pause.
      if (isPaused) assert.strictEqual((await client.reply())?.xid, xid++)
      await Effect.runPromise(server.resume)
      for (; xid < first + READS; xid++) assert.strictEqual((await client.reply())?.xid, xid)
      await rootIsThere(client)
    }
  })
})

describe("an address beyond loopback", () => {
  const listen = (options: ListenOptions) => Layer.build(Layer.fresh(layer(options)))
  for (const host of ["0.0.0.0", "::", "192.0.2.7", "zk.example.org", ""]) {
    itLive(`${JSON.stringify(host)} is refused with the well-known super user`, function* () {
      const error = yield* failure(listen({ host, superDigest: undefined }), "ListenError")
      assert.strictEqual(error.reason, "WellKnownSuperUser")
      assert.match(error.message, /^.*:0: not opened, .* super:secret; give superDigest .*, or listen on 127\.0\.0\.1$/)
    })
  }

  itLive("is accepted with another super user, or none", function* () {
    yield* listen({ host: "0.0.0.0", superDigest: null })
    yield* listen({ host: "0.0.0.0", superDigest: "ann:hash" })
  })

  itLive("is not one that begins with 127, nor localhost", function* () {
    yield* listen({ host: "127.0.0.2" })
    yield* listen({ host: "localhost" })
  })
})

describe("silent peers", () => {
  itInMemory("a peer without a handshake is disconnected after ten seconds", function* () {
    const transport = yield* Transport.Transport
    const address = { host: "memory", port: 2181 }
    const connection = yield* transport.connect(address, address)
    yield* connection.write(Uint8Array.of(0, 0))
    const ended = yield* Effect.forkChild(Effect.flip(connection.pull))
    yield* TestClock.adjust("9999 millis")
    assert.isUndefined(ended.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    assert.isDefined(ended.pollUnsafe())
  })

  itInMemory("a peer that opens a session and goes silent is disconnected when it ends", function* () {
    const transport = yield* Transport.Transport
    const server = yield* EmbeddedServer
    const address = { host: "memory", port: 2181 }
    const connection = yield* transport.connect(address, address)
    yield* connection.write(Frame.encode(Handshake.connectRequest, connectRequest({ timeOut: 4_000 })))
    yield* connection.pull
    const ended = yield* Effect.forkChild(Effect.flip(connection.pull))
    yield* TestClock.adjust("4 seconds")
    assert.lengthOf(yield* server.sessions, 1)
    yield* TestClock.adjust("2 seconds")
    assert.lengthOf(yield* server.sessions, 0)
    assert.isDefined(ended.pollUnsafe())
  })
})

describe("four-letter words", () => {
  const expected: Record<string, RegExp> = {
    ruok: /^imok$/,
    isro: /^rw$/,
    srvr: /^Zookeeper version: 3\.8\.0[^]*\nZxid: 0x1\nMode: standalone\nNode count: 5\n$/,
    stat: /\nClients:\n \/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=\d+,sent=\d+\)\n[^]*Mode: standalone/,
    mntr: /^zk_version\t3\.8\.0[^]*\nzk_server_state\tstandalone\nzk_znode_count\t5\n/,
    conf: /^tickTime=2000\n[^]*minSessionTimeout=4000\nmaxSessionTimeout=40000\n/,
    envi: /^Environment:\nzookeeper\.version=3\.8\.0/,
    cons: /^ \/127\.0\.0\.1:\d+\[1\]\([^)]*sid=0x1[0-9a-f]{14},to=30000\)\n/,
    wchs: /^0 connections watching 0 paths\nTotal watches:0\n$/
  }
  for (const [word, answer] of Object.entries(expected)) {
    withServer(`${word} is answered, and the connection ends`, async (dial, server) => {
      await connected(dial)
      const address = { host: "127.0.0.1", port: portOf(server.connectString) }
      const asked = FourLetterWord.ask(
        await Effect.runPromise(Effect.provide(Transport.Transport, Transport.layer())),
        address,
        address,
        word as FourLetterWord.FourLetterWord
      )
      assert.match(await Effect.runPromise(asked), answer)
    })
  }

  withServer("any other word is taken for a length, and ends the connection", async (dial) => {
    const client = await dial()
    client.raw(new TextEncoder().encode("nope"))
    assert.strictEqual(await untilEnd(client), 0)
  })
})

describe("a port in use", () => {
  testOn(
    it.live,
    layer(),
    EmbeddedServer
  )("is reported, with advice", function* ({ connectString }) {
    const port = portOf(connectString)
    const error = yield* failure(Layer.build(Layer.fresh(layer({ port }))), "ListenError")
    assert.match(error.message, /^127\.0\.0\.1:\d+: cannot listen there \(.*EADDRINUSE.*\); choose another port/)
  })
})

describe("a server that stops", () => {
  itLive("ends its connections, paused or not, and frees its port", function* () {
    let port = 0
    for (const paused of [false, true]) {
      const client = yield* inScope(function* () {
        const server = yield* Effect.provide(EmbeddedServer, yield* Layer.build(Layer.fresh(layer({ port }))))
        port = portOf(server.connectString)
        const client = yield* Effect.promise(() => RawClient.dial(port))
        yield* Effect.promise(() => client.connect())
        if (paused) yield* server.pause
        return client
      })
      assert.strictEqual(yield* Effect.promise(() => untilEnd(client)), 0)
      client.close()
    }
  })
})
