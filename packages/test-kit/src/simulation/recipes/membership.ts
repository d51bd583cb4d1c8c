/**
 * Who is there, and whose is what: in peace all see what the servers have, and nobody owns what is another's.
 *
 * @since 0.1.0
 */
import * as Allocator from "@effect-zookeeper/recipes/Allocator"
import * as Party from "@effect-zookeeper/recipes/Party"
import * as PersistentNode from "@effect-zookeeper/recipes/PersistentNode"
import * as ServiceDiscovery from "@effect-zookeeper/recipes/ServiceDiscovery"
import { kindOf } from "@effect-zookeeper/server/Znode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { Recipe, Stage } from "../RecipeWorld.ts"
import type { Subject } from "../Subject.ts"
import { Exclusion } from "./Exclusion.ts"
import { textOf } from "./text.ts"

/** Members are there and are seen, each with its data. @category recipes @since 0.1.0 */
export const party: Recipe = Effect.fnUntraced(function* (stage: Stage) {
  const path = "/recipe/party"
  const layout = (yield* Random.nextBoolean) ? "curator" : "aiozk"
  const idOf = (name: string) => (layout === "curator" ? name : name.replace(/--?\d+$/, ""))
  return {
    play: Effect.fnUntraced(function* (subject) {
      const unique = namesOf(subject)
      const party = yield* Party.make(path, { layout })
      const join = Effect.gen(function* () {
        const isShared = (yield* Random.next) < 0.3 && !stage.isPeace()
        const onConflict = (["fail", "wait", "suffix"] as const)[yield* Random.nextIntBetween(0, 2)]
        const id = isShared ? "shared" : unique()
        const membership = yield* party.join({ id, data: unique(), onConflict })
        const isThere = isShared || (yield* party.members).has(membership.id)
        if (!isThere) stage.accuse(`${subject.name} has joined as ${membership.id} and is not there`)
        yield* Effect.sleep(yield* Random.nextBetween(0, 600))
        const data = unique()
        if (yield* Random.nextBoolean) yield* Effect.timeout(membership.setData(data), "2 seconds")
        if (!stage.isPeace()) return
        yield* until(
          Effect.all([party.members, stage.truth]),
          ([members, truth]) =>
            shown([...members].map(([id, data]) => [id, textOf(data)])) ===
            shown(childrenOf(truth, path).map(([name, { data }]) => [idOf(name), textOf(data)]))
        )
      })
      return Effect.scoped(join)
    }),
    expected: ["MemberExists", "TimeoutError"],
    // What others delete comes back, but in Curator's layout another may have the id by then.
    survivesDeletion: true
  }
})

/** Registered instances are found, as they are. @category recipes @since 0.1.0 */
export const serviceDiscovery: Recipe = (stage: Stage) =>
  Effect.succeed({
    play: Effect.fnUntraced(function* (subject) {
      const unique = namesOf(subject)
      const discovery = yield* ServiceDiscovery.make("/recipe/services", { schema: Schema.String })
      const mail = yield* discovery.provider("mail", { strategy: "random" })
      const register = Effect.gen(function* () {
        const payload = unique()
        const { instance, update } = yield* discovery.register({ name: "mail", payload })
        yield* Effect.sleep(yield* Random.nextBetween(0, 600))
        const changed = unique()
        if (yield* Random.nextBoolean) yield* Effect.timeout(update({ payload: changed }), "2 seconds")
        if (!stage.isPeace()) return void (yield* mail.pick)
        yield* until(Effect.all([mail.candidates, stage.truth]), ([candidates, truth]) => {
          const ids = candidates.map(({ id }) => id)
          const there = childrenOf(truth, "/recipe/services/mail").map(([name]) => name)
          return ids.includes(instance.id) && ids.toSorted().join() === there.toSorted().join()
        })
        const payloads = (yield* discovery.instances("mail")).map(({ payload }) => payload)
        if (![payload, changed].some((mine) => payloads.includes(mine))) {
          stage.accuse(`${subject.name} is registered as ${payload} or ${changed}, and others find ${payloads.join()}`)
        }
      })
      return Effect.scoped(register)
    }),
    expected: ["TimeoutError"]
  })

/** It is there, and ours, and as it was said last; and gone when it is closed. @category recipes @since 0.1.0 */
export const persistentNode: Recipe = Effect.fnUntraced(function* (stage: Stage) {
  const isShared = yield* Random.nextBoolean
  return {
    play: Effect.fnUntraced(function* (subject) {
      const unique = namesOf(subject)
      const own = `/recipe/nodes/${isShared ? "shared" : subject.name}`
      const mode = (["ephemeral", "ephemeralSequential"] as const)[yield* Random.nextIntBetween(0, 1)]!
      const node = yield* PersistentNode.make(own, { mode, wait: false })
      let latest = ""
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
      const set = Effect.suspend(() => {
        latest = unique()
        return node.setData(latest)
      })
      return Effect.gen(function* () {
        if (!stage.isPeace())
          return yield* Effect.timeout([brief, short, set][yield* Random.nextIntBetween(0, 2)]!, "3 seconds")
        yield* set
        yield* until(Effect.all([node.present, stage.truth]), ([path, truth]) => {
          const znode = truth.get(path)
          return znode !== undefined && znode.owner === subject.zk.session.id && textOf(znode.data) === latest
        })
      })
    }),
    expected: ["TimeoutError"],
    judge: (truth) =>
      Effect.sync(() => {
        for (const path of truth.keys()) if (path.startsWith("/recipe/nodes/")) stage.accuse(`P9: ${path} is left`)
      })
  }
})

/** An item is used by one at a time, and all of them are in the end. @category recipes @since 0.1.0 */
export const allocator: Recipe = Effect.fnUntraced(function* (stage: Stage) {
  const items = ["a", "b", "c", "d", "e"].slice(0, yield* Random.nextIntBetween(1, 5))
  const exclusion = new Exclusion(stage, (used) => {
    const all = used.flatMap((kind) => kind.split(" "))
    return new Set(all).size === all.length
  })
  const allocations = new Map<Subject, () => ReadonlyArray<string>>()
  return {
    play: (subject) =>
      Effect.sync(() => {
        const unique = namesOf(subject)
        const join = Effect.gen(function* () {
          const own = yield* Allocator.make("/recipe/shards", { items, id: unique(), quiet: "200 millis" })
          const use = own.whileAllocated((mine) => {
            const held = mine.flatMap((item) => Option.toArray(own.held(item)))
            return exclusion.work(subject, mine.join(" "), held)
          })
          if (!stage.isPeace()) {
            yield* Effect.timeoutOption(use, yield* Random.nextBetween(0, 4000))
            return
          }
          yield* Effect.forkScoped(use)
          allocations.set(subject, () => own.allocation)
          yield* until(
            Effect.sync(() => [...allocations.values()].flatMap((allocation) => allocation())),
            (all) => all.toSorted().join() === items.join()
          )
        })
        return Effect.scoped(join).pipe(Effect.ensuring(Effect.sync(() => allocations.delete(subject))))
      })
  }
})

// ---- internal

/** Names that no other client gives, nor this one again. */
const namesOf = ({ name }: Subject) => {
  let count = 0
  return () => `${name}.${++count}`
}

type Node = Effect.Success<Stage["truth"]> extends ReadonlyMap<string, infer A> ? A : never

/** The ephemeral children of a path. */
const childrenOf = (truth: ReadonlyMap<string, Node>, parent: string): ReadonlyArray<readonly [string, Node]> =>
  [...truth]
    .filter(([path, { owner }]) => ZnodePath.parent(path) === parent && kindOf(owner) === "ephemeral")
    .map(([path, znode]) => [ZnodePath.name(path), znode] as const)

const shown = (entries: ReadonlyArray<readonly [string, string]>): string =>
  entries
    .map(([id, data]) => `${id} ${data}`)
    .toSorted()
    .join("\n")

const until = <A, E, R>(look: Effect.Effect<A, E, R>, isSo: (seen: A) => boolean): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    while (!isSo(yield* look)) yield* Effect.sleep("20 millis")
  })
