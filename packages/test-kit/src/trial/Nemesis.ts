/**
 * Faults of a real ensemble and of the ways to it, one after the other, as a seed decides.
 *
 * Members are killed, stopped, made to stand still and cut off from each other, leader or follower; a client is cut off
 * from its member or from all of them. The next fault of members comes only when all of them are one ensemble again:
 * ZooKeeper 3.8.0 itself loses acknowledged writes when members come and go faster than they can catch up.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import type { FaultProxy } from "../FaultProxy.ts"
import * as Schedule from "effect/Schedule"
import type { Recorder } from "../history/Recorder.ts"
import type { ZooKeeperServerError } from "../ZooKeeperError.ts"
import type { ZooKeeperEnsemble } from "../ZooKeeperEnsemble.ts"
import * as Figures from "./figures.ts"

export interface Options {
  /** Made with `links`. */
  readonly ensemble: ZooKeeperEnsemble
  readonly clients: ReadonlyArray<ReachableClient>
  /** Records the times in which two members may have led. */
  readonly recorder: Recorder
  /** Milliseconds for which faults begin. */
  readonly duration: number
  /** Milliseconds from the beginning of a fault to that of the next, if it is over by then; else they follow at once. */
  readonly every: number
  /** Runs before each fault but the first, when the one before is long over. */
  readonly between?: Effect.Effect<void> | undefined
  /** How long clients' sessions last, in milliseconds: some are cut off for longer. */
  readonly sessionTimeout: number
  /**
   * Whose faults these are; by default those of members and of clients, in turns. Both come at the same time from two runs, one
   * of members and one of clients.
   */
  readonly of?: "members" | "clients" | undefined
}

/** A client, as far as faults can reach it. */
export interface ReachableClient {
  /** Its ways to the members. */
  readonly proxies: ReadonlyArray<FaultProxy>
  /** Which of them it uses now. */
  readonly zk?: { readonly session: Pick<SessionInfo, "server"> } | undefined
}

/** A fault that happened. */
export interface Fault {
  readonly name: string
  /** Milliseconds from the first fault on. */
  readonly at: number
  /** Milliseconds until all members were one ensemble again, or the client was free to reach its member. */
  readonly lasted: number
}

/**
 * For the members of an ensemble under many faults: one that was alone for seconds asks for the others once a second, not in
 * intervals that double up to a minute.
 */
export const jvmFlags = ["-Dzookeeper.fastleader.maxNotificationInterval=1000"]

/** Brings faults one after the other, and ends them all. */
export const run = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ReadonlyArray<Fault>, ZooKeeperServerError> {
  const faults: Array<Fault> = []
  const began = yield* Clock.currentTimeMillis
  const all = [
    ...(options.of === "clients" ? [] : ofMembers(options)),
    ...(options.of === "members" ? [] : ofClients(options))
  ]
  // Each kind once in random order, then again: a short run has most of them.
  let order = yield* Random.shuffle(all)
  for (let turn = 0; ; turn++) {
    const start = yield* Clock.currentTimeMillis
    if (start - began >= options.duration) return faults
    if (turn > 0 && turn % all.length === 0) order = yield* Random.shuffle(all)
    const { name, run } = order[turn % all.length]!
    yield* run
    const end = yield* Clock.currentTimeMillis
    faults.push({ name, at: start - began, lasted: end - start })
    yield* Effect.sleep(Math.max(0, options.every - (end - start)))
    yield* options.between ?? Effect.void
  }
})

/** The faults of each kind, and how long they lasted: a table. */
export const table = (faults: ReadonlyArray<Fault>): string =>
  Figures.table(
    Figures.spreadHead("fault"),
    [...Map.groupBy(faults, ({ name }) => name)]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, group]) =>
        Figures.spread(
          name,
          group.map(({ lasted }) => lasted)
        )
      )
  )

/** How many faults of which kind there were, for people. */
export const summary = (faults: ReadonlyArray<Fault>): string =>
  [...Map.groupBy(faults, ({ name }) => name)]
    .map(([name, group]) => `${name} ${group.length}`)
    .toSorted()
    .join(", ")

// ---- internal

interface Kind {
  readonly name: string
  /** The fault from its beginning until it is healed. */
  readonly run: Effect.Effect<void, ZooKeeperServerError>
}

/** The faults of a kind, each of one of the members or clients. */
const kindOn =
  <A>(one: Effect.Effect<A, ZooKeeperServerError>) =>
  (name: string, fault: (hit: A) => Effect.Effect<void, ZooKeeperServerError>): Kind => ({
    name,
    run: Effect.flatMap(one, fault)
  })

/** A fault that lasts for a time, and is taken back then, or when it is interrupted. */
const lasting = <E>(begin: Effect.Effect<void, E>, time: Effect.Effect<void>, end: Effect.Effect<void>) =>
  begin.pipe(Effect.andThen(time), Effect.ensuring(end))

const between = (least: number, most: number) => Effect.flatMap(Random.nextBetween(least, most), Effect.sleep)

const ofMembers = ({ ensemble, recorder }: Options): ReadonlyArray<Kind> => {
  const { length } = ensemble.servers
  const whole = ensemble.awaitQuorum(length)
  // On a busy machine members lose each other by themselves, too, and find each other again.
  const leader = Effect.andThen(whole, ensemble.leader).pipe(
    Effect.retry({ times: 20, schedule: Schedule.spaced("500 millis") })
  )
  const follower = Effect.flatMap(ensemble.followers, (followers) =>
    Effect.map(Random.shuffle(followers), ([first]) => first ?? ensemble.servers[0]!)
  )
  /** Until it is one ensemble again the one that led may believe that it still leads. */
  const doubted = <E>(effect: Effect.Effect<void, E>) =>
    Effect.suspend(() => Effect.ensuring(effect, Effect.sync(recorder.begin({ f: "pause", path: "leader" }))))
  return [
    { role: "leader", member: leader, around: doubted },
    { role: "follower", member: follower, around: <E>(effect: Effect.Effect<void, E>) => effect }
  ].flatMap(({ around, member, role }) => {
    const kind = kindOn(member)
    return [
      kind(`${role} killed`, (server) =>
        server.kill.pipe(Effect.andThen(between(300, 1500)), Effect.andThen(server.start), Effect.andThen(whole))
      ),
      kind(`${role} restarted`, (server) => Effect.andThen(server.restart, whole)),
      kind(`${role} paused`, (server) =>
        around(Effect.andThen(lasting(server.pause, between(500, 3500), server.resume), whole))
      ),
      kind(`${role} cut off`, (server) =>
        around(Effect.andThen(lasting(ensemble.isolate(server), between(1500, 4000), ensemble.rejoin), whole))
      )
    ]
  })
}

const ofClients = ({ clients, sessionTimeout }: Options): ReadonlyArray<Kind> => {
  const someone = Effect.map(Random.nextIntBetween(0, clients.length - 1), (index) => clients[index]!)
  const kind = kindOn(someone)
  return [
    kind("connection reset", (client) => onEach(ways(client), (way) => way.dropAll("rst"))),
    kind("client cut off from its member", (client) => {
      const [way = client.proxies[0]!] = ways(client)
      return lasting(way.blackHole("both"), between(200, sessionTimeout), way.heal)
    }),
    kind("replies to a client held back", (client) => {
      const [way = client.proxies[0]!] = ways(client)
      return lasting(way.blackHole("down"), between(200, 1500), way.heal)
    }),
    kind("client cut off from all for longer than its session", (client) => {
      const cut = onEach(client.proxies, (way) => way.blackHole("both"))
      return lasting(cut, Effect.sleep(sessionTimeout * 1.5), healed(client))
    }),
    kind("slow way to a client", (client) => {
      const slowed = onEach(client.proxies, (way) => way.shape("both", { delay: Duration.millis(80) }))
      return lasting(slowed, between(500, 2000), healed(client))
    })
  ]
}

const onEach = (proxies: ReadonlyArray<FaultProxy>, fault: (way: FaultProxy) => Effect.Effect<void>) =>
  Effect.forEach(proxies, fault, { discard: true })

const healed = ({ proxies }: ReachableClient) => onEach(proxies, (way) => way.heal)

/** The way on which a client's session is now; all of them while it is on none. */
const ways = ({ proxies, zk }: ReachableClient) => {
  const server = zk === undefined ? undefined : Option.getOrUndefined(zk.session.server)
  const way = proxies.find(({ port }) => port === server?.port)
  return way === undefined ? proxies : [way]
}
