/**
 * A process of its own for Transport.test.ts: it says which socket modules it has loaded, leaves its connections in all
 * sorts of states, closes their scopes, and must then end by itself, for no handle is left.
 */
import { Transport } from "@effect-zookeeper/transport"
import { now } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const say = (line: string) => process.stdout.write(`${line}\n`)

const loaded = () => {
  const list = (process as unknown as { moduleLoadList: ReadonlyArray<string> }).moduleLoadList
  return ["net", "tls"].filter((name) => list.includes(`NativeModule ${name}`)).join(" ") || "none"
}

const at = (name: string) => ({ host: "127.0.0.1", port: Number(process.env[name]) })
const flood = new Uint8Array(64 * 1024 * 1024)

const connectTo = (name: string, options?: Transport.Options) =>
  Transport.Transport.use((transport) => transport.connect(at(name), at(name))).pipe(
    Effect.provide(Transport.layer(options))
  )

const program = Effect.gen(function* () {
  yield* Effect.scoped(connectTo("OPEN"))
  say(`after TCP: ${loaded()}`)
  say("closed: idle")

  const fill = Effect.fnUntraced(function* (name: string, options?: Transport.Options) {
    const connection = yield* connectTo(name, options)
    yield* Effect.forkChild(Effect.ignore(connection.write(flood)), now)
    // Several turns, so that the kernel's buffers are full.
    for (let i = 0; i < 50; i++) yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
  }, Effect.scoped)
  yield* fill("SILENT")
  say("closed: full")
  yield* fill("DEAF", { tls: { ca: process.env.CA } })
  say(`after TLS: ${loaded()}`)
  say("closed: full under TLS")

  const dial = yield* Effect.forkChild(Effect.scoped(connectTo("SILENT", { tls: {} })))
  for (let i = 0; i < 50; i++) yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
  yield* Fiber.interrupt(dial)
  say("interrupted: handshake")
})

// Standard output is a pipe here, which is itself a socket: ask before the first line is written.
const before = loaded()
say(`before: ${before}`)
await Effect.runPromise(program)
