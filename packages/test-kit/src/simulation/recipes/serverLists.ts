/**
 * Clients whose list of servers is kept current: by the configuration that the ensemble has of itself, or by the SRV record
 * that names it. Whatever went wrong before, each of them comes to be at a server of the newest list.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import { servers } from "../ClientSimulation.ts"
import type { Environment, Recipe } from "../RecipeSimulation.ts"
import * as SimulatedClient from "../SimulatedClient.ts"
import { textOf } from "./text.ts"

/** The configuration is written by a super user, because the members of the embedded server are fixed. */
export const followConfig: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const [first] = environment.clients
  const all = servers.map(parse)
  yield* first!.node.run(
    Effect.orDie(
      Effect.scoped(Effect.flatMap(SimulatedClient.connectBeside(first!, { auth }), (zk) => zk.set(path, textFor(all))))
    )
  )
  return {
    play: Effect.fnUntraced(function* (client) {
      const zk = yield* SimulatedClient.connectBeside(client, {
        servers: servers[yield* Random.nextIntBetween(0, servers.length - 1)],
        firstConnection: (yield* Random.nextBoolean) ? "wait" : "background",
        followConfig: true,
        auth
      })
      return Effect.gen(function* () {
        const isPeace = environment.isFaultFree()
        // Only a configuration without it makes a client leave its server.
        const list = isPeace ? withoutOwn(zk) : yield* anyList
        const isUnusable = !isPeace && (yield* Random.next) < 0.1
        const { stat } = yield* zk.get(path)
        yield* zk.set(
          path,
          textFor(list) + (isUnusable ? "\nserver.9=memory-9:2888:3888:participant" : ""),
          stat.version
        )
        if (isPeace) yield* settled(zk, Effect.map(Effect.andThen(client.zk.sync(path), client.zk.get(path)), listIn))
      })
    }),
    expected: ["BadVersion", ...lossesOfSession],
    survivesDeletion: false
  }
})

/** The records are those of a name server that may be slow, silent or out of order. */
export const srvServers: Recipe = (environment: Environment) =>
  Effect.sync(() => {
    let record: ReadonlyArray<ServerAddress> = servers.map(parse)
    const resolveSrv = (name: string): Effect.Effect<ReadonlyArray<ServerAddress>, TransportError> =>
      Effect.gen(function* () {
        yield* Effect.sleep(yield* Random.nextBetween(0, 500))
        const kind = environment.isFaultFree() ? 1 : yield* Random.next
        if (kind < 0.1) yield* Effect.never
        if (kind < 0.4) return yield* new TransportError({ server: name, reason: "Resolve" })
        return record
      })
    return {
      play: Effect.fnUntraced(function* (client) {
        const transport: Transport["Service"] = { ...client.transport, resolveSrv }
        const zk = yield* SimulatedClient.connectBeside(
          { transport },
          { servers: "dns+srv://_zookeeper._tcp.example", firstConnection: "background" }
        )
        return Effect.gen(function* () {
          if (environment.isFaultFree()) {
            record = withoutOwn(zk)
            return yield* settled(
              zk,
              Effect.sync(() => record)
            )
          }
          record = yield* anyList
          yield* zk.stat("/recipe")
        })
      }),
      expected: lossesOfSession,
      survivesDeletion: false
    }
  })

// ---- internal: lists

const lossesOfSession = ["ConnectionLoss", "RequestTimeout", "SessionExpired"]

/** Some of the members, and sometimes a server that is not there any more. */
const anyList: Effect.Effect<ReadonlyArray<ServerAddress>> = Effect.gen(function* () {
  const members = yield* Random.shuffle(servers)
  const some = members.slice(0, yield* Random.nextIntBetween(1, members.length))
  return [...((yield* Random.next) < 0.3 ? ["memory-8:2181"] : []), ...some].map(parse)
})

const withoutOwn = ({ session }: ZooKeeper.Service): ReadonlyArray<ServerAddress> => {
  const own = Option.getOrUndefined(Option.map(session.server, format))
  return servers.filter((server) => server !== own).map(parse)
}

/** Until the client is at a server of the newest list, which others may change meanwhile. */
const settled = Effect.fnUntraced(function* <E>(
  { session }: ZooKeeper.Service,
  newest: Effect.Effect<ReadonlyArray<ServerAddress>, E>
) {
  while (true) {
    const list = new Set((yield* newest).map(format))
    if (Option.exists(session.server, (server) => list.has(format(server)))) return
    yield* Effect.sleep("500 millis")
  }
})

const parse = (server: string): ServerAddress => {
  const [host = "", port] = server.split(":")
  return { host, port: Number(port) }
}

// ---- internal: the configuration

const path = "/zookeeper/config"

const auth = [{ scheme: "digest", credentials: Redacted.make("super:secret") }]

const textFor = (list: ReadonlyArray<ServerAddress>): string =>
  list.map((server, index) => `server.${index + 1}=${server.host}:2888:3888:participant;${format(server)}`).join("\n")

const listIn = ({ data }: { readonly data: Uint8Array }): ReadonlyArray<ServerAddress> =>
  [...textOf(data).matchAll(/;(.+)$/gm)].map(([, server = ""]) => parse(server))
