/**
 * The order in which a client tries its servers, as ZooKeeper's `StaticHostProvider` decides it.
 *
 * The servers are shuffled once and then tried in turn. When all have been tried without success, `next` says so, and the
 * caller pauses before it connects. A new list rebalances: each client decides at random whether it moves, with
 * probabilities that give every server of the new list the same expected load, so that a new server gets its share and few
 * clients reconnect.
 *
 * A list does no I/O: it resolves no name and opens no connection. All randomness comes from Effect's `Random`.
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as ServerAddress from "./ServerAddress.ts"

/**
 * The servers of a client, and which of them to try next.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerList {
  /**
   * The server to try now. `lapEnded` is true when all have been tried since the last success, or since it was last true:
   * back off, then connect to this one.
   */
  readonly next: Effect.Effect<{ readonly server: ServerAddress.ServerAddress; readonly lapEnded: boolean }>
  /** Reports a connection to this server: a new lap begins after it, and a rebalancing is over. */
  readonly connected: (server: ServerAddress.ServerAddress) => Effect.Effect<void>
  /** The next `next` gives this server, outside of any lap: a client of a read-only server has found one that writes. */
  readonly prefer: (server: ServerAddress.ServerAddress) => Effect.Effect<void>
  /**
   * Replaces the list. `current` is the server in use, undefined when there is none. True means that the client should
   * leave it: `next` then chooses between new and old servers with the probabilities of the rebalancing. False means that
   * the client stays where it is.
   */
  readonly update: (
    servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>,
    current: ServerAddress.ServerAddress | undefined
  ) => Effect.Effect<boolean>
  /** How many servers the list has. */
  readonly size: Effect.Effect<number>
  /** The servers, in the order in which they are tried. */
  readonly servers: Effect.Effect<NonEmptyReadonlyArray<ServerAddress.ServerAddress>>
}

/**
 * A list of servers in random order.
 *
 * @example
 * ```ts
 * import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
 * import * as ServerList from "@effect-zookeeper/transport/ServerList"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const { servers } = yield* Effect.fromResult(ConnectString.parse("zk1:2181,zk2:2181,zk3:2181"))
 *   const list = yield* ServerList.make(servers)
 *   const { lapEnded, server } = yield* list.next
 *   if (lapEnded) yield* Effect.sleep("1 second")
 *   yield* list.connected(server)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>): Effect.Effect<ServerList> =>
  Effect.map(shuffle(servers), (shuffled) => new ServerListImpl(shuffled))

/** Where a client that leaves its server goes: to untried `added` servers with probability `pAdded`, else to `kept`. */
interface Rebalancing {
  readonly pAdded: number
  /** Untried servers of the new list that the old one did not have; the last comes next. */
  readonly added: Array<ServerAddress.ServerAddress>
  /** Untried servers of the new list that the old one had; the last comes next. */
  readonly kept: Array<ServerAddress.ServerAddress>
}

class ServerListImpl implements ServerList {
  #servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>
  /** The index of the server that `next` gave last; -1 before the first. */
  #index = -1
  /** The index of the server that was connected last; -1 when there was none. */
  #connected = -1
  /** How many servers may still be tried before the lap ends. */
  #untried: number
  #preferred: ServerAddress.ServerAddress | undefined
  #rebalancing: Rebalancing | undefined

  constructor(servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>) {
    this.#servers = servers
    this.#untried = servers.length
  }

  // Getters, because a session keeps its list: an Effect for each would take half a kilobyte.
  get size(): Effect.Effect<number> {
    return Effect.sync(() => this.#servers.length)
  }

  get servers(): Effect.Effect<NonEmptyReadonlyArray<ServerAddress.ServerAddress>> {
    return Effect.sync(() => this.#servers)
  }

  get next(): ServerList["next"] {
    return Effect.map(Random.Random, (random) => this.#next(() => random.nextDoubleUnsafe()))
  }

  readonly connected = (server: ServerAddress.ServerAddress) =>
    Effect.sync(() => {
      const index = indexOf(this.#servers, server)
      if (index !== -1) this.#index = index
      this.#connected = this.#index
      this.#rebalancing = undefined
      // The server itself counts as tried: it is lost when `next` is asked again.
      this.#untried = this.#servers.length - 1
    })

  readonly prefer = (server: ServerAddress.ServerAddress) =>
    Effect.sync(() => {
      this.#preferred = server
    })

  readonly update = (
    servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>,
    current: ServerAddress.ServerAddress | undefined
  ) =>
    // All random numbers are drawn first, so that the list changes in one step.
    Effect.map(Effect.zip(shuffle(servers), Random.Random), ([shuffled, random]) =>
      this.#update(shuffled, current, () => random.nextDoubleUnsafe())
    )

  #next(draw: () => number): { readonly server: ServerAddress.ServerAddress; readonly lapEnded: boolean } {
    const preferred = this.#preferred
    if (preferred !== undefined) {
      this.#preferred = undefined
      const index = indexOf(this.#servers, preferred)
      if (index !== -1) this.#index = index
      return { server: preferred, lapEnded: false }
    }
    if (this.#rebalancing !== undefined) {
      const server = takeRebalanced(this.#rebalancing, draw)
      if (server !== undefined) {
        this.#index = indexOf(this.#servers, server)
        return { server, lapEnded: false }
      }
      // Every server of the new list has been tried: a lap has ended.
      this.#rebalancing = undefined
      this.#untried = 0
    }
    const lapEnded = this.#untried === 0
    this.#untried = lapEnded ? this.#servers.length - 1 : this.#untried - 1
    this.#index = (this.#index + 1) % this.#servers.length
    return { server: this.#servers[this.#index] ?? this.#servers[0], lapEnded }
  }

  #update(
    servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>,
    inUse: ServerAddress.ServerAddress | undefined,
    draw: () => number
  ): boolean {
    const before = this.#servers
    const current = inUse ?? this.#assumed(draw)
    const isMember = indexOf(servers, current) !== -1
    const kept = servers.filter((server) => indexOf(before, server) !== -1)
    const added = servers.filter((server) => indexOf(before, server) === -1)
    const pAdded = probabilityOfAdded({
      before: before.length,
      kept: kept.length,
      added: added.length,
      isMember,
      draw
    })
    const last = this.#servers[this.#index]
    this.#servers = servers
    if (this.#preferred !== undefined && indexOf(servers, this.#preferred) === -1) this.#preferred = undefined
    if (pAdded === undefined) {
      this.#rebalancing = undefined
      this.#index = indexOf(servers, inUse ?? last ?? current)
      this.#untried = this.#index === -1 ? servers.length : servers.length - 1
    } else {
      this.#rebalancing = { pAdded, added: added.toReversed(), kept: kept.toReversed() }
      this.#index = -1
    }
    this.#connected = this.#index
    return pAdded !== undefined
  }

  /** The server that counts as current while none is: the next pick of a rebalancing, the last one in use, or the first. */
  #assumed(draw: () => number): ServerAddress.ServerAddress {
    const pick = this.#rebalancing === undefined ? undefined : takeRebalanced(this.#rebalancing, draw)
    return pick ?? this.#servers[this.#connected] ?? this.#servers[0]
  }
}

/**
 * The probability of a move to an added server, or undefined for "stay".
 *
 * The load of a server was 1/before and becomes 1/after. When the list grows, the old servers lose clients, and only to
 * the new ones. When it shrinks they keep theirs, and the clients of removed servers go to servers of both kinds.
 */
const probabilityOfAdded = (options: {
  readonly before: number
  readonly kept: number
  readonly added: number
  readonly isMember: boolean
  readonly draw: () => number
}): number | undefined => {
  const { added, before, kept } = options
  const after = kept + added
  if (after > before) {
    if (!options.isMember) return 1
    return options.draw() < 1 - before / after ? 1 : undefined
  }
  if (options.isMember) return undefined
  // All of the old list is kept: no server was removed, and there are only old servers to move to.
  if (before === kept) return 0
  return 1 - (kept * (before - after)) / (after * (before - kept))
}

const takeRebalanced = (state: Rebalancing, draw: () => number): ServerAddress.ServerAddress | undefined => {
  const takeAdded = draw() < state.pAdded
  return takeAdded ? (state.added.pop() ?? state.kept.pop()) : (state.kept.pop() ?? state.added.pop())
}

const indexOf = (servers: ReadonlyArray<ServerAddress.ServerAddress>, server: ServerAddress.ServerAddress): number =>
  servers.findIndex((other) => ServerAddress.equals(other, server))

const shuffle = (
  servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>
): Effect.Effect<NonEmptyReadonlyArray<ServerAddress.ServerAddress>> =>
  Effect.map(Random.shuffle(servers), ([first = servers[0], ...others]) => [first, ...others] as const)
