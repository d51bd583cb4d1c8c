/** Membership and allocation: in peace all see what the servers have, and no client owns what is another's. */
import * as Allocator from "@effect-zookeeper/recipes/Allocator"
import * as Party from "@effect-zookeeper/recipes/Party"
import * as PersistentNode from "@effect-zookeeper/recipes/PersistentNode"
import * as ServiceDiscovery from "@effect-zookeeper/recipes/ServiceDiscovery"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import { kindOf } from "@effect-zookeeper/protocol/StoredZnode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Recipe, Environment } from "../RecipeSimulation.ts"
import type { SimulatedClient } from "../SimulatedClient.ts"
import { MutualExclusion } from "./MutualExclusion.ts"
import { textOf } from "./text.ts"

/** Members are there and are seen, each with its data. */
export const party: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const path = "/recipe/party"
  const layout = (yield* Random.nextBoolean) ? "curator" : "aiozk"
  const idOf = (name: string) => (layout === "curator" ? name : name.replace(/--?\d+$/, ""))
  return {
    play: Effect.fnUntraced(function* (client) {
      const unique = namesOf(client)
      const party = yield* Party.make(path, { layout })
      const join = Effect.gen(function* () {
        const isShared = (yield* Random.next) < 0.3 && !environment.isFaultFree()
        const onConflict = (["fail", "wait", "suffix"] as const)[yield* Random.nextIntBetween(0, 2)]
        const id = isShared ? "shared" : unique()
        const membership = yield* party.join({ id, data: unique(), onConflict })
        const isThere = isShared || (yield* party.members).has(membership.id)
        if (!isThere) environment.addViolation(`${client.name} has joined as ${membership.id} and is not there`)
        yield* Effect.sleep(yield* Random.nextBetween(0, 600))
        const data = unique()
        if (yield* Random.nextBoolean) yield* Effect.timeout(membership.setData(data), "2 seconds")
        if (!environment.isFaultFree()) return
        yield* until(
          Effect.all([party.members, environment.znodes]),
          ([members, znodes]) =>
            shown([...members].map(([id, data]) => [id, textOf(data)])) ===
            shown(childrenOf(znodes, path).map(([name, { data }]) => [idOf(name), textOf(data)]))
        )
      })
      return Effect.scoped(join)
    }),
    expected: ["MemberExists", "TimeoutError"],
    // A znode that others delete is made again, but in Curator's layout another may have the id by then.
    survivesDeletion: true
  }
})

/** Registered instances are found, as they are. */
export const serviceDiscovery: Recipe = (environment: Environment) =>
  Effect.succeed({
    play: Effect.fnUntraced(function* (client) {
      const unique = namesOf(client)
      const discovery = yield* ServiceDiscovery.make("/recipe/services", { schema: Schema.String })
      const mail = yield* discovery.provider("mail", { strategy: "random" })
      const register = Effect.gen(function* () {
        const payload = unique()
        const { instance, update } = yield* discovery.register({ name: "mail", payload })
        yield* Effect.sleep(yield* Random.nextBetween(0, 600))
        const changed = unique()
        if (yield* Random.nextBoolean) yield* Effect.timeout(update({ payload: changed }), "2 seconds")
        if (!environment.isFaultFree()) return void (yield* mail.pick)
        yield* until(Effect.all([mail.candidates, environment.znodes]), ([candidates, znodes]) => {
          const ids = candidates.map(({ id }) => id)
          const there = childrenOf(znodes, "/recipe/services/mail").map(([name]) => name)
          return ids.includes(instance.id) && ids.toSorted().join() === there.toSorted().join()
        })
        const payloads = (yield* discovery.instances("mail")).map(({ payload }) => payload)
        if (![payload, changed].some((mine) => payloads.includes(mine))) {
          environment.addViolation(
            `${client.name} is registered as ${payload} or ${changed}, and others find ${payloads.join()}`
          )
        }
      })
      return Effect.scoped(register)
    }),
    expected: ["TimeoutError"]
  })

/** It is there, of its own session, with the latest data; and gone when it is closed. */
export const persistentNode: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const isShared = yield* Random.nextBoolean
  /** One alone, for it deletes by path: it must not delete what another taker has made. */
  let taker: SimulatedClient | undefined
  /** Of persistent nodes in a mode that outlives sessions. */
  const lasting = new Set<string>()
  return {
    play: Effect.fnUntraced(function* (client) {
      const unique = namesOf(client)
      const own = `/recipe/nodes/${isShared ? "shared" : client.name}`
      const mode = (["ephemeral", "ephemeralSequential"] as const)[yield* Random.nextIntBetween(0, 1)]!
      const node = yield* PersistentNode.make(own, { mode, wait: false })
      let latest = ""
      // One or the other: a persistent node takes a znode of its own session for its own.
      taker ??= client
      const takesOver = taker === client
      // Beyond the versions that persistent nodes reach: each writes once, and few overlap within a session.
      let takeOvers = 16
      const alone = Semaphore.makeUnsafe(1)
      const short = Effect.gen(function* () {
        // Closed as soon as it is asked for, or later; two have one path.
        const wait = yield* Random.nextBoolean
        yield* PersistentNode.make("/recipe/nodes/short", { data: unique(), wait })
        yield* Effect.sleep(yield* Random.nextBetween(0, 300))
      }).pipe(Effect.scoped)
      // Closed in the moment in which its create may be answered.
      const brief = Effect.gen(function* () {
        yield* PersistentNode.make("/recipe/nodes/brief", { mode: "ephemeralSequential", wait: false })
        yield* Effect.sleep(yield* Random.nextBetween(0, 10))
      }).pipe(Effect.scoped, Effect.repeat({ times: 20 }))
      /** The znodes it has made, or may have: in the background, and as often as it takes. */
      const leaveShort = Effect.suspend(() => {
        const { zk } = client
        const path = "/recipe/nodes/short"
        return Effect.andThen(zk.sync(path), zk.stat(path)).pipe(
          Effect.flatMap((stat) =>
            Option.isSome(stat) && stat.value.ephemeralOwner === zk.session.id
              ? zk.delete(path, { version: stat.value.version })
              : Effect.void
          ),
          Effect.retry({ while: Outcome.isTransient, schedule: Outcome.backoff }),
          Effect.ignore
        )
      })
      // Another client has the path of those that are closed: no persistent node may touch its znode.
      const takeOver = Effect.gen(function* () {
        const path = "/recipe/nodes/short"
        const { zk } = client
        // As soon as it is free, when the delete of the one before may not have been answered. Of a version that
        // nothing else has had here: a delete that names the version of its look cannot meet it.
        const writes = Array.from({ length: ++takeOvers }, () => Op.setData(path, unique()))
        const created = yield* Effect.result(
          zk.transaction([Op.create(path, { mode: "ephemeral" }), ...writes]).pipe(
            Effect.retry({
              while: (error) => error._tag === "TransactionFailed" && error.error._tag === "NodeExists",
              schedule: Schedule.spaced("10 millis"),
              times: 100
            })
          )
        )
        if (Result.isFailure(created)) return
        const session = zk.session.id
        const seen = yield* Effect.result(zk.stat(path))
        if (Result.isFailure(seen) || Option.isNone(seen.success)) return
        const { czxid, ephemeralOwner, version } = seen.success.value
        if (version !== takeOvers) return
        yield* Effect.sleep(yield* Random.nextBetween(0, 300))
        const isThere = (yield* environment.znodes).get(path)?.czxid === czxid
        // Answered within the session that made it, which had not ended then.
        if (Result.isFailure(yield* Effect.result(zk.sync(path)))) return
        if (
          !isThere &&
          zk.session.id === session &&
          ephemeralOwner === session &&
          !environment.isExcused(client, session, path)
        ) {
          environment.addViolation(
            `P9: the znode that ${client.name} made at ${path} was deleted by another's persistent node`
          )
        }
      }).pipe(Effect.ensuring(leaveShort), alone.withPermit)
      /** The znodes that it has made anew, or may have. */
      const leaveRemade = (path: string) =>
        Effect.andThen(client.zk.sync(path), client.zk.get(path)).pipe(
          Effect.flatMap(({ data, stat }) =>
            textOf(data).startsWith(REMADE) ? client.zk.delete(path, { version: stat.version }) : Effect.void
          ),
          Effect.catchTag(["NoNode", "BadVersion"], () => Effect.void),
          (leaving) => Outcome.retryAcrossSessions(client.zk.session, leaving),
          Effect.ignore
        )
      // Another client makes a persistent znode anew: from then on it is not the persistent node's.
      const remake = Effect.gen(function* () {
        const paths = [...lasting]
        const path = paths[yield* Random.nextIntBetween(0, paths.length - 1)]
        if (path === undefined) return
        const data = REMADE + unique()
        // Of a version that no persistent node comes to, as in a take-over.
        const writes = Array.from({ length: ++takeOvers }, () => Op.setData(path, data))
        const remade = Effect.gen(function* () {
          yield* client.zk.transaction([Op.delete(path), Op.create(path, { data }), ...writes])
          yield* Effect.sleep(yield* Random.nextBetween(0, 500))
          const found = (yield* environment.znodes).get(path)
          const isThere = found !== undefined && textOf(found.data) === data
          // The harm that is done to a world includes deletions.
          if (!isThere && !environment.isExcused(client, client.zk.session.id, path))
            environment.addViolation(`P9: the znode that ${client.name} made anew at ${path} was deleted or written`)
        })
        yield* Effect.ignore(remade).pipe(Effect.ensuring(leaveRemade(path)))
      }).pipe(alone.withPermit)
      const last = Effect.gen(function* () {
        const path = `/recipe/nodes/lasting-${unique()}`
        const data = unique()
        const node = yield* PersistentNode.make(path, { mode: "persistent", data, restore: true })
        yield* Effect.acquireRelease(
          Effect.sync(() => lasting.add(path)),
          () => Effect.sync(() => lasting.delete(path))
        )
        yield* Effect.sleep(yield* Random.nextBetween(0, 2000))
        yield* node.setData(unique())
      }).pipe(Effect.scoped)
      const other = takesOver ? takeOver : short
      const another = takesOver ? remake : last
      const set = Effect.suspend(() => {
        latest = unique()
        return node.setData(latest)
      })
      return Effect.gen(function* () {
        if (!environment.isFaultFree())
          return yield* Effect.timeout(
            [brief, set, other, other, another, another][yield* Random.nextIntBetween(0, 5)]!,
            "3 seconds"
          )
        yield* set
        yield* until(Effect.all([node.present, environment.znodes]), ([path, znodes]) => {
          const znode = znodes.get(path)
          return znode !== undefined && znode.owner === client.zk.session.id && textOf(znode.data) === latest
        })
      })
    }),
    expected: ["TimeoutError"],
    judge: (znodes) =>
      Effect.sync(() => {
        for (const path of znodes.keys())
          // One that outlives its session may be left by a client that is closed while it is cut off.
          if (path.startsWith("/recipe/nodes/") && !path.startsWith("/recipe/nodes/lasting-"))
            environment.addViolation(`P9: ${path} is left`)
      })
  }
})

/** An item is used by one at a time, and all of them are in the end. */
export const allocator: Recipe = Effect.fnUntraced(function* (environment: Environment) {
  const items = ["a", "b", "c", "d", "e"].slice(0, yield* Random.nextIntBetween(1, 5))
  const exclusion = new MutualExclusion(environment, (used) => {
    const all = used.flatMap((kind) => kind.split(" "))
    return new Set(all).size === all.length
  })
  const allocations = new Map<SimulatedClient, () => ReadonlyArray<string>>()
  return {
    play: (client) =>
      Effect.sync(() => {
        const unique = namesOf(client)
        const join = Effect.gen(function* () {
          const own = yield* Allocator.make("/recipe/shards", { items, id: unique(), quiet: "200 millis" })
          const use = own.whileAllocated((mine) => {
            const held = mine.flatMap((item) => Option.toArray(own.held(item)))
            return exclusion.work(client, mine.join(" "), held)
          })
          if (!environment.isFaultFree()) {
            yield* Effect.timeoutOption(use, yield* Random.nextBetween(0, 4000))
            return
          }
          yield* Effect.forkScoped(use)
          allocations.set(client, () => own.allocation)
          yield* until(
            Effect.sync(() => [...allocations.values()].flatMap((allocation) => allocation())),
            (all) => all.toSorted().join() === items.join()
          )
        })
        return Effect.scoped(join).pipe(Effect.ensuring(Effect.sync(() => allocations.delete(client))))
      })
  }
})

// ---- internal

/** How the data of znodes begins that another client has made anew. */
const REMADE = "remade "

/** Names that no other client gives, nor this one again. */
const namesOf = ({ name }: SimulatedClient) => {
  let count = 0
  return () => `${name}.${++count}`
}

type Node = Effect.Success<Environment["znodes"]> extends ReadonlyMap<string, infer A> ? A : never

/** The ephemeral children of a path. */
const childrenOf = (znodes: ReadonlyMap<string, Node>, parent: string): ReadonlyArray<readonly [string, Node]> =>
  [...znodes]
    .filter(([path, { owner }]) => ZnodePath.parent(path) === parent && kindOf(owner) === "ephemeral")
    .map(([path, znode]) => [ZnodePath.name(path), znode] as const)

const shown = (entries: ReadonlyArray<readonly [string, string]>): string =>
  entries
    .map(([id, data]) => `${id} ${data}`)
    .toSorted()
    .join("\n")

const until = Effect.fnUntraced(function* <A, E, R>(
  look: Effect.Effect<A, E, R>,
  isSo: (seen: A) => boolean
): Effect.fn.Return<void, E, R> {
  while (!isSo(yield* look)) yield* Effect.sleep("20 millis")
})
