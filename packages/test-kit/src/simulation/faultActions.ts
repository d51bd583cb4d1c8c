/**
 * Faults of the clients of a world, beside those of the network. Each fault gives the effect that takes it back.
 */
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import type { SimulatedNetwork } from "@effect-zookeeper/server/SimulatedNetwork"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { SimulatedClient } from "./SimulatedClient.ts"

/** A fault that was begun, with the effect that ends it. */
type FaultAction = Effect.Effect<Effect.Effect<void>>

type Server = EmbeddedServer.EmbeddedServer["Service"]

/** The clients and servers that faults may hit. */
export interface FaultTargets {
  readonly server: Server
  readonly clients: ReadonlyArray<SimulatedClient>
  /** The sessions that were ended from outside. */
  readonly killed: Set<bigint>
  /** `host:port` of the members. */
  readonly servers: ReadonlyArray<string>
  /** Opens when the time of faults is over. */
  readonly over: Latch.Latch
  /** Whether servers may lag behind. */
  readonly hasLags: boolean
  /** Virtual milliseconds. */
  readonly now: () => number
}

/** The faults of every world. */
export const commonFaults = ({
  hasLags,
  killed,
  now,
  server,
  servers,
  clients
}: FaultTargets): ReadonlyArray<FaultAction> => {
  const someone = pickRandom(clients)
  const nothing = Effect.void
  return [
    // F37: a process that stands still.
    Effect.gen(function* () {
      const { observations, node } = yield* someone
      const pause = { from: now(), to: Number.POSITIVE_INFINITY }
      observations.pauses.push(pause)
      yield* node.pause
      return Effect.andThen(
        Effect.sync(() => {
          pause.to = now()
        }),
        node.resume
      )
    }),
    // F39: clocks that are set.
    Effect.gen(function* () {
      const { node } = yield* someone
      yield* node.stepWallClock((yield* Random.nextBoolean) ? "1 hour" : "-1 hour")
      return nothing
    }),
    Effect.as(server.disconnectAll, nothing),
    // A server that hangs.
    Effect.as(server.pause, server.resume),
    Effect.gen(function* () {
      const { zk } = yield* someone
      const { id } = zk.session
      // Where no server is left to end it, it has not ended.
      const isNew = !killed.has(id)
      killed.add(id)
      if (!(yield* server.expireSession(id)) && isNew) killed.delete(id)
      return nothing
    }),
    // Servers that lag behind.
    Effect.gen(function* () {
      if (!hasLags) return nothing
      const member = yield* Random.nextIntBetween(0, servers.length - 1)
      if (member !== (yield* server.leader)) yield* server.setLag(member, yield* Random.nextIntBetween(0, 6))
      return nothing
    })
  ]
}

/** Ends all faults. */
export const healAll = Effect.fnUntraced(function* (
  network: SimulatedNetwork,
  { over, server, servers }: Pick<FaultTargets, "server" | "servers" | "over">
) {
  over.openUnsafe()
  yield* network.heal
  yield* server.clearFaults
  yield* server.rejoin
  for (const member of servers.keys()) yield* server.setLag(member, 0)
})

/** F07, F08: the next request of a kind, or its reply, is lost with its connection. */
export const loseRequestOrReply = (server: Server): FaultAction =>
  Effect.gen(function* () {
    const operation = yield* pickRandom(["create", "create2", "delete", "setData", "getData", "getChildren2", "multi"])
    yield* (yield* Random.nextBoolean) ? server.dropReply({ operation }) : server.dropRequest({ operation })
    return Effect.void
  })

/**
 * Servers that are cut off from each other: a follower without its leader or a leader without followers, which often is the
 * only one that a client reaches, for less than a session lasts or longer. `over` opens when all is to be healed.
 */
export const isolateServer = (
  network: SimulatedNetwork,
  { over, server, servers, clients }: Pick<FaultTargets, "server" | "clients" | "servers" | "over">
): FaultAction =>
  Effect.gen(function* () {
    const { name, zk } = yield* pickRandom(clients)
    const at = Option.map(zk.session.server, (address) => servers.indexOf(format(address)))
    const isTogether = Option.isSome(at) && (yield* Random.next) < 0.85
    const member = isTogether ? at.value : yield* Random.nextIntBetween(0, servers.length - 1)
    if (!(yield* server.isolate(member))) return Effect.void
    yield* Effect.logDebug(`${servers[member]} is cut off from the other servers${isTogether ? `, with ${name}` : ""}`)
    const undo: Array<Effect.Effect<void>> = []
    for (const other of isTogether ? servers : []) {
      if (other === servers[member]) continue
      undo.push(yield* network.inject({ _tag: "Block", direction: "both", client: name, server: other }))
    }
    const lasting = Effect.sleep(yield* Random.nextBetween(500, 9000))
    const end = Effect.gen(function* () {
      yield* Effect.logDebug(`${servers[member]} reaches the other servers again`)
      yield* Effect.all(undo)
      yield* server.rejoin
    })
    yield* Effect.forkDetach(Effect.andThen(Effect.raceFirst(lasting, over.await), end))
    return Effect.void
  })

/** A partition: one client is cut off from all servers, for about as long as its session lasts or longer. */
export const isolateClient = (network: SimulatedNetwork, clients: ReadonlyArray<SimulatedClient>): FaultAction =>
  Effect.gen(function* () {
    const { name } = yield* pickRandom(clients)
    const heal = yield* network.inject({ _tag: "Block", direction: "both", client: name })
    yield* Effect.forkDetach(Effect.andThen(Effect.sleep(yield* Random.nextBetween(2000, 4500)), heal))
    return Effect.void
  })

/** A client without a part in the recipe deletes a znode without children below a path. */
export const deleteLeaf = (
  server: Server,
  clients: ReadonlyArray<SimulatedClient>,
  below: string,
  deleted: Set<string>
): FaultAction =>
  Effect.gen(function* () {
    const { tree } = yield* server.snapshot
    const leaves = pathsBelow(tree, below).filter((path) => tree.get(path)?.children.size === 0)
    if (leaves.length === 0) return Effect.void
    const path = yield* pickRandom(leaves)
    const { node, zk } = yield* pickRandom(clients)
    deleted.add(path)
    yield* node.run(Effect.forkDetach(Effect.ignore(Effect.timeoutOption(zk.delete(path), "5 seconds"))))
    return Effect.void
  })

/** All paths below one, those above before those below. */
export const pathsBelow = (tree: EmbeddedServer.SnapshotTree, path: string): ReadonlyArray<string> => {
  const paths: Array<string> = []
  for (const name of tree.get(path)?.children ?? []) {
    const child = ZnodePath.join(path, name)
    paths.push(child, ...pathsBelow(tree, child))
  }
  return paths
}

const pickRandom = <A>(from: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, from.length - 1), (index) => from[index]!)
