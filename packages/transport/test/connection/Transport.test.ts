import { assert, describe, it } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { now, closable } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFile } from "node:child_process"
import type * as Net from "node:net"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { certificates } from "../support/certificates.ts"
import * as Servers from "../support/servers.ts"
import { bytes, connect, pullText } from "../support/connections.ts"

const MiB = 1024 * 1024

describe("over TCP", () => {
  itLive("bytes go both ways", function* () {
    const server = yield* Servers.tcp(Servers.echo)
    const connection = yield* connect(server.address)
    yield* connection.write(bytes("hello "))
    yield* connection.write(new Uint8Array(0))
    yield* connection.write(bytes("world"))
    assert.strictEqual(yield* pullText(connection, 11), "hello world")
  })

  itLive("chunks are plain byte arrays, not Buffers", function* () {
    const server = yield* Servers.tcp((socket) => socket.write("abc"))
    const connection = yield* connect(server.address)
    const chunks = yield* connection.pull
    assert.deepStrictEqual(chunks, [bytes("abc")])
  })

  itLive("the memory of a chunk is free once it is released, and what comes after is whole", function* () {
    const server = yield* Servers.tcp(Servers.echo)
    const connection = yield* connect(server.address)
    for (const text of ["one", "another"]) {
      yield* connection.write(bytes(text))
      const [chunk] = yield* connection.pull
      assert.deepStrictEqual(chunk, bytes(text))
      connection.release?.(chunk!)
      assert.strictEqual(chunk!.byteLength, 0)
    }
    // Not that of others which it is a part of.
    const part = bytes("part").subarray(1)
    connection.release?.(part)
    assert.deepStrictEqual(part, bytes("art"))
  })

  itLive("a name is dialled at the address, a scheme of tcp overrules tls options", function* () {
    const server = yield* Servers.tcp(Servers.echo)
    const name = { host: "not-asked.invalid", port: server.address.port, scheme: "tcp" } as const
    const connection = yield* connect(server.address, { tls: {} }, name)
    yield* connection.write(bytes("hi"))
    assert.strictEqual(yield* pullText(connection, 2), "hi")
  })

  itLive("a port without a listener is Open, and says where", function* () {
    const [{ address }, close] = yield* closable(Servers.tcp(Servers.echo))
    yield* close
    const error = yield* Effect.flip(connect(address))
    assert.strictEqual(error.reason, "Open")
    assert.strictEqual(error.server, `127.0.0.1:${address.port}`)
    assert.include(error.message, "ECONNREFUSED")
  })

  itLive("a clean end gives what was sent before it, then is Closed at every pull; writes fail", function* () {
    const server = yield* Servers.tcp((socket) => socket.end("bye"))
    const connection = yield* connect(server.address)
    assert.strictEqual(yield* pullText(connection, 3), "bye")
    assert.strictEqual((yield* Effect.flip(connection.pull)).reason, "Closed")
    assert.strictEqual((yield* Effect.flip(connection.pull)).reason, "Closed")
    assert.strictEqual((yield* Effect.flip(connection.write(bytes("x")))).reason, "Write")
  })

  itLive("a reset is Read at every pull; writes fail", function* () {
    const server = yield* Servers.tcp(() => {})
    const connection = yield* connect(server.address)
    const socket = yield* server.accepted
    socket.resetAndDestroy()
    const error = yield* Effect.flip(connection.pull)
    assert.strictEqual(error.reason, "Read")
    assert.include(error.message, "ECONNRESET")
    assert.strictEqual((yield* Effect.flip(connection.pull)).reason, "Read")
    const write = yield* Effect.flip(connection.write(bytes("x")))
    assert.strictEqual(write.reason, "Write")
    assert.include(write.message, "ECONNRESET")
  })

  itLive("a closed scope ends the waiting pull, fails writes and closes the socket", function* () {
    const server = yield* Servers.tcp(Servers.echo)
    const [connection, close] = yield* closable(connect(server.address))
    const pull = yield* Effect.forkChild(Effect.flip(connection.pull), now)
    yield* close
    assert.strictEqual((yield* Fiber.join(pull))._tag, "TransportError")
    assert.strictEqual((yield* Effect.flip(connection.write(bytes("x")))).reason, "Write")
    yield* server.closed
  })

  itLive("an interrupted pull loses no bytes", function* () {
    const server = yield* Servers.tcp(Servers.echo)
    const connection = yield* connect(server.address)
    const pull = yield* Effect.forkChild(connection.pull, now)
    yield* Fiber.interrupt(pull)
    yield* connection.write(bytes("kept"))
    assert.strictEqual(yield* pullText(connection, 4), "kept")
  })

  itLive("deferred tasks run once the turn is over, in order", function* () {
    const server = yield* Servers.tcp(Servers.echo)
    const connection = yield* connect(server.address)
    const log: Array<string> = []
    yield* Effect.callback<void>((resume) => {
      connection.defer(() => log.push("first"))
      connection.defer(() => resume(Effect.void))
      log.push("turn")
    })
    assert.deepStrictEqual(log, ["turn", "first"])
  })
})

describe("back-pressure", () => {
  // More than the kernel's buffers on both sides hold.
  const flood = new Uint8Array(64 * MiB)

  itLive("a write waits while the peer does not read", function* () {
    const server = yield* Servers.tcp((socket) => socket.pause(), { pauseOnConnect: true })
    const connection = yield* connect(server.address)
    const log: Array<string> = []
    const write = yield* Effect.forkChild(
      Effect.tap(connection.write(flood), () => Effect.sync(() => log.push("written"))),
      now
    )
    const socket = yield* server.accepted
    log.push("reads")
    socket.on("data", () => {})
    socket.resume()
    yield* Fiber.join(write)
    assert.deepStrictEqual(log, ["reads", "written"])
  })

  itLive(
    "what is written within the call needs no fiber until the network is full, and fails once it has ended",
    function* () {
      const server = yield* Servers.tcp(Servers.echo)
      const [connection, close] = yield* closable(connect(server.address))
      const { writeNow } = connection
      assert.isUndefined(writeNow?.(bytes("now")))
      assert.deepStrictEqual(yield* connection.pull, [bytes("now")])
      const rest = writeNow?.(flood)
      assert.isDefined(rest)
      const waiting = yield* Effect.forkChild(rest!)
      for (let size = 0; size < flood.length;) {
        for (const chunk of yield* connection.pull) size += chunk.length
      }
      yield* Fiber.join(waiting)
      yield* close
      assert.strictEqual((yield* Effect.flip(writeNow?.(bytes("late")) ?? Effect.void)).reason, "Write")
    }
  )

  itLive("a waiting write can be interrupted, and the closing scope destroys the socket", function* () {
    const server = yield* Servers.tcp(() => {}, { pauseOnConnect: true })
    const [connection, close] = yield* closable(connect(server.address))
    const write = yield* Effect.forkChild(connection.write(flood), now)
    const socket = yield* server.accepted
    yield* Fiber.interrupt(write)
    yield* close
    // The peer reads what the kernels hold and finds the end.
    socket.resume()
    yield* server.closed
    assert.isBelow(socket.bytesRead, flood.length)
  })

  itLive("a waiting write fails when the peer resets, and when the scope closes", function* () {
    for (const end of ["reset", "scope"] as const) {
      const server = yield* Servers.tcp(() => {}, { pauseOnConnect: true })
      const [connection, close] = yield* closable(connect(server.address))
      const write = yield* Effect.forkChild(Effect.flip(connection.write(flood)), now)
      const socket = yield* server.accepted
      if (end === "reset") socket.resetAndDestroy()
      else yield* close
      assert.strictEqual((yield* Fiber.join(write)).reason, "Write")
      yield* close
    }
  })

  // Chunks far below what Node's socket holds before it asks for patience, more of them than the kernels hold.
  const reuse = Effect.fnUntraced(function* (secure: boolean) {
    const rounds = 2048
    const size = 8 * 1024
    const c = yield* certificates
    const pause = (socket: Net.Socket) => void socket.pause()
    const server = yield* secure ? Servers.tls({ ...c.server }, pause) : Servers.tcp(pause, { pauseOnConnect: true })
    const connection = yield* connect(server.address, secure ? { tls: { ca: c.ca } } : {})
    const buffer = new Uint8Array(size)
    const write = yield* Effect.forkChild(
      Effect.gen(function* () {
        for (let round = 0; round < rounds; round++) {
          buffer.fill(round)
          yield* connection.write(buffer)
        }
        buffer.fill(255)
      }),
      now
    )
    const socket = yield* server.accepted
    const received: Array<Buffer> = []
    yield* Effect.callback<void>((resume) => {
      let missing = rounds * size
      socket.on("data", (chunk: Buffer) => {
        received.push(chunk)
        missing -= chunk.length
        if (missing === 0) resume(Effect.void)
      })
      socket.resume()
    })
    yield* Fiber.join(write)
    const all = Buffer.concat(received)
    for (let round = 0; round < rounds; round++) {
      const chunk = all.subarray(round * size, (round + 1) * size)
      assert.isTrue(
        chunk.every((byte) => byte === round % 256),
        `round ${round}`
      )
    }
  })

  it.live("the bytes belong to the caller again when a write has returned, over TCP", () => reuse(false))

  it.live("the bytes belong to the caller again when a write has returned, over TLS", () => reuse(true))
})

describe("a process", () => {
  itLive(
    "loads no socket module before it needs it, and ends by itself when its scopes are closed",
    { timeout: 40_000 },
    function* () {
      const c = yield* certificates
      const open = yield* Servers.tcp(Servers.echo)
      const silent = yield* Servers.tcp(() => {}, { pauseOnConnect: true })
      const deaf = yield* Servers.tls({ ...c.server }, (socket) => socket.pause())
      const script = fileURLToPath(new URL("../support/process.ts", import.meta.url))
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [script], {
          timeout: 30_000,
          env: {
            ...process.env,
            OPEN: String(open.address.port),
            SILENT: String(silent.address.port),
            DEAF: String(deaf.address.port),
            CA: c.ca
          }
        })
      )
      assert.deepStrictEqual(stdout.trim().split("\n"), [
        "before: none",
        "after TCP: net",
        "closed: idle",
        "closed: full",
        "after TLS: net tls",
        "closed: full under TLS",
        "interrupted: handshake"
      ])
    }
  )
})
