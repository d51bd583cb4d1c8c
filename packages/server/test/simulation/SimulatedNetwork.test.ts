import * as SimulatedNetwork from "@effect-zookeeper/server/SimulatedNetwork"
import { inScope } from "@effect-zookeeper/test-kit/Expectations"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import type { TransportError } from "@effect-zookeeper/transport/TransportError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

const address = { host: "echo", port: 1 }
const server = "echo:1"

/** A server that sends back what it gets, and counts. */
const makeEcho = () => {
  const seen = { bytes: 0, connections: 0, ended: 0 }
  const transport: Transport["Service"] = {
    defaultServers: server,
    resolve: (server) => Effect.succeed([server]),
    connect: () =>
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded<Uint8Array, TransportError>()
        seen.connections++
        yield* Effect.addFinalizer(() => Effect.sync(() => seen.ended++))
        const connection: Connection = {
          pull: Queue.takeAll(queue),
          write: (bytes) =>
            Effect.sync(() => {
              seen.bytes += bytes.length
              Queue.offerUnsafe(queue, bytes.slice())
            }),
          defer: () => assert.fail("nothing is deferred here")
        }
        return connection
      })
  }
  return { seen, transport }
}

/** Reads so many bytes. */
const read = Effect.fnUntraced(function* (connection: Connection, count: number) {
  const all: Array<number> = []
  while (all.length < count) for (const chunk of yield* connection.pull) all.push(...chunk)
  return all
})

const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, index) => index & 255)

type Body = (world: {
  readonly network: SimulatedNetwork.SimulatedNetwork
  readonly dial: Effect.Effect<Connection, TransportError, Scope.Scope>
  readonly seen: { bytes: number; connections: number; ended: number }
  readonly simulation: Simulation.Simulation["Service"]
}) => Generator<Effect.Effect<unknown, unknown, Scope.Scope | Simulation.Simulation>, void, never>

/** Runs a body under many seeds. */
const underSeeds = (body: Body, seeds = 100) => {
  for (let seed = 1; seed <= seeds; seed++) {
    const program = inScope(function* () {
      const simulation = yield* Simulation.Simulation
      const { seen, transport } = makeEcho()
      const network = yield* SimulatedNetwork.make({ transport })
      const dial = network.transport("a").connect(address, address)
      yield* Effect.gen(() => body({ network, dial, seen, simulation }))
    })
    const problem = Simulation.problemOf(Simulation.run(program, { seed }))
    if (problem !== undefined) assert.fail(`seed ${seed}: ${problem.reason}`)
  }
}

describe("SimulatedNetwork", () => {
  it("carries bytes in order, in pieces of any size, and takes its time", () => {
    const sizes = new Set<number>()
    underSeeds(function* ({ dial, simulation }) {
      const connection = yield* dial
      const sent = bytes(300)
      const before = simulation.now()
      yield* connection.write(sent.subarray(0, 200))
      yield* connection.write(sent.subarray(200))
      const all: Array<number> = []
      while (all.length < sent.length) {
        for (const chunk of yield* connection.pull) {
          sizes.add(chunk.length)
          all.push(...chunk)
        }
      }
      assert.deepStrictEqual(all, [...sent])
      assert.isAbove(simulation.now() - before, 0.2)
    })
    assert.isAbove(sizes.size, 50)
  })

  it("refuses, hangs, and heals", () => {
    underSeeds(function* ({ dial, network, seen }) {
      const healRefuse = yield* network.inject({ _tag: "Refuse", client: "a" })
      const refused = yield* Effect.flip(Effect.scoped(dial))
      assert.strictEqual(refused.reason, "Open")
      yield* healRefuse
      yield* network.inject({ _tag: "AcceptAndHang", server })
      yield* inScope(function* () {
        const hanging = yield* dial
        yield* hanging.write(bytes(10))
        assert.strictEqual((yield* Effect.timeoutOption(hanging.pull, "1 hour"))._tag, "None")
      })
      assert.strictEqual(seen.connections, 0)
      yield* network.heal
      const connection = yield* dial
      yield* connection.write(bytes(10))
      yield* read(connection, 10)
    })
  })

  it("lets nothing through while a direction is blocked, and delivers the bytes when it is healed", () => {
    underSeeds(function* ({ dial, network, seen }) {
      const connection = yield* dial
      const healUp = yield* network.inject({ _tag: "Block", direction: "up" })
      yield* connection.write(bytes(10))
      yield* Effect.sleep("1 minute")
      assert.strictEqual(seen.bytes, 0)
      yield* healUp
      yield* read(connection, 10)
      const healDown = yield* network.inject({ _tag: "Block", direction: "down", client: "a", server })
      yield* connection.write(bytes(10))
      yield* Effect.sleep("1 minute")
      assert.strictEqual(seen.bytes, 20)
      const reading = yield* Effect.forkChild(read(connection, 10))
      yield* Effect.sleep("1 minute")
      assert.isUndefined(reading.pollUnsafe())
      yield* healDown
      yield* Fiber.join(reading)
    })
  })

  it("limits a fault to the clients that it names", () => {
    underSeeds(function* ({ dial, network }) {
      yield* network.inject({ _tag: "Block", direction: "both", client: "b" })
      yield* network.inject({ _tag: "Refuse", server: "other:1" })
      const connection = yield* dial
      assert.strictEqual(yield* network.cut({ client: "b" }), 0)
      yield* connection.write(bytes(10))
      yield* read(connection, 10)
    })
  })

  it("cuts after any byte, upwards and downwards, and loses the bytes behind it", () => {
    const cuts = new Set<number>()
    underSeeds(function* ({ dial, network, seen, simulation }) {
      const after = simulation.seed % 20
      cuts.add(after)
      const connection = yield* dial
      yield* network.inject({ _tag: "CutAfter", direction: "up", bytes: after })
      yield* connection.write(bytes(20))
      const failed = yield* Effect.exit(Effect.forever(connection.pull))
      assert.isTrue(Exit.isFailure(failed))
      assert.strictEqual(seen.bytes, after)
      const second = yield* dial
      yield* network.inject({ _tag: "CutAfter", direction: "down", bytes: after })
      yield* second.write(bytes(20))
      let got = 0
      yield* Effect.exit(
        Effect.forever(Effect.tap(second.pull, (chunks) => Effect.sync(() => chunks.forEach((c) => (got += c.length)))))
      )
      assert.strictEqual(got, after)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(second.write(bytes(1)))))
      // It happens once.
      const third = yield* dial
      yield* third.write(bytes(100))
      yield* read(third, 100)
    })
    assert.strictEqual(cuts.size, 20)
  })

  it("tells the server that a client has gone, behind its last bytes, and later if nothing gets through", () => {
    underSeeds(function* ({ dial, network, seen }) {
      yield* Effect.scoped(Effect.flatMap(dial, (connection) => connection.write(bytes(10))))
      yield* Effect.sleep("1 second")
      assert.deepStrictEqual(seen, { bytes: 10, connections: 1, ended: 1 })
      const heal = yield* Effect.scoped(Effect.andThen(dial, network.inject({ _tag: "Block", direction: "up" })))
      yield* Effect.sleep("1 hour")
      assert.strictEqual(seen.ended, 1)
      assert.lengthOf(network.connections(), 1)
      yield* heal
      yield* Effect.sleep("1 second")
      assert.strictEqual(seen.ended, 2)
      assert.lengthOf(network.connections(), 0)
    })
  })

  it("tells a client that stands still of nothing until it goes on", () => {
    underSeeds(function* ({ network, simulation }) {
      const node = yield* simulation.node("a")
      const heard: Array<number> = []
      const fiber = yield* Effect.forkChild(
        node.run(
          Effect.gen(function* () {
            const connection = yield* network.transport("a").connect(address, address)
            yield* connection.write(bytes(1))
            while (true) {
              yield* connection.pull
              heard.push(simulation.now())
              yield* connection.write(bytes(1))
            }
          })
        )
      )
      yield* Effect.sleep("1 second")
      assert.isNotEmpty(heard)
      yield* node.pause
      const before = heard.length
      yield* Effect.sleep("10 seconds")
      yield* network.cut()
      yield* Effect.sleep("1 second")
      assert.lengthOf(heard, before)
      assert.isUndefined(fiber.pollUnsafe())
      yield* node.resume
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
    })
  })

  it("is healed when the nemesis has gone", () => {
    underSeeds(function* ({ dial, network, simulation }) {
      let undone = 0
      let done = 0
      const other = Effect.sync(() => {
        done++
        return Effect.sync(() => undone++).pipe(Effect.asVoid)
      })
      const client = Effect.scoped(
        Effect.flatMap(dial, (connection) =>
          Effect.forever(
            Effect.andThen(connection.write(bytes(50)), Effect.andThen(read(connection, 50), Effect.sleep(20)))
          )
        )
      ).pipe(Effect.timeout("10 seconds"), Effect.ignore, Effect.andThen(Effect.sleep(10)), Effect.forever)
      const fiber = yield* Effect.forkChild(client)
      yield* SimulatedNetwork.nemesis(network, {
        clients: ["a"],
        servers: [server],
        duration: 60_000,
        peace: 1000,
        lasting: 5000,
        others: [other]
      })
      assert.isAtLeast(simulation.now(), 60_000)
      yield* Fiber.interrupt(fiber)
      assert.isAbove(done, 0)
      assert.strictEqual(undone, done)
      const connection = yield* dial
      yield* connection.write(bytes(10))
      yield* read(connection, 10)
    }, 30)
  })
})
